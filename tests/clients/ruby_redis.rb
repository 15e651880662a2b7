# Debian's ruby-redis.
require_relative "ruby_suite"

r = connect

test "ruby-redis: strings" do
  r.flushall
  equal r.set("s", "v", ex: 100), "OK"
  equal r.set("s", "w", nx: true), false
  equal r.set("s", "w", get: true, keepttl: true), "v"
  equal r.ttl("s") > 90, true
  equal r.append("s", "xyz"), 4
  equal r.getrange("s", 1, -1), "xyz"
  equal r.getdel("s"), "wxyz"
  equal r.mset("a", 1, "b", 2), "OK"
  equal r.mget("a", "missing", "b"), ["1", nil, "2"]
  equal r.mapped_mget("a", "b"), { "a" => "1", "b" => "2" }
  equal r.incrby("a", 41), 42
  equal r.incrbyfloat("a", 0.5), 42.5
  equal r.setbit("bits", 7, 1), 0
  equal r.bitcount("bits"), 1
  r.set(ALL_BYTES, ALL_BYTES)
  equal r.get(ALL_BYTES).b, ALL_BYTES
end

test "ruby-redis: keys" do
  r.flushall
  r.mset("k", 1, "l", "text", "m", 3)
  equal r.expire("k", 100), true
  equal r.persist("k"), true
  equal r.exists("k", "l", "missing"), 2
  equal r.type("k"), "string"
  equal r.object("encoding", "k"), "int"
  equal r.rename("k", "n"), "OK"
  equal r.copy("l", "o"), true
  equal r.keys.sort, %w[l m n o]
  equal r.del("l", "m", "missing"), 2
  equal r.dbsize, 2
  r.set("p", "v", px: 30)
  within { r.get("p").nil? }
  3000.times.each_slice(500) { |part| r.mset(*part.flat_map { |i| ["scan:#{i}", i] }) }
  equal r.scan_each(match: "scan:*", count: 100).to_a.uniq.size, 3000
end

test "ruby-redis: pipeline of 10,000 commands" do
  replies = r.pipelined do |p|
    5000.times do |i|
      p.set("p:#{i}", i)
      p.get("p:#{i}")
    end
  end
  equal replies.each_slice(2).map(&:last), (0...5000).map(&:to_s)
end

test "ruby-redis: errors" do
  r.set("text", "t")
  begin
    r.incr("text")
    raise "no error"
  rescue Redis::CommandError => e
    equal e.message, "ERR value is not an integer or out of range"
  end
end

test "ruby-redis: publish and subscribe" do
  got = []
  subscriber = Thread.new do
    connect.psubscribe("n?ws*") do |on|
      on.pmessage do |_, channel, message|
        got << [channel, message]
        Thread.exit if message == "end"
      end
    end
  end
  within { r.publish("news1", "first") == 1 }
  500.times { |i| r.publish("news2", i) }
  r.publish("news", "end")
  subscriber.join(30) or raise "messages did not come"
  equal got, [%w[news1 first]] + (0...500).map { |i| ["news2", i.to_s] } + [%w[news end]]
end

test "ruby-redis: databases and the unix socket" do
  connect(db: 3).set("k", "three")
  equal Redis.new(path: ENV["SOCKET"], db: 3).get("k"), "three"
  equal r.get("k"), nil
end

test "ruby-redis: INFO and CONFIG" do
  equal r.info.key?("redis_version"), true
  equal r.config(:set, "maxmemory", 0), "OK"
  equal r.config(:get, "maxmemory"), { "maxmemory" => "0" }
end

run

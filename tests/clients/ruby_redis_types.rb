# Debian's ruby-redis: hashes, lists, sets, sorted sets, HyperLogLogs, places, SORT, transactions,
# and waiting.
require_relative "ruby_suite"

MANY = 5000
r = connect

test "ruby-redis: hashes" do
  r.flushall
  equal r.hset("h", "a", 1), 1
  equal r.hset("h", { "a" => 2, "b" => "two", "c" => 3.5 }), 2
  equal r.hsetnx("h", "a", 9), false
  equal r.hget("h", "a"), "2"
  equal r.hmget("h", "a", "missing"), ["2", nil]
  equal r.mapped_hmget("h", "a", "b"), { "a" => "2", "b" => "two" }
  equal r.hgetall("h"), { "a" => "2", "b" => "two", "c" => "3.5" }
  equal r.hgetall("missing"), {}
  equal r.hincrby("h", "a", 40), 42
  equal r.hincrbyfloat("h", "c", 0.25), 3.75
  equal r.hkeys("h").sort, %w[a b c]
  equal r.hvals("h").sort, %w[3.75 42 two]
  equal [r.hlen("h"), r.hexists("h", "b"), r.hdel("h", "a", "x")], [3, true, 1]
  equal %w[b c].include?(r.hrandfield("h")), true
  equal r.hrandfield("h", 2, with_values: true).sort, [%w[b two], %w[c 3.75]]
  equal r.hmset("h", "x", 1), "OK"
  r.hset("bin", ALL_BYTES, ALL_BYTES)
  equal r.hget("bin", ALL_BYTES).b, ALL_BYTES
  r.mapped_hmset("large", MANY.times.to_h { |i| ["field:#{i}", i] })
  equal r.hscan_each("large", count: 100).to_a.uniq.size, MANY
end

test "ruby-redis: lists" do
  r.flushall
  equal r.rpush("l", %w[b c d]), 3
  equal r.lpush("l", "a"), 4
  equal r.lrange("l", 0, -1), %w[a b c d]
  equal [r.llen("l"), r.lindex("l", -1), r.lindex("l", 9)], [4, "d", nil]
  equal r.linsert("l", :before, "c", "x"), 5
  equal r.lset("l", 0, "A"), "OK"
  equal r.lrem("l", 0, "x"), 1
  equal r.ltrim("l", 0, 2), "OK"
  equal r.lmove("l", "m", "LEFT", "RIGHT"), "A"
  equal r.rpoplpush("l", "m"), "c"
  equal r.lpop("m"), "c"
  equal r.rpop("m", 5), ["A"]
  equal [r.exists?("m"), r.lpop("m"), r.lpushx("m", 1), r.rpushx("m", 1)], [false, nil, 0, 0]
  r.rpush("large", (0...MANY).to_a)
  equal r.lrange("large", 0, -1), (0...MANY).map(&:to_s)
  equal r.lindex("large", 2500), "2500"
end

test "ruby-redis: sets" do
  r.flushall
  equal r.sadd("s", [1, 2, 3, "a"]), 4
  equal r.sadd?("s", "a"), false
  equal r.smembers("s").sort, %w[1 2 3 a]
  equal [r.sismember("s", "a"), r.scard("s")], [true, 4]
  equal r.smismember("s", "a", "b"), [true, false]
  r.sadd("t", [2, 3, 4])
  equal r.sinter("s", "t").sort, %w[2 3]
  equal r.sunion("s", "t").sort, %w[1 2 3 4 a]
  equal r.sdiff("s", "t").sort, %w[1 a]
  equal [r.sinterstore("d", "s", "t"), r.sunionstore("d", "s", "t"), r.sdiffstore("d", "s", "t")],
        [2, 5, 2]
  equal r.smove("s", "t", "a"), true
  equal r.srem("t", %w[a b]), 1
  equal r.srandmember("t", -10).size, 10
  equal r.spop("t", 10).sort, %w[2 3 4]
  equal r.spop("t"), nil
  r.sadd("large", MANY.times.map { |i| "member:#{i}" })
  equal r.sscan_each("large", count: 100).to_a.uniq.size, MANY
end

test "ruby-redis: sorted sets" do
  r.flushall
  equal r.zadd("z", [[1, "a"], [2, "b"], [3.5, "c"]]), 3
  equal r.zadd("z", 5, "a", nx: true), false
  equal r.zadd("z", [[0.5, "a"]], xx: true, ch: true), 1
  equal r.zadd("z", 1, "a", incr: true), 1.5
  equal r.zrange("z", 0, -1, with_scores: true), [["a", 1.5], ["b", 2.0], ["c", 3.5]]
  equal r.zrange("z", 0, 0, rev: true), ["c"]
  equal r.zrange("z", "-inf", "(3.5", by_score: true, limit: [1, 5]), ["b"]
  equal r.zrevrange("z", 0, 1), %w[c b]
  equal r.zrangebyscore("z", 2, "+inf", with_scores: true), [["b", 2.0], ["c", 3.5]]
  equal r.zrevrangebyscore("z", "+inf", 2, limit: [0, 1]), ["c"]
  equal [r.zcard("z"), r.zcount("z", 2, 3), r.zrank("z", "c"), r.zrevrank("z", "c")], [3, 1, 2, 0]
  equal [r.zscore("z", "a"), r.zscore("z", "x"), r.zincrby("z", 0.25, "a")], [1.5, nil, 1.75]
  equal r.zmscore("z", "a", "x"), [1.75, nil]
  r.zadd("w", [[10, "b"], [20, "d"]])
  equal r.zunion("z", "w", with_scores: true), [["a", 1.75], ["c", 3.5], ["b", 12.0], ["d", 20.0]]
  equal r.zinter("z", "w", weights: [2, 1], aggregate: "max", with_scores: true), [["b", 10.0]]
  equal r.zdiff("z", "w"), %w[a c]
  equal [r.zunionstore("d", %w[z w]), r.zinterstore("d", %w[z w]), r.zdiffstore("d", %w[z w]),
         r.zrangestore("d", "z", 0, 1)], [4, 1, 2, 2]
  equal %w[a b c].include?(r.zrandmember("z")), true
  equal r.zpopmin("z"), ["a", 1.75]
  equal r.zpopmax("z", 5), [["c", 3.5], ["b", 2.0]]
  r.zadd("x", %w[a b c d e f].map { |m| [0, m] })
  equal r.zrangebylex("x", "[b", "(d"), %w[b c]
  equal r.zrevrangebylex("x", "+", "[e"), %w[f e]
  equal r.zlexcount("x", "-", "+"), 6
  equal [r.zremrangebyrank("x", 0, 0), r.zremrangebyscore("x", 0, 0), r.zrem("x", "a")], [1, 5, false]
  r.zadd("large", MANY.times.map { |i| [i, "member:#{i}"] })
  equal r.zscan_each("large", count: 100).to_a.uniq.size, MANY
  equal r.zrank("large", "member:4321"), 4321
end

test "ruby-redis: HyperLogLogs" do
  r.flushall
  equal r.pfadd("p", (0...1000).to_a), true
  equal r.pfadd("p", 1), false
  equal (r.pfcount("p") - 1000).abs < 30, true
  r.pfadd("q", (500...1500).to_a)
  equal r.pfmerge("m", "p", "q"), true
  equal r.pfcount("m"), r.pfcount("p", "q")
end

test "ruby-redis: places" do
  r.flushall
  equal r.geoadd("g", 13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania"), 2
  equal r.geodist("g", "Palermo", "Catania", "km"), "166.2742"
  equal r.geohash("g", "Palermo"), ["sqc8b49rny0"]
  equal r.geopos("g", %w[Palermo missing]), [%w[13.36138933897018433 38.11555639549629859], nil]
  equal r.georadius("g", 15, 37, 200, "km", sort: "asc"), %w[Catania Palermo]
  equal r.georadiusbymember("g", "Palermo", 200, "km", count: 1), ["Palermo"]
  equal r.call("GEOSEARCH", "g", "FROMLONLAT", 15, 37, "BYBOX", 400, 400, "km", "ASC", "WITHDIST"),
        [%w[Catania 56.4413], %w[Palermo 190.4424]]
end

test "ruby-redis: SORT" do
  r.flushall
  r.rpush("l", [3, 1, 2])
  r.mset("weight:1", 9, "weight:2", 8, "weight:3", 7)
  r.hset("object:1", "name", "one")
  equal r.sort("l"), %w[1 2 3]
  equal r.sort("l", order: "desc", limit: [0, 2]), %w[3 2]
  equal r.sort("l", by: "weight:*"), %w[3 2 1]
  equal r.sort("l", get: ["#", "object:*->name"]), [%w[1 one], ["2", nil], ["3", nil]]
  equal r.sort("l", get: "weight:*", store: "d"), 3
  equal r.lrange("d", 0, -1), %w[9 8 7]
  r.sadd("s", %w[b a])
  equal r.sort("s", order: "alpha"), %w[a b]
end

test "ruby-redis: transactions of all types" do
  r.flushall
  replies = r.multi do |t|
    t.set("k", "v")
    t.rpush("l", [2, 1])
    t.sadd("s", ["a"])
    t.zadd("z", 1, "m")
    t.hset("h", "f", "v")
    t.sort("l")
    t.zrange("z", 0, -1, with_scores: true)
    t.hgetall("h")
  end
  equal replies.values_at(0, 1, 4, 5, 6, 7), ["OK", 2, 1, %w[1 2], [["m", 1.0]], { "f" => "v" }]
  begin
    r.multi { |t| t.lpush("s", 1); t.hset("h", "g", "w") }
    raise "no error"
  rescue Redis::CommandError => e
    equal e.message.start_with?("WRONGTYPE"), true
  end
  equal r.hget("h", "g"), "w"
  other = connect
  seen = r.watch("l") do
    other.rpush("l", 3)
    r.multi { |t| t.del("l") }
  end
  equal [seen, r.llen("l")], [nil, 3]
  equal r.watch("l") { r.multi { |t| t.del("l") } }, [1]
end

test "ruby-redis: waiting for lists and sorted sets" do
  r.flushall
  got = []
  waiter = Thread.new do
    mine = connect
    got << mine.blpop("a", "b", timeout: 30)
    got << mine.brpoplpush("a", "c", timeout: 30)
    got << mine.blmove("a", "c", "LEFT", "LEFT", timeout: 30)
    got << mine.bzpopmin("z", timeout: 30)
    got << mine.brpop("nothing", timeout: 1)
  end
  [-> { r.rpush("b", 1) }, -> { r.lpush("a", 2) }, -> { r.sort("c", store: "a") },
   -> { r.multi { |t| t.zadd("z", 4, "m") } }].each.with_index(1) do |act, n|
    within { r.info("clients")["blocked_clients"] == "1" }
    act.call
    within { got.size >= n }
  end
  waiter.join(30) or raise "still waiting"
  equal got, [%w[b 1], "2", "2", ["z", "m", 4.0], nil]
end

run

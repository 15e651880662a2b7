# What the Ruby programs of this folder share: tests that print TAP, on a server whose port is in PORT
# and whose socket is in SOCKET.
require "redis"

ALL_BYTES = (0..255).to_a.pack("C*")
$cases = []

def test(name, &body)
  $cases << [name, body]
end

def equal(actual, expected)
  raise "#{actual.inspect} instead of #{expected.inspect}" unless actual == expected
end

def within(seconds = 30)
  deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
  until yield
    raise "did not come" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
    sleep 0.01
  end
end

def connect(**options)
  Redis.new(host: "127.0.0.1", port: ENV["PORT"].to_i, **options)
end

def run
  failed = 0
  puts "1..#{$cases.size}"
  $cases.each.with_index(1) do |(name, body), number|
    begin
      body.call
      puts "ok #{number} - #{name}"
    rescue StandardError => e
      failed += 1
      puts "not ok #{number} - #{name}", e.full_message(highlight: false).gsub(/^/, "# ")
    end
  end
  exit failed.zero?
end

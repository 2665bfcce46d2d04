// SPDX-License-Identifier: Apache-2.0
#include "daemon/worker/line_channel.h"

#include "tests/support/catch.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace batchllm::daemon {
namespace {

// A channel and the raw socket at its other end.
struct Line {
  Line() {
    std::array<int, 2> ends{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    channel = std::make_unique<LineChannel>(FileHandle(ends[0]));
    peer = FileHandle(ends[1]);
  }

  void peer_says(std::string_view bytes) const {
    REQUIRE(write(peer.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }

  std::unique_ptr<LineChannel> channel;
  FileHandle peer;
};

std::vector<std::string> lines(LineChannel& channel) {
  std::vector<std::string> found;
  while (const auto line = channel.next_line()) {
    found.push_back(*line);
  }
  return found;
}

using Lines = std::vector<std::string>;

TEST_CASE("lines come out whole, however they came in", "[line_channel]") {
  const Line line;
  CHECK(line.channel->receive());
  CHECK(lines(*line.channel).empty());
  line.peer_says("on");
  CHECK(line.channel->receive());
  CHECK(lines(*line.channel).empty());
  line.peer_says("e\ntwo\n\nfo");
  CHECK(line.channel->receive());
  CHECK(lines(*line.channel) == Lines{"one", "two", ""});
  line.peer_says("ur\n");
  CHECK(line.channel->receive());
  CHECK(lines(*line.channel) == Lines{"four"});
}

TEST_CASE("every split of a stream gives the same lines", "[line_channel]") {
  const std::string stream = "a\nbc\n\ndef\n";
  for (std::size_t first = 0; first <= stream.size(); ++first) {
    const Line line;
    Lines found;
    for (const std::string& part : {stream.substr(0, first), stream.substr(first)}) {
      line.peer_says(part);
      line.channel->receive();
      for (const std::string& got : lines(*line.channel)) {
        found.push_back(got);
      }
    }
    CHECK(found == Lines{"a", "bc", "", "def"});
  }
}

TEST_CASE("what the other side said before it left is still given", "[line_channel]") {
  Line line;
  line.peer_says("last words\nand hal");
  line.peer = FileHandle();
  CHECK_FALSE(line.channel->receive());
  CHECK(lines(*line.channel) == Lines{"last words"});
  CHECK_FALSE(line.channel->send("anybody there?\n"));
  CHECK_FALSE(line.channel->receive());
}

TEST_CASE("a line larger than the socket's memory arrives while it is read", "[line_channel]") {
  Line line;
  LineChannel other(std::move(line.peer));
  const std::string large(8'000'000, 'x');
  std::thread sender([&] { CHECK(line.channel->send(large + "\n")); });
  std::optional<std::string> got;
  while (!got) {
    pollfd readable{other.descriptor(), POLLIN, 0};
    REQUIRE(poll(&readable, 1, 60'000) == 1);
    REQUIRE(other.receive());
    got = other.next_line();
  }
  sender.join();
  CHECK(*got == large);
}

TEST_CASE("nothing is sent behind half a line", "[line_channel]") {
  Line line;
  LineChannel other(std::move(line.peer));
  CHECK_FALSE(line.channel->send(std::string(8'000'000, 'x') + "\n", 1));  // nobody reads
  other.receive();
  CHECK_FALSE(line.channel->send("next\n", 1));
  other.receive();
  CHECK(lines(other).empty());
}

TEST_CASE("lines of many threads do not mix", "[line_channel]") {
  constexpr int k_threads = 4;
  constexpr int k_lines = 500;
  Line line;
  LineChannel other(std::move(line.peer));
  std::vector<std::thread> senders;
  for (int i = 0; i < k_threads; ++i) {
    senders.emplace_back([&, text = std::string(1000, static_cast<char>('a' + i)) + "\n"] {
      for (int n = 0; n < k_lines; ++n) {
        line.channel->send(text);
      }
    });
  }
  int whole = 0;
  for (int seen = 0; seen < k_threads * k_lines;) {
    pollfd readable{other.descriptor(), POLLIN, 0};
    REQUIRE(poll(&readable, 1, 60'000) == 1);
    REQUIRE(other.receive());
    for (const std::string& got : lines(other)) {
      ++seen;
      whole += int{got == std::string(1000, got.at(0))};
    }
  }
  for (std::thread& sender : senders) {
    sender.join();
  }
  CHECK(whole == k_threads * k_lines);
}

}  // namespace
}  // namespace batchllm::daemon

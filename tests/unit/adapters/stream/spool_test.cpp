// SPDX-License-Identifier: Apache-2.0
#include "adapters/stream/spool.h"

#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <thread>

using namespace batchllm;

namespace {

std::string read_all(RawBytes& bytes) {
  std::string text;
  std::string buffer(1000, '\0');
  while (const std::size_t count = bytes.read(buffer.data(), buffer.size())) {
    text.append(buffer, 0, count);
  }
  return text;
}

// A pipe whose writing end the test holds.
class Pipe {
 public:
  Pipe() { REQUIRE(::pipe(ends_.data()) == 0); }

  ~Pipe() {
    close_writer();
    ::close(ends_[0]);
  }

  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int reader() const { return ends_[0]; }

  void write(const std::string& text) const {
    REQUIRE(::write(ends_[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }

  void close_writer() {
    if (ends_[1] >= 0) {
      ::close(ends_[1]);
      ends_[1] = -1;
    }
  }

 private:
  std::array<int, 2> ends_{};
};

}  // namespace

TEST_CASE("a spooled pipe can be read again, while it comes in and afterwards", "[spool]") {
  const ScratchFolder folder;
  Pipe pipe;
  Spool spool(pipe.reader(), folder.path(), "standard input");
  CHECK(spool_state(folder.path()) == SpoolState::partial);

  struct stat facts {};

  REQUIRE(::stat(spool_path(folder.path(), SpoolState::partial).c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777U) == 0600);

  const auto first = spool.first_reader();
  const auto second = spool.second_reader({});
  std::string again;
  std::thread follower([&] { again = read_all(*second); });
  pipe.write("one\n");
  std::array<char, 100> buffer{};
  CHECK(first->read(buffer.data(), buffer.size()) == 4);
  pipe.write("two\n");
  pipe.close_writer();
  CHECK(read_all(*first) == "two\n");
  follower.join();
  CHECK(again == "one\ntwo\n");

  CHECK(spool_state(folder.path()) == SpoolState::complete);
  CHECK(folder.read("input.spool") == "one\ntwo\n");
  const auto late = spool.second_reader({});
  CHECK(read_all(*late) == "one\ntwo\n");
  CHECK(read_all(*open_raw_file(spool_path(folder.path(), SpoolState::complete))) == "one\ntwo\n");
}

TEST_CASE("waiting for more of a spool can be stopped", "[spool]") {
  const ScratchFolder folder;
  const Pipe pipe;
  const Spool spool(pipe.reader(), folder.path(), "standard input");
  std::stop_source stop;
  const auto second = spool.second_reader(stop.get_token());
  std::optional<ErrorCode> code;
  std::thread follower([&] {
    try {
      read_all(*second);
    } catch (const Error& error) {
      code = error.code();
    }
  });
  stop.request_stop();
  follower.join();
  CHECK(code == ErrorCode::interrupted);
}

TEST_CASE("a spool whose pipe was left unread is partial and says so", "[spool]") {
  const ScratchFolder folder;
  const Pipe pipe;
  Spool spool(pipe.reader(), folder.path(), "standard input");
  pipe.write("some\n");
  auto first = spool.first_reader();
  const auto second = spool.second_reader({});
  std::array<char, 100> buffer{};
  CHECK(first->read(buffer.data(), buffer.size()) == 5);
  first.reset();
  CHECK(second->read(buffer.data(), buffer.size()) == 5);
  CHECK_THROWS_AS(second->read(buffer.data(), buffer.size()), Error);
  CHECK(spool_state(folder.path()) == SpoolState::partial);
  CHECK(folder.read("input.spool.part") == "some\n");
}

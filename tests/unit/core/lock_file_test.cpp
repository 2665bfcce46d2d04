// SPDX-License-Identifier: Apache-2.0
#include "core/lock_file.h"

#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/scratch_folder.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

using namespace batchllm;

namespace {

std::string dead_process() {
  const pid_t child = fork();
  if (child == 0) {
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  return std::to_string(child);
}

}  // namespace

TEST_CASE("a lock of a living process is refused at once", "[lock_file]") {
  const ScratchFolder folder;
  const std::string path = folder.path("lock");
  const auto held = take_lock_file(path);
  REQUIRE(held);
  CHECK_FALSE(take_lock_file_of_the_dead(path));
  CHECK(lock_file_holder(path) == std::to_string(getpid()));
  CHECK_FALSE(is_dead_process(lock_file_holder(path)));
}

TEST_CASE("a lock that outlives its process for a moment is waited for", "[lock_file]") {
  const ScratchFolder folder;
  const std::string path = folder.path("lock");
  auto held = take_lock_file(path);
  REQUIRE(held);
  folder.write("lock", dead_process());
  REQUIRE(is_dead_process(lock_file_holder(path)));
  std::atomic<bool> begins{false};
  bool has_it = false;
  std::thread next([&] {
    begins = true;
    has_it = take_lock_file_of_the_dead(path).has_value();
  });
  CHECK(eventually([&] { return begins.load(); }));
  held.reset();
  next.join();
  CHECK(has_it);
  CHECK(lock_file_holder(path) == std::to_string(getpid()));
}

TEST_CASE("what is no process number is not dead", "[lock_file]") {
  const std::string text = GENERATE("", "x", "-1", "0");
  CHECK_FALSE(is_dead_process(text));
}

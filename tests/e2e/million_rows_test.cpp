// SPDX-License-Identifier: Apache-2.0
// Memory does not grow with the input. Takes minutes: runs with BATCHLLM_LONG_TESTS=1 only.
#include "tests/support/catch.h"
#include "tests/support/job.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>

using namespace batchllm::test;

namespace {

constexpr std::size_t k_million = 1'000'000;

bool is_long_test() {
  const char* wanted = std::getenv("BATCHLLM_LONG_TESTS");
  return wanted != nullptr && std::string(wanted) == "1";
}

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("a million rows need the memory of ten thousand", "[e2e][million]") {
  if (!is_long_test()) {
    WARN("skipped: takes minutes; run it by BATCHLLM_LONG_TESTS=1 e2e [million]");
    return;
  }
  SimulatorProcess simulator(BATCHLLM_PROGRAM);
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("small.csv", csv_of_rows(10'000));
  workspace.write("large.csv", csv_of_rows(k_million));
  const auto small = workspace.run(simulator, {"small.csv", "-o", "small-out.csv", "-q"});
  REQUIRE(small.exit_code == 0);

  // Killed once on the way: the rows that are done must not weigh on the rest either.
  const Words run = workspace.run_words(simulator, {"large.csv", "-o", "large-out.csv", "-q"});
  const std::size_t before = simulator.call_count();
  Process killed(workspace.command(run));
  REQUIRE(eventually([&] { return simulator.call_count() > before + k_million / 2; },
                     std::chrono::seconds(900)));
  killed.send_signal(SIGKILL);
  const auto first = killed.wait();
  const auto rest = workspace.call(run);
  REQUIRE(rest.exit_code == 0);

  const auto ratio = [&small](const ProcessResult& large) {
    return static_cast<double>(large.peak_memory_kib) / static_cast<double>(small.peak_memory_kib);
  };
  std::cout << "peak memory: 10,000 rows " << small.peak_memory_kib << " KiB, 1,000,000 rows "
            << first.peak_memory_kib << " KiB (" << ratio(first) << ") until killed, "
            << rest.peak_memory_kib << " KiB (" << ratio(rest) << ") resumed\n";
  CHECK(ratio(first) < 1.25);
  CHECK(ratio(rest) < 1.25);
  CHECK(lines_of(workspace.read("large-out.csv")) == k_million + 1);
  CHECK(simulator.call_count() <= 10'000 + k_million + 32);
}

TEST_CASE("a million finished rows are resumed without asking one", "[e2e][million]") {
  if (!is_long_test()) {
    WARN("skipped: takes minutes; run it by BATCHLLM_LONG_TESTS=1 e2e [million]");
    return;
  }
  SimulatorProcess simulator(BATCHLLM_PROGRAM);
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("large.csv", csv_of_rows(k_million));
  const std::size_t all_but_few = k_million - 1000;
  Process killed(
      workspace.command(workspace.run_words(simulator, {"large.csv", "-o", "out.csv", "-q"})));
  REQUIRE(
      eventually([&] { return simulator.call_count() > all_but_few; }, std::chrono::seconds(900)));
  killed.send_signal(SIGKILL);
  killed.wait();
  const std::size_t asked = simulator.call_count();
  const auto begun = std::chrono::steady_clock::now();
  Process resumed(workspace.command({"resume", "-q"}));
  REQUIRE(eventually([&] { return simulator.call_count() > asked; }));
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun;
  std::cout << "first request " << passed.count() << " s after resume\n";
  CHECK(resumed.wait().exit_code == 0);
  CHECK(lines_of(workspace.read("out.csv")) == k_million + 1);
  CHECK(simulator.call_count() <= k_million + 32);
}

// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/job_seed.h"

#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"

#include <filesystem>

using namespace batchllm;

namespace fs = std::filesystem;

namespace {

constexpr auto* k_first = "job_20260102_030405_aaaa";
constexpr auto* k_second = "job_20260102_030406_bbbb";

std::size_t folders_in(const fs::path& jobs) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(jobs), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("a seed becomes a job's folder with ledgers of its own", "[job]") {
  const ScratchFolder state;
  const std::string first = std::string("jobs/") + k_first;
  state.write(first + "/job.json", "{}");
  state.write(first + "/lock", "4711");
  state.write(first + "/ledger-00000.jsonl", std::string(3 << 20, 'x'));
  state.write(first + "/manifest.jsonl", "m");
  state.write(first + "/result.csv", "r");
  JobRecord record;
  record.id = k_second;
  {
    JobSeed seed(state.path(), k_first);
    REQUIRE(seed.has_files());
    CHECK_FALSE(fs::exists(state.path(std::string("jobs/") + k_second)));
    seed.adopt(record);
  }
  const std::string second = std::string("jobs/") + k_second;
  CHECK(state.read(second + "/ledger-00000.jsonl") == std::string(3 << 20, 'x'));
  CHECK(state.read(second + "/manifest.jsonl") == "m");
  CHECK(state.read(second + "/job.json") == job_record_json(record));
  CHECK_FALSE(fs::exists(state.path(second + "/lock")));
  CHECK_FALSE(fs::exists(state.path(second + "/result.csv")));
  CHECK(fs::hard_link_count(state.path(first + "/ledger-00000.jsonl")) == 1);
}

TEST_CASE("a seed that is not adopted leaves nothing, also when its process was killed", "[job]") {
  const ScratchFolder state;
  state.write(std::string("jobs/") + k_first + "/ledger-00000.jsonl", "x");
  { const JobSeed seed(state.path(), k_first); }
  CHECK(folders_in(state.path("jobs")) == 1);
  state.write("jobs/.seed-AbCdEf/ledger-00000.jsonl", "x");
  sweep_job_seeds(state.path());
  CHECK(folders_in(state.path("jobs")) == 1);
  CHECK(fs::exists(state.path(std::string("jobs/") + k_first)));
}

TEST_CASE("a job that never began leaves no seed", "[job]") {
  const ScratchFolder state;
  const JobSeed seed(state.path(), k_first);
  CHECK_FALSE(seed.has_files());
}

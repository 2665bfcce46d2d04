// SPDX-License-Identifier: Apache-2.0
#include "tests/support/catch.h"
#include "tests/unit/daemon/api/api_bench.h"

#include <filesystem>
#include <string>

using namespace batchllm;
using namespace batchllm::daemon;

namespace {

namespace fs = std::filesystem;

std::string job_asking(const std::string& prompt) {
  return R"({"input":{"rows":[{"text":"a"}]},"options":{"model":"simulator/any","base_url":)"
         R"("http://127.0.0.1:1/v1","prompt":")" +
         prompt + R"("}})";
}

// Contents and names of inputs that lie in the state folder.
std::size_t stored_inputs(const ApiBench& bench) {
  std::size_t count = 0;
  for (const char* folder : {"files", "uploads"}) {
    std::error_code error;
    for (const auto& entry : fs::recursive_directory_iterator(bench.folder().path(folder), error)) {
      count += entry.is_directory() ? 0 : 1;
    }
  }
  return count;
}

}  // namespace

TEST_CASE("a job that is refused leaves nothing of its input behind", "[jobs_api]") {
  ApiBench bench;
  CHECK(bench.ask("POST", "/jobs", job_asking("say {no_such_column}")).status() == 422);
  CHECK(stored_inputs(bench) == 0);
}

TEST_CASE("a request that is repeated under its key leaves one input", "[jobs_api]") {
  ApiBench bench;
  const auto submit = [&bench] { return bench.ask_once("k", "/jobs", job_asking("say {text}")); };
  const BenchAnswer first = submit();
  REQUIRE(first.status() == 201);
  const std::size_t stored = stored_inputs(bench);
  CHECK(stored != 0);
  CHECK(submit().at(".id") == first.at(".id"));
  CHECK(stored_inputs(bench) == stored);
}

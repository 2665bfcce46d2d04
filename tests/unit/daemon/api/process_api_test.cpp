// SPDX-License-Identifier: Apache-2.0
// What POST /process refuses before anything is queued; e2e/api_tasks_test.cpp runs the rest.
#include "tests/support/catch.h"
#include "tests/support/raw_http_server.h"
#include "tests/unit/daemon/api/api_bench.h"

#include <fmt/format.h>

using namespace batchllm;
using namespace batchllm::daemon;

namespace {

std::string body_for(const std::string& url, const std::string& more = {}) {
  return fmt::format(
      R"({{"file_url":"{}","prompt":"Say {{text}}","model":"vllm/a"{}}})", url, more);
}

}  // namespace

TEST_CASE("callers on TCP cannot reach this machine's network or its files", "[api][process]") {
  ApiBench api;
  const std::string input = api.folder().write("in.csv", "text\na\n");
  const auto url = GENERATE_COPY(values<std::string>({"http://127.0.0.1:1/in.csv",
                                                      "http://localhost:1/in.csv",
                                                      "http://[::1]:1/in.csv",
                                                      "http://169.254.169.254/latest/meta-data",
                                                      "http://[::ffff:127.0.0.1]:1/in.csv",
                                                      "http://0x7f.1:1/in.csv",
                                                      "file://" + input}));
  CAPTURE(url);
  const auto answer = api.ask_over_tcp("POST", "/process", body_for(url));
  CHECK(answer.at(".code") == "peer_refused");
  CHECK(answer.status() == 403);
  CHECK(api.ask("GET", "/jobs").at(".items").find("job_") == std::string::npos);
}

TEST_CASE("results go to no file for callers on TCP", "[api][process]") {
  ApiBench api;
  const auto answer = api.ask_over_tcp(
      "POST", "/process", body_for("file_aaaaaaaaaaaa", R"(,"results_url":"file:///tmp/x.csv")"));
  CHECK(answer.at(".code") == "peer_refused");
}

TEST_CASE("a request that cannot be is refused without its key", "[api][process]") {
  struct Case {
    std::string body;
    std::string code;
  };

  const auto c = GENERATE(values<Case>({
      {body_for("ftp://example.org/a.csv"), "usage"},
      {body_for("file://elsewhere/a.csv"), "usage"},
      {body_for("file:///nowhere/a.csv", R"(,"api_key":"planted")"), "input_missing"},
      {body_for("file_aaaaaaaaaaaa", R"(,"api_key":"planted")"), "file_not_found"},
      {body_for("http://user:planted@example.org/a.csv"), "usage"},
      {body_for("x", R"(,"api_key":"")"), "usage"},
      {body_for("x", R"(,"api_key":"planted","config":{"key_env":"A"})"), "usage"},
      {body_for("x", R"(,"config":{"model":"vllm/b"})"), "usage"},
      {body_for("x", R"(,"config":[])"), "usage"},
      {body_for("x", R"(,"results_url":"ftp://example.org/a")"), "usage"},
      {R"({"prompt":"x","model":"vllm/a"})", "usage"},
  }));
  CAPTURE(c.body);
  ApiBench api;
  const auto answer = api.ask("POST", "/process", c.body);
  CHECK(answer.at(".code") == c.code);
  CHECK(answer.response.body.find("planted") == std::string::npos);
}

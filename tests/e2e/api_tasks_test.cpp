// SPDX-License-Identifier: Apache-2.0
// Tasks and POST /process over the API of a running daemon.
#include "tests/support/catch.h"
#include "tests/support/daemon_process.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

using namespace batchllm::test;

namespace {

namespace fs = std::filesystem;

constexpr auto k_planted_key = "sk-planted-5f2c91d7";
constexpr auto k_planted_key_masked = "sk-…91d7";  // as the simulator logs it

DaemonProcess::Options options(std::vector<std::string> simulator = {}) {
  return {
      .program = BATCHLLM_DAEMON, .batchllm = BATCHLLM_PROGRAM, .simulator = std::move(simulator)};
}

std::string process_body(DaemonProcess& daemon, const std::string& file, const std::string& more) {
  return fmt::format(
      R"({{"file_url":"file://{}","prompt":"say {{text}}","model":"openai/gpt-4o-mini","config":{{"base_url":"{}"}}{}}})",
      file,
      daemon.simulator().base_url(),
      more);
}

// The files below `folder` that hold `text`.
std::vector<std::string> files_with(const fs::path& folder, const std::string& text) {
  std::vector<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) {
      continue;
    }
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    if (bytes.find(text) != std::string::npos) {
      found.push_back(entry.path().string());
    }
  }
  return found;
}

}  // namespace

TEST_CASE("a task is done with its output", "[e2e][daemon][tasks]") {
  DaemonProcess daemon(options());
  const ApiAnswer task = daemon.post(
      "/tasks",
      fmt::format(
          R"({{"type":"classify","input":"It crashes","model":"simulator/any","options":{{"base_url":"{}"}}}})",
          daemon.simulator().base_url()));
  REQUIRE(task.status == 201);
  const std::string id = task.at(".id");
  CHECK(daemon.wait_for_end(id).at(".kind") == "task");
  const ApiAnswer done = daemon.get("/tasks/" + id);
  CHECK(done.at(".status") == "done");
  CHECK_FALSE(done.at(".output").empty());
  CHECK(done.at(".input.text") == "It crashes");
  CHECK(daemon.send("DELETE", "/tasks/" + id).status == 204);
  CHECK(daemon.get("/tasks/" + id).status == 404);
}

TEST_CASE("a task whose row fails says why", "[e2e][daemon][tasks]") {
  DaemonProcess daemon(options({"--fault", "400:1"}));
  const ApiAnswer task = daemon.post(
      "/tasks",
      fmt::format(
          R"({{"type":"classify","input":"x","model":"simulator/any","options":{{"base_url":"{}"}}}})",
          daemon.simulator().base_url()));
  const std::string id = task.at(".id");
  daemon.wait_for_end(id);
  const ApiAnswer ended = daemon.get("/tasks/" + id);
  CHECK(ended.at(".status") == "error");
  CHECK(ended.at(".failure") == "bad_request");
  CHECK_FALSE(ended.at(".error").empty());
}

TEST_CASE("a running task is stopped and removed", "[e2e][daemon][tasks]") {
  DaemonProcess daemon(options({"--latency", "1h"}));
  const ApiAnswer task = daemon.post(
      "/tasks",
      fmt::format(
          R"({{"type":"classify","input":"x","model":"simulator/any","options":{{"base_url":"{}"}}}})",
          daemon.simulator().base_url()));
  const std::string id = task.at(".id");
  // The answer that is an hour away is not waited for.
  REQUIRE(eventually([&] { return daemon.simulator().call_count() == 1; }));
  CHECK(daemon.send("DELETE", "/tasks/" + id).status == 204);
  CHECK(daemon.get("/jobs/" + id).status == 404);
}

TEST_CASE("a file is processed while the client waits, and its key is nowhere afterwards",
          "[e2e][daemon][process]") {
  DaemonProcess daemon(options());
  const std::string input = daemon.folder().write("in put.csv", "id,text\n1,a\n2,b\n");
  const std::string output = daemon.folder().path("out.csv");
  const ApiAnswer answer = daemon.post(
      "/process",
      process_body(
          daemon,
          daemon.folder().path("in%20put.csv"),
          fmt::format(R"(,"api_key":"{}","results_url":"file://{}")", k_planted_key, output)));
  INFO(answer.body);
  REQUIRE(answer.status == 200);
  CHECK(answer.at(".success") == "true");
  CHECK(answer.at(".processed") == "2");
  CHECK(answer.at(".failed") == "0");
  CHECK(daemon.folder().read("out.csv").starts_with("id,text,output"));
  // It came to where it was to go.
  const auto calls = daemon.simulator().calls();
  REQUIRE(calls.size() == 2);
  CHECK(calls.front().key == k_planted_key_masked);
  const std::string job = answer.at(".job_id");
  for (const std::string& target : {"/jobs/" + job,
                                    "/jobs/" + job + "/events",
                                    "/jobs/" + job + "/attempts",
                                    std::string("/jobs"),
                                    std::string("/api-keys")}) {
    CAPTURE(target);
    CHECK(daemon.get(target).body.find(k_planted_key) == std::string::npos);
  }
  CHECK(daemon.stop() == 0);
  CHECK(daemon.process().error_text().find(k_planted_key) == std::string::npos);
  CHECK(files_with(daemon.folder().path("state"), k_planted_key) == std::vector<std::string>{});
}

TEST_CASE("results are put where the caller wants them", "[e2e][daemon][process]") {
  DaemonProcess daemon(options());
  const std::string input = daemon.folder().write("in.csv", "text\na\n");
  // The simulator takes no PUT: rows are answered, but the results are not where they are to be.
  const ApiAnswer answer =
      daemon.post("/process",
                  process_body(daemon,
                               input,
                               fmt::format(R"(,"results_url":"{}/results?signature=planted")",
                                           daemon.simulator().base_url())));
  REQUIRE(answer.status == 200);
  CHECK(answer.at(".success") == "false");
  CHECK(answer.at(".processed") == "1");
  CHECK_THAT(answer.at(".error"), ContainsSubstring("/results: the server answered"));
  CHECK(files_with(daemon.folder().path("state"), "signature=planted").empty());
}

TEST_CASE("a repetition with the same Idempotency-Key gets the answer of the same job",
          "[e2e][daemon][process]") {
  DaemonProcess daemon(options());
  const std::string body = process_body(daemon, daemon.folder().write("in.csv", "text\na\n"), "");
  const std::vector<std::string> headers = {"Content-Type: application/json",
                                            "Idempotency-Key: once"};
  const ApiAnswer first = daemon.send("POST", "/process", body, headers);
  const ApiAnswer second = daemon.send("POST", "/process", body, headers);
  CHECK(first.body == second.body);
  CHECK(second.head.find("Idempotency-Replayed: true") != std::string::npos);
  CHECK(daemon.simulator().call_count() == 1);
}

TEST_CASE("after a crash of the daemon a job that brought its key says that it is gone",
          "[e2e][daemon][process]") {
  DaemonProcess daemon(options({"--latency", "1h"}));
  const std::string body = process_body(daemon,
                                        daemon.folder().write("in.csv", "text\na\n"),
                                        fmt::format(R"(,"api_key":"{}")", k_planted_key));
  std::thread client([&] {
    try {
      daemon.post("/process", body);
    } catch (const std::exception&) {
      return;  // the daemon died before it answered
    }
  });
  std::string job;
  CHECK(eventually([&] {
    job = daemon.get("/jobs?state=running").at(".items[0].id");
    return !job.empty();
  }));
  daemon.kill();
  client.join();
  daemon.start();
  const ApiAnswer ended = daemon.wait_for_end(job);
  CHECK(ended.at(".state") == "failed");
  CHECK(ended.at(".error.code") == "key_missing");
  CHECK_THAT(ended.at(".error.message"), ContainsSubstring("kept in memory only"));
  CHECK(files_with(daemon.folder().path("state"), k_planted_key).empty());
}

TEST_CASE("a stored key reaches the provider and no file", "[e2e][daemon][keys]") {
  DaemonProcess daemon(options());
  REQUIRE(
      daemon.post("/api-keys", fmt::format(R"({{"provider":"openai","key":"{}"}})", k_planted_key))
          .status == 201);
  const ApiAnswer answer = daemon.post(
      "/process", process_body(daemon, daemon.folder().write("in.csv", "text\na\n"), ""));
  CHECK(answer.at(".success") == "true");
  REQUIRE_FALSE(daemon.simulator().calls().empty());
  CHECK(daemon.simulator().calls().front().key == k_planted_key_masked);
  CHECK(files_with(daemon.folder().path("state"), k_planted_key).empty());
}

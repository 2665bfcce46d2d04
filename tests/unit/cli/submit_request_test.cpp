// SPDX-License-Identifier: Apache-2.0
#include "cli/submit_request.h"

#include "cli/settings_reader.h"
#include "core/error.h"
#include "core/json_document.h"
#include "tests/support/catch.h"
#include "tests/support/thrown_error.h"

using namespace batchllm;

namespace {

using Words = std::vector<std::string>;

constexpr std::int64_t k_now_ms = 1'795'248'000'000;  // 2026-11-21T08:00:00Z

SubmitRequest submit_request(Words words) {
  words.insert(words.begin(), {"submit", "f.csv", "-p", "say {text}", "-m", "x/y"});
  const CommandLine line = parse_command_line(words);
  const Settings settings({line.flags});
  check_settings(*line.command, settings);
  return read_submit_request(line, settings, k_now_ms);
}

JsonNode body_of(const SubmitRequest& request, const JobRecord& record) {
  const auto body = parse_json_document(submit_body(request, record, {{"", "/data/f.csv"}}));
  REQUIRE(body);
  return *body;
}

// As make_job_record leaves it.
JobRecord record_of(const SubmitRequest& request) {
  JobRecord record;
  record.settings = request.run.settings;
  record.messages = {{"user", request.run.settings.prompt.prompt, "--prompt"}};
  return record;
}

std::string text_at(const JsonNode& body, std::string_view key) {
  const JsonNode* found = body.find(key);
  return found == nullptr ? "absent" : found->to_json();
}

}  // namespace

TEST_CASE("what submit was told about the queue is in the request's body", "[submit]") {
  const SubmitRequest request = submit_request({"--priority",  "-5",
                                                "--after",     "job_20260102_030405_k7f3",
                                                "--after",     "job_20260102_030405_k7f4:any",
                                                "--at",        "+1h",
                                                "--tag",       "team=support",
                                                "--tag",       "night=yes",
                                                "--name",      "Tickets",
                                                "--project",   "emails",
                                                "--ask-first", "--on-limit",
                                                "ask",         "--idempotency-key",
                                                "k1",          "--wait"});
  CHECK(request.idempotency_key == "k1");
  CHECK(request.waits);
  const JsonNode body = body_of(request, record_of(request));
  CHECK(text_at(body, "priority") == "-5");
  CHECK(text_at(body, "after") == R"([{"job":"job_20260102_030405_k7f3","when":"ok"},)"
                                  R"({"job":"job_20260102_030405_k7f4","when":"any"}])");
  CHECK(text_at(body, "not_before") == R"("2026-11-21T09:00:00.000Z")");
  CHECK(text_at(body, "tags") == R"({"team":"support","night":"yes"})");
  CHECK(text_at(body, "name") == R"("Tickets")");
  CHECK(text_at(body, "project") == R"("emails")");
  CHECK(text_at(body, "approval") == "true");
  CHECK(text_at(body, "on_limit") == R"("ask")");
  CHECK(text_at(body, "inputs") == R"([{"path":"/data/f.csv"}])");
}

TEST_CASE("prompts travel as messages, the flags of run as options", "[submit]") {
  const SubmitRequest request = submit_request({"-c", "4", "--max-cost", "2.50", "-o", "out.csv"});
  JobRecord record = record_of(request);
  record.output_path = "/data/out.csv";
  record.settings.model.parameters = {{"top_p", "0.5"}};  // out of a template
  const JsonNode body = body_of(request, record);
  CHECK(text_at(body, "messages") == R"([{"role":"user","content":"say {text}"}])");
  CHECK(text_at(body, "options") ==
        R"({"concurrency":4,"max_cost":"2.50","model":"x/y","param":{"top_p":0.5}})");
  CHECK(text_at(body, "output_path") == R"("/data/out.csv")");
  CHECK(text_at(body, "not_before") == "absent");
  CHECK(text_at(body, "project") == "absent");
}

TEST_CASE("what a daemon cannot do is refused before anything is sent", "[submit]") {
  struct Case {
    Words words;
    std::string message;
  };

  const auto c = GENERATE(values<Case>({
      {{"-o", "-"}, "-o -: a queued job has no standard output"},
      {{"--key-file", "k"}, "--key-file: batchllmd reads no key from a caller's file"},
      {{"--after", "yesterday"}, "--after yesterday: no job's id"},
      {{"--after", "job_20260102_030405_k7f3:maybe"},
       "--after job_20260102_030405_k7f3:maybe: the condition is ok, any or failed"},
      {{"--priority", "101"}, "--priority 101: must be between -100 and 100"},
  }));
  CAPTURE(c.words);
  const auto error = thrown_error([&c] { submit_request(c.words); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::usage);
  CHECK(error->message() == c.message);
}

TEST_CASE("a time that has passed is no time to begin", "[submit]") {
  const auto error = thrown_error([] { submit_request({"--at", "2020-01-01 02:00"}); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::usage);
}

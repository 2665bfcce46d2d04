// SPDX-License-Identifier: Apache-2.0
#include "cli/queued_job.h"

#include "cli/job_event_view.h"
#include "core/json_text.h"
#include "tests/support/catch.h"

#include <fmt/format.h>

using namespace batchllm;

namespace {

DaemonJob job_with(const std::string& members) {
  const auto document =
      parse_json_document(fmt::format(R"({{"id":"job_20260102_030405_k7f3",{}}})", members));
  REQUIRE(document);
  return read_daemon_job(*document);
}

}  // namespace

TEST_CASE("a job that needs nobody any more has the exit code of a run", "[queued_job]") {
  struct Case {
    std::string members;
    std::optional<int> code;
  };

  const auto c = GENERATE(values<Case>({
      {R"("state":"queued","reason":"queue")", std::nullopt},
      {R"("state":"running","reason":null)", std::nullopt},
      {R"("state":"interrupted","reason":"worker_died")", std::nullopt},
      {R"("state":"succeeded","exit_code":0)", 0},
      {R"("state":"partial","exit_code":4)", 4},
      {R"("state":"partial","exit_code":0)", 0},
      {R"("state":"failed","exit_code":7)", 7},
      {R"("state":"failed","exit_code":null,"error":{"code":"key_refused","message":"no"})", 6},
      {R"("state":"cancelled","exit_code":null)", 130},
      {R"("state":"paused","reason":"user")", std::nullopt},
      {R"("state":"paused","reason":"cost_limit")", 5},
      {R"("state":"paused","reason":"disk_full")", 11},
      {R"("state":"paused","reason":"crash_limit","error":{"code":"internal","message":"x"})", 1},
      {R"("state":"waiting_input","question":{"kind":"approval","text":"Begin?"})", 12},
  }));
  CAPTURE(c.members);
  CHECK(settled_exit_code(job_with(c.members)) == c.code);
}

TEST_CASE("people are told why a job does not run", "[queued_job]") {
  CHECK(reason_text(job_with(R"("state":"queued","reason":"queue")")) == "waits for its turn");
  CHECK(reason_text(job_with(R"("state":"queued","reason":"waiting_on:job_1")")) ==
        "waits for job_1");
  CHECK_THAT(
      reason_text(job_with(
          R"("state":"queued","reason":"not_before","not_before":"2026-11-22T02:00:00.000Z")")),
      ContainsSubstring("begins at 2026-11-2"));
  CHECK_THAT(reason_text(job_with(R"("state":"paused","reason":"cost_limit")")),
             ContainsSubstring("--max-cost"));
  CHECK(reason_text(job_with(R"("state":"running","reason":null,"desired":"cancel")")) ==
        "is being cancelled");
}

TEST_CASE("the row of a list has the members of a run's and the daemon's own", "[queued_job]") {
  const std::string json = daemon_job_json(job_with(
      R"("state":"paused","reason":"user","model":"x/y","rows":{"total":9,"ok":3,"failed":1,)"
      R"("skipped":0,"done":4},"cost_usd":"0.250000","usage":{"input_tokens":7,"output_tokens":8},)"
      R"("created_at":"1970-01-01T00:00:01.000Z","tags":{"a":"b"})"));
  CHECK(is_json(json));
  CHECK(find_in_json(json, ".status")->text == "paused");
  CHECK(find_in_json(json, ".created_ms")->text == "1000");
  CHECK(find_in_json(json, ".finished_ms")->is_null);
  CHECK(find_in_json(json, ".rows.ok")->text == "3");
  CHECK(find_in_json(json, ".cost_usd")->text == "0.250000");
  CHECK(find_in_json(json, ".tokens.output")->text == "8");
  CHECK(find_in_json(json, ".daemon")->text == "true");
  CHECK(find_in_json(json, ".reason")->text == "user");
  CHECK(find_in_json(json, ".tags.a")->text == "b");
}

TEST_CASE("ticks and events move the progress", "[queued_job]") {
  ProgressSnapshot snapshot;
  const auto take = [&snapshot](const std::string& text) {
    const auto node = parse_json_document(text);
    REQUIRE(node);
    take_counts(*node, snapshot);
  };
  take(R"({"ok":5,"failed":1,"skipped":0,"rows_total":10,"cost_micro_usd":70,"in_flight":3,)"
       R"("rows_per_s":2.5})");
  CHECK(snapshot.done == 6);
  CHECK(snapshot.total == 10);
  CHECK(snapshot.in_flight == 3);
  CHECK(snapshot.rows_per_s == 2.5);
  CHECK(snapshot.cost_micro_usd == 70);
  take(R"({"seq":4,"type":"job.progress","data":{"rows_total":10,"ok":9,"failed":1,)"
       R"("skipped":0,"cost_micro_usd":90,"input_tokens":1,"output_tokens":2}})");
  CHECK(snapshot.done == 10);
  CHECK(snapshot.rows_per_s == 2.5);
  take(R"({"seq":5,"type":"job.log","data":{"level":"info","text":"ok"}})");
  CHECK(snapshot.done == 10);
}

TEST_CASE("inputs are told by the first one's name", "[queued_job]") {
  const DaemonJob job =
      job_with(R"("state":"queued","input":{"name":"tickets.csv","count":3},"name":"nightly")");
  CHECK(inputs_text(job.input, job.input_count) == "tickets.csv and 2 more");
  CHECK_THAT(daemon_job_text(job), ContainsSubstring("tickets.csv and 2 more"));
  CHECK_THAT(daemon_job_json(job),
             ContainsSubstring(R"("input":{"name":"tickets.csv","count":3})"));
  CHECK(inputs_text("a.csv", 1) == "a.csv");
}

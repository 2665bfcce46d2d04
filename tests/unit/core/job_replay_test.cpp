// SPDX-License-Identifier: Apache-2.0
#include "core/job_replay.h"

#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/support/thrown_error.h"

using namespace batchllm;
using namespace batchllm::job_event;

namespace {

JobCounts counts() {
  JobCounts counts;
  counts.rows_total = 5;
  counts.ok = 3;
  counts.failed = 1;
  counts.cost_micro_usd = 1'000'042;
  counts.input_tokens = 70;
  counts.output_tokens = 9;
  return counts;
}

Ended ended() {
  Ended event;
  event.state = JobState::failed;
  event.exit_code = 6;
  event.fault = JobFault{"key_refused", "no", ""};
  event.counts = counts();
  return event;
}

// As the API tells the job that view_of() has replayed.
constexpr std::string_view k_job = R"({"id":"job_20261121_074800_k3fz","kind":"job","name":null,
  "state":"failed","reason":"key_refused","desired":"run","priority":0,"attempt":1,"crash_count":0,
  "exit_code":6,"rows":{"total":5,"ok":3,"failed":1,"skipped":0,"done":4},"cost_usd":"1.000042",
  "usage":{"input_tokens":70,"output_tokens":9},"not_before":null,
  "error":{"code":"key_refused","message":"no"},"created_at":"1970-01-01T00:00:01.000Z",
  "started_at":"1970-01-01T00:00:02.000Z","finished_at":"1970-01-01T00:00:03.500Z",
  "last_event":3})";

JobView view_of() {
  JobView view;
  Queued queued;
  queued.reason = "queue";
  apply(view, {1, 1000, "user:1", queued});
  apply(view, {2, 2000, "scheduler", Started{1, 0, 1, "worker:1"}});
  apply(view, {3, 3500, "worker:1", ended()});
  return view;
}

}  // namespace

TEST_CASE("an event survives its document", "[job_replay]") {
  JobEvent event{3, 1'700'000'000'123, "worker:1", ended()};
  const auto type = job_event_type(event.data);
  const std::string document =
      job_event_document(event.seq, event.at_ms, type, 1, event.actor, job_event_json(event.data));
  const JobEvent read = parse_job_event_document(document);
  CHECK(read.seq == event.seq);
  CHECK(read.at_ms == event.at_ms);
  CHECK(read.actor == event.actor);
  CHECK(job_event_type(read.data) == type);
  CHECK(job_event_json(read.data) == job_event_json(event.data));
}

TEST_CASE("a document that is no event is refused", "[job_replay]") {
  const auto* document = GENERATE(
      "",
      "[]",
      R"({"at":"2026-01-01T00:00:00Z","type":"job.log","version":1,"actor":"a","data":{}})",
      R"({"seq":1,"at":"soon","type":"job.log","version":1,"actor":"a","data":{"level":"","text":""}})",
      R"({"seq":1,"at":"2026-01-01T00:00:00Z","type":"job.log","version":2,"actor":"a","data":{"level":"","text":""}})",
      R"({"seq":1,"at":"2026-01-01T00:00:00Z","type":"job.gone","version":1,"actor":"a","data":{}})",
      R"({"seq":1,"at":"2026-01-01T00:00:00Z","type":"job.log","version":1,"actor":"a"})");
  CAPTURE(document);
  const auto error = thrown_error([&] { parse_job_event_document(document); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::job_corrupt);
}

TEST_CASE("events and the job object of the API tell the same facts", "[job_replay]") {
  const auto job = parse_json_document(k_job);
  REQUIRE(job);
  const JobFacts replayed = job_facts(view_of());
  const JobFacts stored = job_facts(*job);
  CHECK(stored == replayed);
  CHECK(compare_facts(replayed, stored).empty());
}

TEST_CASE("every fact that differs is found", "[job_replay]") {
  const JobFacts replayed = job_facts(view_of());
  for (const auto& [fact, value] : replayed) {
    CAPTURE(fact);
    JobFacts stored = replayed;
    stored[fact] = "\"else\"";
    CHECK(compare_facts(replayed, stored) ==
          std::vector<FactDifference>{{fact, value, "\"else\""}});
  }
  CHECK(compare_facts(replayed, {{"rows.ok", "3"}}).empty());
  CHECK(compare_facts({}, {{"rows.ok", "3"}}) ==
        std::vector<FactDifference>{{"rows.ok", "null", "3"}});
}

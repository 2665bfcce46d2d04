// SPDX-License-Identifier: Apache-2.0
#include "core/job_event.h"

#include "core/job_view.h"
#include "core/json_document.h"
#include "tests/support/catch.h"
#include "tests/support/thrown_error.h"

#include <string>
#include <vector>

using namespace batchllm;
using namespace batchllm::job_event;

namespace {

constexpr JobCounts k_counts{100, 5, 2, 1, 1234, 500, 60};
const JobFault k_fault{"provider_failing", "it \"failed\"\n", "wait"};

Ended ended(JobState state) {
  return {state, 4, k_fault, k_counts};
}

// One of each, every member other than its default.
std::vector<JobEventData> one_of_each() {
  return {Queued{"not_before", "later", 42, -7, 2, 1},
          Started{3, 1, 9, "worker:4711"},
          Progress{k_counts},
          Paused{"cost_limit", k_fault, 2, 1, k_counts},
          Interrupted{"lease_lost", 1, 2},
          WaitingInput{{"approval", "Begin?"}, 1, 1, k_counts},
          Answered{"yes"},
          ended(JobState::succeeded),
          ended(JobState::partial),
          ended(JobState::failed),
          ended(JobState::cancelled),
          Requested{"cancel"},
          Changed{5, "name", R"({"a":"b"})", 1'000'000},
          Log{"warning", "ümlaut \x01"}};
}

const std::vector<std::string> k_types = {"job.queued",
                                          "job.started",
                                          "job.progress",
                                          "job.paused",
                                          "job.interrupted",
                                          "job.waiting_input",
                                          "job.answered",
                                          "job.succeeded",
                                          "job.partial",
                                          "job.failed",
                                          "job.cancelled",
                                          "job.requested",
                                          "job.changed",
                                          "job.log"};

bool is_refused(std::string_view type, int version, const std::string& json) {
  const auto error = thrown_error([&] { parse_job_event(type, version, json); });
  return error && error->code() == ErrorCode::job_corrupt;
}

// The object with the member left out.
std::string without(const JsonNode& object, std::string_view name) {
  std::string json = "{";
  for (const JsonMember& member : object.members()) {
    if (member.key != name) {
      json += (json.size() > 1 ? "," : "") + ("\"" + member.key + "\":") + member.value.to_json();
    }
  }
  return json + "}";
}

JobEvent event(std::int64_t seq, JobEventData data) {
  return {seq, 1000 * seq, "user:1", std::move(data)};
}

// A job after these events.
JobView view_of(const std::vector<JobEventData>& events) {
  JobView view;
  for (const JobEventData& data : events) {
    apply(view, event(view.last_seq + 1, data));
  }
  return view;
}

TEST_CASE("each payload is read as it was written", "[job_event]") {
  const auto all = one_of_each();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string json = job_event_json(all[i]);
    CAPTURE(json);
    CHECK(job_event_type(all[i]) == k_types.at(i));
    const JobEventData again = parse_job_event(k_types.at(i), k_job_event_version, json);
    CHECK(again.index() == all[i].index());
    CHECK(job_event_type(again) == k_types.at(i));
    CHECK(job_event_json(again) == json);
  }
}

TEST_CASE("members that say nothing are null, and are read so", "[job_event]") {
  const std::string json = job_event_json(Changed{});
  CHECK(json == R"({"priority":null,"name":null,"tags":null,"max_cost_micro_usd":null})");
  const auto changed = std::get<Changed>(parse_job_event("job.changed", 1, json));
  CHECK_FALSE(changed.priority);
  CHECK_FALSE(changed.name);
  const auto paused = std::get<Paused>(
      parse_job_event("job.paused", 1, job_event_json(Paused{"user", {}, 0, 0, {}})));
  CHECK_FALSE(paused.fault);
  CHECK_FALSE(paused.counts.rows_total);
}

TEST_CASE("a payload that lacks a member is refused", "[job_event]") {
  const auto all = one_of_each();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto document = parse_json_document(job_event_json(all[i]));
    REQUIRE(document);
    for (const JsonMember& member : document->members()) {
      CAPTURE(k_types.at(i), member.key);
      CHECK(is_refused(k_types.at(i), 1, without(*document, member.key)));
    }
  }
}

TEST_CASE("a payload with a member nobody knows is refused", "[job_event]") {
  const auto all = one_of_each();
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::string json = job_event_json(all[i]);
    json.insert(json.size() - 1, R"(,"surprise":1)");
    CAPTURE(json);
    CHECK(is_refused(k_types.at(i), 1, json));
  }
  std::string fault = job_event_json(ended(JobState::failed));
  fault.insert(fault.find(R"("code")"), R"("surprise":1,)");
  CHECK(is_refused("job.failed", 1, fault));
}

TEST_CASE("a payload with a member of another type is refused", "[job_event]") {
  const auto all = one_of_each();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto document = parse_json_document(job_event_json(all[i]));
    REQUIRE(document);
    for (const JsonMember& member : document->members()) {
      for (const std::string_view wrong : {"true", "[]", "1.5"}) {
        std::string json = without(*document, member.key);
        json.insert(1,
                    "\"" + member.key + "\":" + std::string(wrong) + (json.size() > 2 ? "," : ""));
        CAPTURE(k_types.at(i), json);
        CHECK(is_refused(k_types.at(i), 1, json));
      }
    }
  }
}

TEST_CASE("what is no payload of this program is refused", "[job_event]") {
  CHECK(is_refused("job.answered", 2, R"({"answer":"yes"})"));
  CHECK(is_refused("job.answered", 0, R"({"answer":"yes"})"));
  CHECK(is_refused("job.exploded", 1, "{}"));
  CHECK(is_refused("", 1, "{}"));
  CHECK(is_refused("job.answered", 1, ""));
  CHECK(is_refused("job.answered", 1, "[]"));
  CHECK(is_refused("job.answered", 1, R"({"answer":"yes"} {})"));
  const auto error =
      thrown_error([] { parse_job_event("job.answered", 2, R"({"answer":"yes"})"); });
  REQUIRE(error);
  CHECK_THAT(error->message(), ContainsSubstring("version 2"));
  CHECK_THAT(error->hint(), ContainsSubstring("newer"));
}

TEST_CASE("an event's document has its number, time, type, actor and payload", "[job_event]") {
  CHECK(job_event_document(7, 1'000, "job.answered", 1, "user:\"x\"", R"({"answer":"yes"})") ==
        R"({"seq":7,"at":"1970-01-01T00:00:01.000Z","type":"job.answered","version":1,)"
        R"("actor":"user:\"x\"","data":{"answer":"yes"}})");
}

TEST_CASE("events are taken in the order of their numbers and no other", "[job_event]") {
  JobView view;
  CHECK(thrown_error([&] { apply(view, event(2, Queued{})); }));
  CHECK(thrown_error([&] { apply(view, event(1, Started{})); }));
  CHECK(view == JobView{});
  apply(view, event(1, Queued{}));
  CHECK(thrown_error([&] { apply(view, event(1, Started{})); }));
  CHECK(thrown_error([&] { apply(view, event(3, Started{})); }));
  CHECK(view.last_seq == 1);
}

TEST_CASE("a wish nobody knows is refused", "[job_event]") {
  JobView view = view_of({Queued{}, Started{}});
  const JobView before = view;
  CHECK(thrown_error([&] { apply(view, event(3, Requested{"fly"})); }));
  CHECK(view == before);
}

TEST_CASE("a job that has ended takes nothing but log lines", "[job_event]") {
  for (const JobState end :
       {JobState::succeeded, JobState::partial, JobState::failed, JobState::cancelled}) {
    JobView view = view_of({Queued{}, Started{}, ended(end)});
    CHECK(view.state == end);
    for (const JobEventData& data : one_of_each()) {
      if (std::holds_alternative<Log>(data)) {
        continue;
      }
      CAPTURE(job_event_type(data));
      CHECK(thrown_error([&] { apply(view, event(view.last_seq + 1, data)); }));
    }
    const JobView before = view;
    apply(view, event(4, Log{"info", "bye"}));
    CHECK(view.last_seq == 4);
    view.last_seq = before.last_seq;
    CHECK(view == before);
  }
}

TEST_CASE("the view is what the events say, and stays where they say nothing", "[job_event]") {
  JobView view = view_of({Queued{"not_before", "", 99'000, 7, 0, 0}});
  CHECK(view.state == JobState::queued);
  CHECK(view.reason == "not_before");
  CHECK(view.priority == 7);
  CHECK(view.not_before_ms == 99'000);
  CHECK(view.created_ms == 1000);

  apply(view, event(2, Started{1, 1, 5, "worker:1"}));
  CHECK(view.state == JobState::running);
  CHECK(view.reason.empty());
  CHECK(view.epoch == 5);
  CHECK_FALSE(view.not_before_ms);
  CHECK(view.started_ms == 2000);

  apply(view, event(3, Progress{k_counts}));
  CHECK(view.counts == k_counts);
  CHECK(view.priority == 7);

  apply(view, event(4, Requested{"pause"}));
  CHECK(view.wish == JobWish::pause);
  apply(view, event(5, Paused{"user", std::nullopt, 0, 0, k_counts}));
  CHECK(view.state == JobState::paused);
  CHECK(view.attempt == 0);

  apply(view, event(6, Changed{3, {}, {}, {}}));
  CHECK(view.priority == 3);
  apply(view, event(7, Queued{"queue", "", {}, 3, 0, 0}));
  CHECK(view.wish == JobWish::run);
  CHECK(view.created_ms == 1000);
  CHECK(view.counts == k_counts);

  apply(view, event(8, Started{1, 1, 6, "worker:2"}));
  CHECK(view.started_ms == 2000);
  apply(view, event(9, ended(JobState::failed)));
  CHECK(view.reason == "provider_failing");
  CHECK(view.fault == k_fault);
  CHECK(view.exit_code == 4);
  CHECK(view.finished_ms == 9000);
  CHECK(view.crash_count == 0);
}

TEST_CASE("a job that does not run has a reason, unless it succeeded", "[job_event]") {
  const auto reason = [](JobState state, std::optional<JobFault> fault) {
    return view_of({Queued{}, Started{}, Ended{state, 0, std::move(fault), {}}}).reason;
  };
  CHECK(reason(JobState::succeeded, {}).empty());
  CHECK(reason(JobState::partial, {}) == "rows_failed");
  CHECK(reason(JobState::cancelled, {}) == "user");
  CHECK(reason(JobState::cancelled, k_fault) == "provider_failing");
  CHECK(reason(JobState::failed, k_fault) == "provider_failing");
}

TEST_CASE("a question and a fault are over when the job moves on", "[job_event]") {
  JobView view = view_of({Queued{}, WaitingInput{{"approval", "Begin?"}, 0, 0, {}}});
  CHECK(view.reason == "approval");
  CHECK(view.question == JobQuestion{"approval", "Begin?"});
  apply(view, event(3, Answered{"yes"}));
  CHECK(view.question);
  apply(view, event(4, Queued{}));
  CHECK_FALSE(view.question);
  view = view_of({Queued{}, Started{}, Paused{"disk_full", k_fault, 0, 0, {}}});
  CHECK(view.fault == k_fault);
  apply(view, event(4, Queued{}));
  CHECK_FALSE(view.fault);
}

}  // namespace

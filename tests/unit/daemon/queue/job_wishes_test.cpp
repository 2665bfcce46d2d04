// SPDX-License-Identifier: Apache-2.0
#include "core/job_record.h"
#include "daemon/queue/job_queue.h"
#include "tests/support/catch.h"
#include "tests/support/queue_database.h"
#include "tests/support/thrown_error.h"

#include <array>
#include <string>
#include <vector>

namespace batchllm::daemon {
namespace {

using enum JobState;
using Why = RunEnding::Why;

// A job in that state; the worker's claim, when one has it.
struct Standing {
  QueueDatabase queue;
  std::string id;
  std::optional<QueuedJob> claimed;

  QueuedJob job() { return queue.job(id); }
};

constexpr std::array k_ends = {succeeded, partial, failed, cancelled};

std::unique_ptr<Standing> in_state(JobState state) {
  auto standing = std::make_unique<Standing>();
  QueueDatabase& queue = standing->queue;
  Submission submission = a_submission();
  submission.job.policy.asks_at_limit = state == waiting_input;
  standing->id = queue.submit(submission).id;
  if (state == queued) {
    return standing;
  }
  standing->claimed = queue.claim();
  switch (state) {
    case running:
      return standing;
    case paused:
    case waiting_input:
      queue.end(*standing->claimed, faulty_run("cost_limit"));
      break;
    case interrupted:
      queue.write([&](JobTable& jobs) {
        QueuedJob job = require_job(jobs.database(), standing->id);
        jobs.database().run("UPDATE attempts SET ended_at = 1");
        jobs.record(job, job_event::Interrupted{"daemon_died", 0, 1}, JobActor::rescuer, "rescuer");
      });
      break;
    case succeeded:
      queue.end(*standing->claimed, finished_run());
      break;
    case partial:
      queue.end(*standing->claimed, partial_run());
      break;
    case failed:
      queue.end(*standing->claimed, faulty_run("key_refused"));
      break;
    default:
      queue.cancel(standing->id);
      queue.end(*standing->claimed, stopped_run(Why::cancelled));
  }
  standing->claimed.reset();
  REQUIRE(standing->job().view.state == state);
  return standing;
}

std::optional<ErrorCode> refusal(const std::function<void()>& action) {
  const auto error = thrown_error(action);
  return error ? std::optional(error->code()) : std::nullopt;
}

TEST_CASE("cancelling ends at once what nobody runs", "[job_wishes]") {
  const JobState state = GENERATE(queued, paused, interrupted, waiting_input);
  CAPTURE(job_state_name(state));
  const auto standing = in_state(state);
  const QueuedJob job = standing->queue.cancel(standing->id);
  CHECK(job.view.state == cancelled);
  CHECK(job.view.exit_code == 130);
  CHECK(job.view.finished_ms == standing->queue.now_ms);
  CHECK(standing->job().view == job.view);
}

TEST_CASE("cancelling a running job notes the wish once, and its worker ends it", "[job_wishes]") {
  const auto standing = in_state(running);
  CHECK(standing->queue.cancel(standing->id).view.state == running);
  const auto events = standing->queue.event_types(standing->id).size();
  CHECK(standing->queue.cancel(standing->id).view.wish == JobWish::cancel);
  CHECK(standing->queue.event_types(standing->id).size() == events);
  standing->queue.end(*standing->claimed, stopped_run(Why::cancelled));
  CHECK(standing->job().view.state == cancelled);
}

TEST_CASE("cancelling a job that has ended changes nothing", "[job_wishes]") {
  for (const JobState state : k_ends) {
    const auto standing = in_state(state);
    const QueuedJob before = standing->job();
    CHECK(standing->queue.cancel(standing->id).view == before.view);
    CHECK(standing->job().view == before.view);
  }
}

TEST_CASE("pausing holds what nobody runs", "[job_wishes]") {
  const JobState state = GENERATE(queued, interrupted, waiting_input);
  CAPTURE(job_state_name(state));
  const auto standing = in_state(state);
  const QueuedJob job = standing->queue.pause(standing->id);
  CHECK(job.view.state == paused);
  CHECK(job.view.reason == "user");
  CHECK_FALSE(standing->queue.claim());
  CHECK(standing->queue.resume(standing->id).view.state == queued);
  CHECK(standing->queue.claim()->id == standing->id);
}

TEST_CASE("pausing a running job notes the wish, and its worker pauses it", "[job_wishes]") {
  const auto standing = in_state(running);
  CHECK(standing->queue.pause(standing->id).view.wish == JobWish::pause);
  const auto events = standing->queue.event_types(standing->id).size();
  standing->queue.pause(standing->id);
  CHECK(standing->queue.event_types(standing->id).size() == events);
  standing->queue.end(*standing->claimed, stopped_run(Why::paused));
  const QueuedJob job = standing->job();
  CHECK(job.view.state == paused);
  CHECK(job.view.reason == "user");
  CHECK(job.view.attempt == 0);
  CHECK(job.view.counts == stopped_run(Why::paused).counts);
}

TEST_CASE("a paused job is paused once", "[job_wishes]") {
  const auto standing = in_state(queued);
  standing->queue.pause(standing->id);
  const QueuedJob before = standing->job();
  CHECK(standing->queue.pause(standing->id).view == before.view);
}

TEST_CASE("a wish to cancel is not taken back by one to pause or to go on", "[job_wishes]") {
  const auto standing = in_state(running);
  standing->queue.cancel(standing->id);
  CHECK(standing->queue.pause(standing->id).view.wish == JobWish::cancel);
  CHECK(standing->queue.resume(standing->id).view.wish == JobWish::cancel);
}

TEST_CASE("what has ended is neither paused, nor resumed, nor answered, nor changed",
          "[job_wishes]") {
  for (const JobState state : k_ends) {
    CAPTURE(job_state_name(state));
    const auto standing = in_state(state);
    QueueDatabase& queue = standing->queue;
    const QueuedJob before = standing->job();
    CHECK(refusal([&] { queue.pause(standing->id); }) == ErrorCode::job_conflict);
    CHECK(refusal([&] { queue.resume(standing->id); }) == ErrorCode::job_conflict);
    CHECK(refusal([&] { queue.answer(standing->id, "yes"); }) == ErrorCode::job_conflict);
    JobChanges changes;
    changes.max_cost_micro_usd = 1;
    CHECK(refusal([&] {
            queue.write([&](JobTable& jobs) { change_job(jobs, standing->id, changes, "user:1"); });
          }) == ErrorCode::job_conflict);
    CHECK(standing->job().view == before.view);
  }
}

TEST_CASE("what is not there is not found, whatever is asked of it", "[job_wishes]") {
  QueueDatabase queue;
  CHECK(refusal([&] { queue.cancel("job_x"); }) == ErrorCode::job_not_found);
  CHECK(refusal([&] { queue.pause("job_x"); }) == ErrorCode::job_not_found);
  CHECK(refusal([&] { queue.resume("job_x"); }) == ErrorCode::job_not_found);
  CHECK(refusal([&] { queue.answer("job_x", "yes"); }) == ErrorCode::job_not_found);
}

TEST_CASE("resuming leaves alone what is not paused", "[job_wishes]") {
  const JobState state = GENERATE(queued, running, interrupted);
  const auto standing = in_state(state);
  const QueuedJob before = standing->job();
  CHECK(standing->queue.resume(standing->id).view == before.view);
}

TEST_CASE("resuming takes back a wish to pause", "[job_wishes]") {
  const auto standing = in_state(running);
  standing->queue.pause(standing->id);
  CHECK(standing->queue.resume(standing->id).view.wish == JobWish::run);
}

TEST_CASE("resuming does not answer a question", "[job_wishes]") {
  const auto standing = in_state(waiting_input);
  CHECK(refusal([&] { standing->queue.resume(standing->id); }) == ErrorCode::job_conflict);
}

TEST_CASE("resuming with a limit puts it into the job and its record", "[job_wishes]") {
  const auto standing = in_state(paused);
  const QueuedJob job = standing->queue.resume(standing->id, 2'500'000);
  CHECK(job.view.state == queued);
  const QueuedJob stored = standing->job();
  CHECK(stored.max_cost_micro_usd == 2'500'000);
  CHECK(parse_job_record(stored.record, "test").settings.limits.max_cost_micro_usd == 2'500'000);
}

TEST_CASE("a job that wants approval asks before it begins", "[job_wishes]") {
  QueueDatabase queue;
  Submission submission = a_submission();
  submission.job.policy.wants_approval = true;
  submission.job.name = "expensive";
  const QueuedJob job = queue.submit(submission);
  CHECK(job.view.state == waiting_input);
  CHECK(job.view.reason == "approval");
  CHECK(job.view.question->text == "Begin expensive?");
  CHECK_FALSE(queue.claim());
  CHECK(refusal([&] { queue.answer(job.id, "12.50"); }) == ErrorCode::usage);
  CHECK(refusal([&] { queue.answer(job.id, ""); }) == ErrorCode::usage);
  SECTION("yes lets it run") {
    CHECK(queue.answer(job.id, "yes").view.state == queued);
    CHECK(queue.claim()->id == job.id);
    CHECK_FALSE(queue.job(job.id).policy.wants_approval);
  }
  SECTION("no cancels it") {
    CHECK(queue.answer(job.id, "no").view.state == cancelled);
    CHECK(queue.event_types(job.id).back() == "job.cancelled");
  }
}

TEST_CASE("pausing and resuming does not stand for an approval", "[job_wishes]") {
  QueueDatabase queue;
  Submission submission = a_submission();
  submission.job.policy.wants_approval = true;
  const std::string id = queue.submit(submission).id;
  CHECK(queue.pause(id).view.state == paused);
  CHECK(queue.resume(id).view.state == waiting_input);
  CHECK_FALSE(queue.claim());
  CHECK(queue.answer(id, "yes").view.state == queued);
  queue.pause(id);
  CHECK(queue.resume(id).view.state == queued);  // once is enough
}

TEST_CASE("a job that asks at its cost limit goes on under the limit it is given", "[job_wishes]") {
  const auto standing = in_state(waiting_input);
  CHECK(standing->job().view.question->kind == "cost_limit");
  CHECK(standing->queue.answer(standing->id, "12.50").view.state == queued);
  const QueuedJob job = standing->job();
  CHECK(job.max_cost_micro_usd == 12'500'000);
  CHECK(parse_job_record(job.record, "test").settings.limits.max_cost_micro_usd == 12'500'000);
  CHECK(job.view.attempt == 0);
}

TEST_CASE("a job whose limit is not raised has failed at it", "[job_wishes]") {
  const auto standing = in_state(waiting_input);
  const QueuedJob job = standing->queue.answer(standing->id, "stop");
  CHECK(job.view.state == failed);
  CHECK(job.view.reason == "cost_limit");
  CHECK(job.view.exit_code == 5);
  CHECK(job.view.counts == faulty_run("cost_limit").counts);
}

TEST_CASE("an answer that is no amount is refused and changes nothing", "[job_wishes]") {
  const auto standing = in_state(waiting_input);
  const QueuedJob before = standing->job();
  for (const char* answer :
       {"yes", "y", "", "-1", "0", "nan", "inf", "1e10", "0.0000001", "12 USD", " 1"}) {
    CAPTURE(answer);
    CHECK(refusal([&] { standing->queue.answer(standing->id, answer); }) == ErrorCode::usage);
  }
  CHECK(standing->job().view == before.view);
}

TEST_CASE("a job that asks nothing takes no answer", "[job_wishes]") {
  const JobState state = GENERATE(queued, running, paused, interrupted);
  const auto standing = in_state(state);
  CHECK(refusal([&] { standing->queue.answer(standing->id, "yes"); }) == ErrorCode::job_conflict);
}

TEST_CASE("a change is in the job, in its event, and leaves the rest alone", "[job_wishes]") {
  const JobState state = GENERATE(queued, running, paused, interrupted, waiting_input);
  const auto standing = in_state(state);
  const QueuedJob before = standing->job();
  JobChanges changes;
  changes.priority = 9;
  changes.name = "new";
  changes.tags = R"({"k":"v"})";
  changes.max_cost_micro_usd = 42;
  standing->queue.write([&](JobTable& jobs) { change_job(jobs, standing->id, changes, "user:7"); });
  const QueuedJob after = standing->job();
  CHECK(after.view.priority == 9);
  CHECK(after.name == "new");
  CHECK(after.tags == R"({"k":"v"})");
  CHECK(after.max_cost_micro_usd == 42);
  CHECK(after.view.state == before.view.state);
  CHECK(after.view.reason == before.view.reason);
  CHECK(after.owner == before.owner);
  const auto event = std::get<job_event::Changed>(standing->queue.last_event(standing->id));
  CHECK(event.name == "new");
  standing->queue.write([&](JobTable& jobs) { change_job(jobs, standing->id, {}, "user:7"); });
  CHECK(standing->job().name == "new");
}

TEST_CASE("two who change a job from the same reading do not both succeed", "[job_wishes]") {
  const auto standing = in_state(queued);
  QueuedJob mine = standing->job();
  QueuedJob theirs = standing->job();
  standing->queue.write([&](JobTable& jobs) {
    jobs.record(mine, job_event::Log{"info", "mine"}, JobActor::user, "user:1");
  });
  const auto error = thrown_error([&] {
    standing->queue.write([&](JobTable& jobs) {
      jobs.record(theirs, job_event::Log{"info", "theirs"}, JobActor::user, "user:2");
    });
  });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::job_conflict);
  CHECK(standing->queue.event_types(standing->id).size() == 2);
}

TEST_CASE("a move that the table does not have is refused and writes nothing", "[job_wishes]") {
  const auto standing = in_state(queued);
  job_event::Ended data;
  data.state = succeeded;
  const auto error = thrown_error([&] {
    standing->queue.write([&](JobTable& jobs) {
      QueuedJob job = require_job(jobs.database(), standing->id);
      jobs.record(job, data, JobActor::owner, "worker:1");
    });
  });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::job_conflict);
  CHECK(standing->job().view.state == queued);
  CHECK(standing->queue.event_types(standing->id).size() == 1);
}

}  // namespace
}  // namespace batchllm::daemon

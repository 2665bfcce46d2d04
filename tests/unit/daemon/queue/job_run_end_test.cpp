// SPDX-License-Identifier: Apache-2.0
#include "daemon/queue/job_leases.h"
#include "tests/support/catch.h"
#include "tests/support/queue_database.h"
#include "tests/support/thrown_error.h"

#include <string>
#include <vector>

namespace batchllm::daemon {
namespace {

using enum JobState;
using Why = RunEnding::Why;

// A job that a worker has.
QueuedJob running_job(QueueDatabase& queue, Submission submission = a_submission()) {
  queue.submit(std::move(submission));
  auto job = queue.claim();
  REQUIRE(job);
  return *std::move(job);
}

// Waits as long as it takes, then claims.
QueuedJob claim_again(QueueDatabase& queue) {
  queue.now_ms += queue.backoff.most_ms;
  queue.release_due();
  auto job = queue.claim();
  REQUIRE(job);
  return *std::move(job);
}

std::string outcome(QueueDatabase& queue, const QueuedJob& job) {
  return queue.database()
      .string("SELECT outcome FROM attempts WHERE job_id = ? AND epoch = ?", job.id, job.view.epoch)
      .value_or("");
}

TEST_CASE("a run that came to its end ends its job", "[job_run_end]") {
  QueueDatabase queue;
  const QueuedJob whole = running_job(queue);
  queue.now_ms += 5;
  CHECK(queue.end(whole, finished_run())->view.state == succeeded);
  const JobView view = queue.job(whole.id).view;
  CHECK(view.reason.empty());
  CHECK(view.exit_code == 0);
  CHECK(view.crash_count == 0);
  CHECK(view.counts == finished_run().counts);
  CHECK(view.finished_ms == queue.now_ms);
  CHECK(outcome(queue, whole) == "succeeded");

  const QueuedJob some = running_job(queue);
  CHECK(queue.end(some, partial_run())->view.state == partial);
  CHECK(queue.job(some.id).view.exit_code == 4);
  CHECK(outcome(queue, some) == "partial");
}

TEST_CASE("a fault of the job itself ends it", "[job_run_end]") {
  QueueDatabase queue;
  for (const char* code : {"key_refused",
                           "input_missing",
                           "failure_limit",
                           "model_unknown",
                           "output_exists",
                           "job_corrupt"}) {
    CAPTURE(code);
    const QueuedJob job = running_job(queue);
    queue.end(job, faulty_run(code));
    const JobView view = queue.job(job.id).view;
    CHECK(view.state == failed);
    CHECK(view.reason == code);
    CHECK(view.fault == faulty_run(code).fault);
    CHECK(outcome(queue, job) == code);
  }
}

TEST_CASE("a fault that may pass is tried again, each time after twice as long", "[job_run_end]") {
  QueueDatabase queue;
  Submission submission = a_submission();
  submission.job.policy.max_attempts = 4;
  QueuedJob job = running_job(queue, submission);
  for (std::int64_t attempt = 1; attempt < 4; ++attempt) {
    CHECK(job.view.attempt == attempt);
    queue.end(job, faulty_run("provider_unreachable"));
    const QueuedJob waiting = queue.job(job.id);
    CHECK(waiting.view.state == queued);
    CHECK(waiting.view.reason == "provider_unreachable");
    CHECK(waiting.view.crash_count == 0);
    const std::int64_t wait_ms = queue.backoff.first_ms << (attempt - 1);
    CHECK(waiting.view.not_before_ms == queue.now_ms + wait_ms);
    CHECK(waiting.view.counts == faulty_run("provider_unreachable").counts);
    queue.now_ms += wait_ms - 1;
    CHECK(queue.release_due() == 0);
    CHECK_FALSE(queue.claim());
    queue.now_ms += 1;
    CHECK(queue.release_due() == 1);
    job = *queue.claim();
  }
  queue.end(job, faulty_run("provider_unreachable"));
  CHECK(queue.job(job.id).view.state == failed);
  CHECK(queue.job(job.id).view.reason == "provider_unreachable");
}

TEST_CASE("what may pass is the provider, the disk and another process", "[job_run_end]") {
  for (const char* code :
       {"provider_unreachable", "provider_failing", "quota_exhausted", "job_locked", "storage"}) {
    CAPTURE(code);
    QueueDatabase queue;
    const QueuedJob job = running_job(queue);
    queue.end(job, faulty_run(code));
    CHECK(queue.job(job.id).view.state == queued);
    CHECK(queue.job(job.id).view.reason == code);
  }
}

TEST_CASE("the wait before another attempt doubles up to its limit", "[job_run_end]") {
  const Backoff backoff{100, 1000};
  CHECK(backoff.after(0) == 100);
  CHECK(backoff.after(1) == 100);
  CHECK(backoff.after(2) == 200);
  CHECK(backoff.after(4) == 800);
  CHECK(backoff.after(5) == 1000);
  CHECK(backoff.after(1'000'000) == 1000);
}

TEST_CASE("a cost limit pauses the job, or asks when the job asks there", "[job_run_end]") {
  QueueDatabase queue;
  const QueuedJob stops = running_job(queue);
  queue.end(stops, faulty_run("cost_limit"));
  JobView view = queue.job(stops.id).view;
  CHECK(view.state == paused);
  CHECK(view.reason == "cost_limit");
  CHECK(view.attempt == 0);
  CHECK(view.fault == faulty_run("cost_limit").fault);

  Submission submission = a_submission();
  submission.job.policy.asks_at_limit = true;
  const QueuedJob asks = running_job(queue, submission);
  queue.end(asks, faulty_run("cost_limit"));
  view = queue.job(asks.id).view;
  CHECK(view.state == waiting_input);
  CHECK(view.question->kind == "cost_limit");
  CHECK(view.attempt == 0);
  CHECK(view.counts == faulty_run("cost_limit").counts);
}

TEST_CASE("a full disk pauses jobs until there is room", "[job_run_end]") {
  QueueDatabase queue;
  const QueuedJob job = running_job(queue);
  const QueuedJob by_hand = queue.submit();
  queue.pause(by_hand.id);
  queue.end(job, faulty_run("storage_full"));
  CHECK(queue.job(job.id).view.reason == "disk_full");
  CHECK(queue.job(job.id).view.attempt == 0);
  queue.write([](JobTable& jobs) { resume_after_full_disk(jobs); });
  CHECK(queue.job(job.id).view.state == queued);
  CHECK(queue.job(by_hand.id).view.state == paused);
  CHECK(queue.claim()->id == job.id);
}

TEST_CASE("a job that somebody paused does not go on when there is room", "[job_run_end]") {
  QueueDatabase queue;
  const QueuedJob before = running_job(queue);
  queue.pause(before.id);
  queue.end(before, faulty_run("storage_full"));
  const QueuedJob after = running_job(queue);
  queue.end(after, faulty_run("storage_full"));
  CHECK(queue.pause(after.id).view.reason == "user");
  queue.write([](JobTable& jobs) { resume_after_full_disk(jobs); });
  for (const std::string& id : {before.id, after.id}) {
    const JobView view = queue.job(id).view;
    CHECK(view.state == paused);
    CHECK(view.reason == "user");
    CHECK(view.fault == faulty_run("storage_full").fault);
  }
}

TEST_CASE("a job that was to be paused is not tried again by itself", "[job_run_end]") {
  QueueDatabase queue;
  const QueuedJob job = running_job(queue);
  queue.pause(job.id);
  queue.end(job, faulty_run("provider_unreachable"));
  CHECK(queue.job(job.id).view.state == paused);
  CHECK(queue.job(job.id).view.reason == "user");
  const QueuedJob hopeless = running_job(queue);
  queue.pause(hopeless.id);
  queue.end(hopeless, faulty_run("key_refused"));
  CHECK(queue.job(hopeless.id).view.state == failed);
}

TEST_CASE("a run that was stopped for a pause keeps its counts and its attempt", "[job_run_end]") {
  QueueDatabase queue;
  const QueuedJob job = running_job(queue);
  queue.pause(job.id);
  queue.end(job, stopped_run(Why::paused));
  const JobView view = queue.job(job.id).view;
  CHECK(view.state == paused);
  CHECK(view.attempt == 0);
  CHECK(view.crash_count == 0);
  CHECK(view.counts == stopped_run(Why::paused).counts);
  CHECK(outcome(queue, job) == "paused");
}

TEST_CASE("a pause that was taken back while the run stopped costs no attempt", "[job_run_end]") {
  QueueDatabase queue;
  const QueuedJob job = running_job(queue);
  queue.pause(job.id);
  queue.resume(job.id);
  queue.end(job, stopped_run(Why::paused));
  const QueuedJob waiting = queue.job(job.id);
  CHECK(waiting.view.state == queued);
  CHECK_FALSE(waiting.is_held);
  CHECK(waiting.view.attempt == 0);
  CHECK(waiting.view.counts == stopped_run(Why::paused).counts);
}

TEST_CASE("a shutdown charges neither an attempt nor a crash", "[job_run_end]") {
  QueueDatabase queue;
  QueuedJob job = running_job(queue);
  for (int i = 0; i < 5; ++i) {
    queue.end(job, stopped_run(Why::shut_down));
    const QueuedJob waiting = queue.job(job.id);
    CHECK(waiting.view.state == queued);
    CHECK(waiting.view.attempt == 0);
    CHECK(waiting.view.crash_count == 0);
    CHECK_FALSE(waiting.is_held);
    CHECK(waiting.view.counts == stopped_run(Why::shut_down).counts);
    CHECK(outcome(queue, job) == "daemon_stopped");
    job = *queue.claim();
  }
  CHECK(job.view.epoch == 6);
}

TEST_CASE("a wish is fulfilled even when the daemon stops first", "[job_run_end]") {
  QueueDatabase queue;
  const QueuedJob first = running_job(queue);
  queue.pause(first.id);
  queue.end(first, stopped_run(Why::shut_down));
  CHECK(queue.job(first.id).view.state == paused);
  const QueuedJob second = running_job(queue);
  queue.cancel(second.id);
  queue.end(second, stopped_run(Why::shut_down));
  CHECK(queue.job(second.id).view.state == cancelled);
}

TEST_CASE("a job that is cancelled while it stops for a pause is cancelled", "[job_run_end]") {
  QueueDatabase queue;
  const QueuedJob job = running_job(queue);
  queue.pause(job.id);
  queue.cancel(job.id);
  queue.end(job, stopped_run(Why::paused));
  CHECK(queue.job(job.id).view.state == cancelled);
}

TEST_CASE("a job that was to be cancelled and failed is cancelled", "[job_run_end]") {
  for (const char* code : {"key_refused", "cost_limit", "storage_full", "provider_unreachable"}) {
    QueueDatabase queue;
    const QueuedJob job = running_job(queue);
    queue.cancel(job.id);
    queue.end(job, faulty_run(code));
    CHECK(queue.job(job.id).view.state == cancelled);
  }
}

TEST_CASE("a job that was to be cancelled but had come to its end has succeeded", "[job_run_end]") {
  QueueDatabase queue;
  const QueuedJob job = running_job(queue);
  queue.cancel(job.id);
  queue.end(job, finished_run());
  CHECK(queue.job(job.id).view.state == succeeded);
}

TEST_CASE("a job whose worker died goes on after a while, its attempt not charged",
          "[job_run_end]") {
  QueueDatabase queue;
  const QueuedJob job = running_job(queue);
  queue.rescue(job, "lease_lost");
  const QueuedJob waiting = queue.job(job.id);
  CHECK(waiting.view.state == queued);
  CHECK(waiting.view.reason == "lease_lost");
  CHECK(waiting.view.attempt == 0);
  CHECK(waiting.view.crash_count == 1);
  CHECK(waiting.view.not_before_ms == queue.now_ms + queue.backoff.first_ms);
  CHECK(outcome(queue, job) == "lease_lost");
  CHECK(queue.event_types(job.id) ==
        std::vector<std::string>{"job.queued", "job.started", "job.interrupted", "job.queued"});
}

TEST_CASE("a job that takes its workers down is set aside at the third", "[job_run_end]") {
  QueueDatabase queue;
  QueuedJob job = running_job(queue);
  for (std::int64_t crash = 1; crash < k_crash_limit; ++crash) {
    queue.rescue(job);
    CHECK(queue.job(job.id).view.state == queued);
    job = claim_again(queue);
  }
  queue.rescue(job);
  const JobView view = queue.job(job.id).view;
  CHECK(view.state == paused);
  CHECK(view.reason == "crash_limit");
  CHECK(view.fault);
  CHECK_FALSE(queue.claim());

  // Who resumes it gives it as many again.
  CHECK(queue.resume(job.id).view.crash_count == 0);
  queue.rescue(*queue.claim());
  CHECK(queue.job(job.id).view.state == queued);
}

TEST_CASE("a worker that was ended with its daemon is no crash of its job", "[job_run_end]") {
  QueueDatabase queue;
  QueuedJob job = running_job(queue);
  for (std::int64_t i = 0; i <= k_crash_limit; ++i) {
    queue.rescue(job, "daemon_stopped");
    const QueuedJob waiting = queue.job(job.id);
    CHECK(waiting.view.state == queued);
    CHECK(waiting.view.attempt == 0);
    CHECK(waiting.view.crash_count == 0);
    CHECK_FALSE(waiting.is_held);
    job = *queue.claim();
  }
}

TEST_CASE("crashes count in a row: a clean end of a run clears them", "[job_run_end]") {
  QueueDatabase queue;
  QueuedJob job = running_job(queue);
  for (int i = 0; i < 3; ++i) {
    queue.rescue(job);
    job = claim_again(queue);
    queue.end(job, faulty_run("provider_unreachable"));
    CHECK(queue.job(job.id).view.crash_count == 0);
    job = claim_again(queue);
  }
}

TEST_CASE("a wish is fulfilled when the worker dies", "[job_run_end]") {
  QueueDatabase queue;
  const QueuedJob first = running_job(queue);
  queue.pause(first.id);
  queue.rescue(first);
  CHECK(queue.job(first.id).view.state == paused);
  CHECK(queue.job(first.id).view.reason == "user");
  const QueuedJob second = running_job(queue);
  queue.cancel(second.id);
  queue.rescue(second);
  CHECK(queue.job(second.id).view.state == cancelled);
}

TEST_CASE("a job that was found interrupted goes back to the queue", "[job_run_end]") {
  QueueDatabase queue;
  const QueuedJob job = running_job(queue);
  queue.write([&](JobTable& jobs) {
    QueuedJob found = require_job(jobs.database(), job.id);
    jobs.database().run("UPDATE attempts SET ended_at = 1");
    jobs.record(found, job_event::Interrupted{"daemon_died", 0, 1}, JobActor::rescuer, "rescuer");
  });
  queue.write([&](JobTable& jobs) { requeue_interrupted(jobs, job.id); });
  CHECK(queue.job(job.id).view.state == queued);
  const QueuedJob before = queue.job(job.id);
  queue.write([&](JobTable& jobs) {
    requeue_interrupted(jobs, job.id);  // again: nothing to do
    requeue_interrupted(jobs, "job_x");
  });
  CHECK(queue.job(job.id).view == before.view);
}

}  // namespace
}  // namespace batchllm::daemon

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

constexpr std::int64_t k_minute_ms = 60'000;
constexpr std::int64_t k_hour_ms = 60 * k_minute_ms;

QueuedJob submit_with(QueueDatabase& queue,
                      std::int64_t priority,
                      const std::string& project = "default") {
  Submission submission = a_submission(project);
  submission.priority = priority;
  return queue.submit(submission);
}

// The jobs in the order in which they are claimed, by index.
std::vector<std::size_t> claim_order(QueueDatabase& queue, const std::vector<std::string>& ids) {
  std::vector<std::size_t> order;
  while (const auto job = queue.claim()) {
    order.push_back(
        static_cast<std::size_t>(std::find(ids.begin(), ids.end(), job->id) - ids.begin()));
  }
  return order;
}

bool note(QueueDatabase& queue, const QueuedJob& job, const JobCounts& counts, bool is_kept) {
  return queue.write([&](JobTable& jobs) {
    return note_progress(
        jobs, job.id, job.view.epoch, queue.now_ms + k_test_lease_ms, counts, is_kept);
  });
}

bool say(QueueDatabase& queue, const QueuedJob& job) {
  return queue.write([&](JobTable& jobs) {
    return note_text(jobs, job.id, job.view.epoch, "worker:1", "warning", "look at this");
  });
}

TEST_CASE("nothing is claimed where nothing waits", "[job_leases]") {
  QueueDatabase queue;
  CHECK_FALSE(queue.claim());
  queue.submit();
  CHECK_FALSE(queue.claim("worker:1", JobKind::task));
  CHECK(queue.claim());
  CHECK_FALSE(queue.claim());
}

// A row that grows moves its neighbours to other pages, which costs more than the claim.
TEST_CASE("a claim does not write anew what no event changes", "[job_leases]") {
  QueueDatabase queue;
  const std::string id = queue.submit().id;
  queue.database().run("UPDATE jobs SET policy = '{}' WHERE id = ?", id);
  REQUIRE(queue.claim());
  CHECK(queue.database().string("SELECT policy FROM jobs WHERE id = ?", id) == "{}");
}

TEST_CASE("a claim gives a lease, a new fencing number and an attempt", "[job_leases]") {
  QueueDatabase queue;
  const std::string id = queue.submit().id;
  const auto job = queue.claim("worker:7");
  REQUIRE(job);
  CHECK(job->id == id);
  CHECK(job->view.state == running);
  CHECK(job->view.epoch == 1);
  CHECK(job->view.attempt == 1);
  CHECK(job->view.crash_count == 1);
  CHECK(job->view.started_ms == queue.now_ms);
  const QueuedJob stored = queue.job(id);
  CHECK(stored.owner == "worker:7");
  CHECK(stored.lease_until_ms == queue.now_ms + k_test_lease_ms);
  CHECK(queue.database().string("SELECT worker FROM attempts WHERE job_id = ? AND epoch = 1", id) ==
        "worker:7");
}

TEST_CASE("jobs of equal priority are claimed as they came", "[job_leases]") {
  QueueDatabase queue;
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    ids.push_back(submit_with(queue, 0).id);  // all in the same millisecond
  }
  CHECK(claim_order(queue, ids) == std::vector<std::size_t>{0, 1, 2, 3, 4});
}

TEST_CASE("higher priorities go first until others have waited long enough", "[job_leases]") {
  QueueDatabase queue;
  std::vector<std::string> ids;
  ids.push_back(submit_with(queue, 0).id);
  ids.push_back(submit_with(queue, -1).id);
  ids.push_back(submit_with(queue, 2).id);
  queue.now_ms += 5 * k_minute_ms - 1;
  ids.push_back(submit_with(queue, 1).id);  // one step above, not yet five minutes younger
  queue.now_ms += 2;
  ids.push_back(submit_with(queue, 1).id);  // more than five minutes younger
  CHECK(claim_order(queue, ids) == std::vector<std::size_t>{2, 3, 0, 4, 1});
}

TEST_CASE("a changed priority changes the turn", "[job_leases]") {
  QueueDatabase queue;
  const std::vector<std::string> ids = {queue.submit().id, queue.submit().id};
  JobChanges changes;
  changes.priority = 1;
  queue.write([&](JobTable& jobs) { change_job(jobs, ids[1], changes, "user:1"); });
  CHECK(claim_order(queue, ids) == std::vector<std::size_t>{1, 0});
}

TEST_CASE("the project with the fewest running jobs goes first, whatever the priorities",
          "[job_leases]") {
  QueueDatabase queue;
  queue.add_project("small", std::nullopt);
  std::vector<std::string> ids;
  for (int i = 0; i < 4; ++i) {
    ids.push_back(submit_with(queue, 100).id);
  }
  ids.push_back(submit_with(queue, -100, "small").id);
  ids.push_back(submit_with(queue, -100, "small").id);
  CHECK(claim_order(queue, ids) == std::vector<std::size_t>{0, 4, 1, 5, 2, 3});
}

TEST_CASE("a project has no more running than it may", "[job_leases]") {
  QueueDatabase queue;
  queue.add_project("two", 2);
  queue.add_project("none", 0);
  for (int i = 0; i < 3; ++i) {
    submit_with(queue, 0, "two");
  }
  submit_with(queue, 0, "none");
  const auto first = queue.claim();
  CHECK(has_job_to_claim(queue.database(), JobKind::job));
  CHECK(queue.claim());
  CHECK_FALSE(has_job_to_claim(queue.database(), JobKind::job));
  CHECK_FALSE(queue.claim());
  queue.end(*first, finished_run());
  CHECK(queue.claim()->project == "two");
  CHECK_FALSE(queue.claim());
}

TEST_CASE("tasks and jobs do not take each other's places", "[job_leases]") {
  QueueDatabase queue;
  queue.add_project("one", 1);
  Submission task = a_submission("one");
  task.job.kind = JobKind::task;
  queue.submit(task);
  submit_with(queue, 0, "one");
  CHECK(queue.claim("worker:1", JobKind::task)->kind == JobKind::task);
  CHECK_FALSE(queue.claim("worker:1", JobKind::process));
  CHECK(queue.claim("worker:2", JobKind::job)->kind == JobKind::job);
}

TEST_CASE("a sign of life extends the lease, and with progress it is an event", "[job_leases]") {
  QueueDatabase queue;
  queue.submit();
  const auto job = queue.claim();
  queue.now_ms += 10'000;
  CHECK(note(queue, *job, {}, false));
  CHECK(queue.job(job->id).lease_until_ms == queue.now_ms + k_test_lease_ms);
  CHECK(queue.event_types(job->id).size() == 2);
  queue.now_ms += 10'000;
  const JobCounts counts{10, 1, 1, 1, 5, 6, 7};
  CHECK(note(queue, *job, counts, true));
  CHECK(queue.job(job->id).view.counts == counts);
  CHECK(queue.job(job->id).lease_until_ms == queue.now_ms + k_test_lease_ms);
  CHECK(queue.event_types(job->id).back() == "job.progress");
}

TEST_CASE("what a worker says for people is kept, also when its run has just ended",
          "[job_leases]") {
  QueueDatabase queue;
  queue.submit();
  const auto job = queue.claim();
  CHECK(say(queue, *job));
  const auto log = std::get<job_event::Log>(queue.last_event(job->id));
  CHECK(log.level == "warning");
  CHECK(log.text == "look at this");
  queue.end(*job, finished_run());
  CHECK(say(queue, *job));
  CHECK(queue.job(job->id).view.state == succeeded);
}

TEST_CASE("what a worker says with an older fencing number does not count", "[job_leases]") {
  QueueDatabase queue;
  queue.submit();
  const auto stale = queue.claim("worker:1");
  queue.rescue(*stale);
  const auto is_without_effect = [&] {
    const QueuedJob before = queue.job(stale->id);
    CHECK_FALSE(note(queue, *stale, {9, 9, 0, 0, 9, 9, 9}, true));
    CHECK_FALSE(note(queue, *stale, {9, 9, 0, 0, 9, 9, 9}, false));
    for (const Why why : {Why::finished, Why::paused, Why::cancelled, Why::shut_down}) {
      CHECK_FALSE(queue.end(*stale, stopped_run(why)));
    }
    CHECK_FALSE(queue.end(*stale, faulty_run("cost_limit")));
    CHECK_FALSE(queue.rescue(*stale));
    const QueuedJob after = queue.job(stale->id);
    CHECK(after.view == before.view);
    CHECK(after.lease_until_ms == before.lease_until_ms);
  };
  is_without_effect();  // while it waits
  queue.now_ms += queue.backoff.most_ms;
  queue.release_due();
  const auto fresh = queue.claim("worker:2");
  REQUIRE(fresh->view.epoch == 2);
  is_without_effect();  // while another has it
  CHECK_FALSE(say(queue, *stale));
  queue.end(*fresh, finished_run());
  is_without_effect();  // when another has ended it
  CHECK_FALSE(say(queue, *stale));
  CHECK(queue.job(stale->id).view.counts == finished_run().counts);
}

TEST_CASE("a worker's word for a job that is not there does not count", "[job_leases]") {
  QueueDatabase queue;
  queue.submit();
  auto job = *queue.claim();
  job.id = "job_x";
  CHECK_FALSE(note(queue, job, {}, true));
  CHECK_FALSE(note(queue, job, {}, false));
  CHECK_FALSE(queue.end(job, finished_run()));
  CHECK_FALSE(queue.rescue(job));
  CHECK_FALSE(say(queue, job));
}

TEST_CASE("jobs are released when their time has come, a few at a time", "[job_leases]") {
  QueueDatabase queue;
  const std::int64_t start = queue.now_ms;
  for (int i = 1; i <= 5; ++i) {
    Submission submission = a_submission();
    submission.not_before_ms = start + i * 1000;
    queue.submit(submission);
  }
  CHECK(next_due_ms(queue.database()) == start + 1000);
  CHECK(queue.release_due() == 0);
  queue.now_ms = start + 4000;
  CHECK(queue.release_due(3) == 3);
  CHECK(next_due_ms(queue.database()) == start + 4000);
  CHECK(queue.release_due(3) == 1);
  CHECK(next_due_ms(queue.database()) == start + 5000);
  int claimed = 0;
  while (const auto job = queue.claim()) {
    CHECK_FALSE(job->view.not_before_ms);
    ++claimed;
  }
  CHECK(claimed == 4);
}

TEST_CASE("a job that waits for another is not due, whatever its time", "[job_leases]") {
  QueueDatabase queue;
  Submission submission = a_submission();
  submission.after = {{queue.submit().id, DependencyCondition::any}};
  submission.not_before_ms = queue.now_ms + 1;
  queue.submit(submission);
  queue.now_ms += 2;
  CHECK_FALSE(next_due_ms(queue.database()));
  CHECK(queue.release_due() == 0);
}

TEST_CASE("a clock that jumps neither loses nor repeats what is due", "[job_leases]") {
  const std::int64_t jump = GENERATE(24 * k_hour_ms, -24 * k_hour_ms, k_hour_ms, -k_hour_ms);
  QueueDatabase queue;
  const std::int64_t due = queue.now_ms + 10 * k_minute_ms;
  Submission submission = a_submission();
  submission.not_before_ms = due;
  const std::string id = queue.submit(submission).id;
  queue.now_ms += jump;
  const bool is_due = queue.now_ms >= due;
  CHECK(queue.release_due() == int{is_due});
  CHECK(queue.release_due() == 0);
  CHECK(queue.claim().has_value() == is_due);
  queue.now_ms = due;
  CHECK(queue.release_due() == int{!is_due});
  CHECK(queue.claim().has_value() != is_due);
  CHECK(queue.job(id).view.epoch == 1);
}

TEST_CASE("a clock that was set back does not hurry a job that waits to be tried again",
          "[job_leases]") {
  QueueDatabase queue;
  queue.submit();
  queue.end(*queue.claim(), faulty_run("provider_unreachable"));
  queue.now_ms -= k_hour_ms;
  CHECK(queue.release_due() == 0);
  CHECK_FALSE(queue.claim());
  queue.now_ms += k_hour_ms + queue.backoff.first_ms;
  CHECK(queue.release_due() == 1);
  CHECK(queue.claim());
}

}  // namespace
}  // namespace batchllm::daemon

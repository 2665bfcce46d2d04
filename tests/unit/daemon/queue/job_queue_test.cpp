// SPDX-License-Identifier: Apache-2.0
#include "daemon/queue/job_queue.h"

#include "core/job_id.h"
#include "daemon/queue/file_table.h"
#include "tests/support/catch.h"
#include "tests/support/queue_database.h"
#include "tests/support/thrown_error.h"

#include <string>
#include <vector>

namespace batchllm::daemon {
namespace {

using enum JobState;
using Condition = DependencyCondition;

// Brings the job to that end.
void end_as(QueueDatabase& queue, const std::string& id, JobState state) {
  if (state == cancelled) {
    queue.cancel(id);
    return;
  }
  const auto claimed = queue.claim();
  REQUIRE(claimed);
  REQUIRE(claimed->id == id);
  queue.end(*claimed,
            state == succeeded ? finished_run()
                               : (state == partial ? partial_run() : faulty_run("key_refused")));
  REQUIRE(queue.job(id).view.state == state);
}

TEST_CASE("a submitted job has an id of its own and waits for its turn", "[job_queue]") {
  QueueDatabase queue;
  const QueuedJob first = queue.submit();
  const QueuedJob second = queue.submit();
  CHECK(is_job_id(first.id));
  CHECK(first.id != second.id);
  CHECK(second.number > first.number);
  const QueuedJob stored = queue.job(first.id);
  CHECK(stored.view.state == queued);
  CHECK(stored.view.reason == "queue");
  CHECK(stored.view.created_ms == queue.now_ms);
  CHECK_FALSE(stored.is_held);
  CHECK(queue.event_types(first.id) == std::vector<std::string>{"job.queued"});
  queue.check_file();
}

TEST_CASE("what a submission says of a job is what is stored", "[job_queue]") {
  QueueDatabase queue;
  Submission submission = a_submission();
  QueuedJob& job = submission.job;
  job.kind = JobKind::task;
  job.name = "it's a name";
  job.tags = R"({"a":"b"})";
  job.lane = "here";
  job.concurrency = 7;
  job.max_cost_micro_usd = 5;
  job.output_path = "/tmp/out.csv";
  job.policy = {false, true, 9, true, {"timeout", "refused"}, true, true, "summarize"};
  job.retry_of = "job_1";
  job.schedule_id = "schedule_1";
  job.fire_at_ms = 77;
  submission.priority = -100;
  const QueuedJob stored = queue.job(queue.submit(submission).id);
  CHECK(stored.kind == JobKind::task);
  CHECK(stored.name == job.name);
  CHECK(stored.tags == job.tags);
  CHECK(stored.lane == "here");
  CHECK(stored.concurrency == 7);
  CHECK(stored.max_cost_micro_usd == 5);
  CHECK(stored.output_path == job.output_path);
  CHECK(stored.policy == job.policy);
  CHECK(stored.retry_of == "job_1");
  CHECK(stored.schedule_id == "schedule_1");
  CHECK(stored.view.priority == -100);
  CHECK(stored.record == job.record);
  CHECK(queue.database().integer("SELECT fire_at FROM jobs WHERE id = ?", stored.id) == 77);
}

TEST_CASE("a schedule's slot is taken once", "[job_queue]") {
  QueueDatabase queue;
  Submission submission = a_submission();
  submission.job.schedule_id = "schedule_1";
  submission.job.fire_at_ms = 77;
  queue.submit(submission);
  CHECK(thrown_error([&] { queue.submit(submission); }));
  submission.job.fire_at_ms = 78;
  CHECK_FALSE(thrown_error([&] { queue.submit(submission); }));
}

TEST_CASE("a job that begins later is held until then", "[job_queue]") {
  QueueDatabase queue;
  Submission submission = a_submission();
  submission.not_before_ms = queue.now_ms + 1;
  const QueuedJob job = queue.submit(submission);
  CHECK(job.is_held);
  CHECK(job.view.reason == "not_before");
  CHECK_FALSE(queue.claim());
  submission.not_before_ms = queue.now_ms;
  CHECK_FALSE(queue.submit(submission).is_held);
}

TEST_CASE("a job waits for another until that ended as it must", "[job_queue]") {
  struct Case {
    Condition condition;
    JobState ends_as;
    bool runs;
  };

  const auto& c = GENERATE(values<Case>({{Condition::ok, succeeded, true},
                                         {Condition::ok, partial, false},
                                         {Condition::ok, failed, false},
                                         {Condition::ok, cancelled, false},
                                         {Condition::any, succeeded, true},
                                         {Condition::any, partial, true},
                                         {Condition::any, failed, true},
                                         {Condition::any, cancelled, true},
                                         {Condition::not_ok, succeeded, false},
                                         {Condition::not_ok, partial, true},
                                         {Condition::not_ok, failed, true},
                                         {Condition::not_ok, cancelled, true}}));
  CAPTURE(static_cast<int>(c.condition), job_state_name(c.ends_as));
  QueueDatabase queue;
  const QueuedJob first = queue.submit();
  const QueuedJob second = queue.submit_after(first.id, c.condition);
  CHECK(second.is_held);
  CHECK(second.view.reason == "waiting_on:" + first.id);
  end_as(queue, first.id, c.ends_as);
  const QueuedJob after = queue.job(second.id);
  if (c.runs) {
    CHECK(after.view.state == queued);
    CHECK(after.view.reason == "queue");
    CHECK_FALSE(after.is_held);
    CHECK(queue.claim()->id == second.id);
  } else {
    CHECK(after.view.state == cancelled);
    CHECK(after.view.reason == "dependency_failed");
    REQUIRE(after.view.fault);
    CHECK_THAT(after.view.fault->message, ContainsSubstring(first.id));
  }

  // The same when the first had ended before the second came.
  const auto refused = thrown_error([&] { queue.submit_after(first.id, c.condition); });
  CHECK(refused.has_value() != c.runs);
  if (refused) {
    CHECK(refused->code() == ErrorCode::job_conflict);
    CHECK_THAT(refused->message(), ContainsSubstring(std::string(job_state_name(c.ends_as))));
  }
}

TEST_CASE("a job waits for all that it names, and then for its time", "[job_queue]") {
  QueueDatabase queue;
  const QueuedJob a = queue.submit();
  const QueuedJob b = queue.submit();
  Submission submission = a_submission();
  submission.after = {{a.id, Condition::ok}, {b.id, Condition::any}};
  submission.not_before_ms = queue.now_ms + 60'000;
  const std::string id = queue.submit(submission).id;
  end_as(queue, a.id, succeeded);
  CHECK(queue.job(id).view.reason == "waiting_on:" + b.id);
  end_as(queue, b.id, succeeded);
  CHECK(queue.job(id).view.reason == "not_before");
  CHECK(queue.job(id).is_held);
  queue.now_ms += 60'000;
  CHECK(queue.release_due() == 1);
  CHECK(queue.claim()->id == id);
}

TEST_CASE("a time that came while a job waited for another holds it no longer", "[job_queue]") {
  QueueDatabase queue;
  const QueuedJob first = queue.submit();
  Submission submission = a_submission();
  submission.after = {{first.id, Condition::ok}};
  submission.not_before_ms = queue.now_ms + 60'000;
  const std::string id = queue.submit(submission).id;
  queue.now_ms += 120'000;
  CHECK(queue.release_due() == 0);
  end_as(queue, first.id, succeeded);
  CHECK_FALSE(queue.job(id).is_held);
}

TEST_CASE("nobody can wait for a job that is not there", "[job_queue]") {
  QueueDatabase queue;
  const auto error = thrown_error([&] { queue.submit_after("job_nowhere", Condition::any); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::job_not_found);
  CHECK(queue.database().integer("SELECT count(*) FROM jobs") == 0);
}

TEST_CASE("a job cannot have a file that is not there", "[job_queue]") {
  QueueDatabase queue;
  Submission submission = a_submission();
  submission.file_ids = {"file_x"};
  const auto error = thrown_error([&] { queue.submit(submission); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::file_not_found);
  CHECK(queue.database().integer("SELECT count(*) FROM jobs") == 0);
}

TEST_CASE("a paused job that is waited for in vain is cancelled with the queued ones",
          "[job_queue]") {
  QueueDatabase queue;
  const QueuedJob first = queue.submit();
  const QueuedJob second = queue.submit_after(first.id, Condition::ok);
  Submission approved = a_submission();
  approved.job.policy.wants_approval = true;
  approved.after = {{first.id, Condition::ok}};
  const QueuedJob third = queue.submit(approved);
  queue.pause(second.id);
  queue.cancel(first.id);
  CHECK(queue.job(second.id).view.state == cancelled);
  CHECK(queue.job(third.id).view.state == cancelled);
}

TEST_CASE("a paused job whose wait is over stays paused and can go on", "[job_queue]") {
  QueueDatabase queue;
  const QueuedJob first = queue.submit();
  const QueuedJob second = queue.submit_after(first.id, Condition::ok);
  queue.pause(second.id);
  CHECK(queue.resume(second.id).view.reason == "waiting_on:" + first.id);
  queue.pause(second.id);
  end_as(queue, first.id, succeeded);
  CHECK(queue.job(second.id).view.state == paused);
  CHECK_FALSE(queue.resume(second.id).is_held);
}

TEST_CASE("a chain of 10,000 jobs is settled without recursion", "[job_queue]") {
  QueueDatabase queue;
  const std::string first = queue.submit().id;
  const std::string last = queue.write([&](JobTable& jobs) {
    std::string id = first;
    for (int i = 0; i < 10'000; ++i) {
      Submission submission = a_submission();
      submission.after = {{id, Condition::ok}};
      id = submit_job(jobs, std::move(submission), "user:1").id;
    }
    return id;
  });
  queue.cancel(first);
  CHECK(queue.job(last).view.state == cancelled);
  CHECK(queue.database().integer("SELECT count(*) FROM jobs WHERE state != 8") == 0);
}

TEST_CASE("a job that has ended is deleted with all that is kept of it", "[job_queue]") {
  QueueDatabase queue;
  StoredFile file;
  file.id = "file_1";
  file.sha256 = std::string(64, 'a');
  insert_file(queue.database(), file);
  const QueuedJob first = queue.submit();
  Submission submission = a_submission();
  submission.after = {{first.id, Condition::any}};
  submission.file_ids = {"file_1"};
  const std::string id = queue.submit(submission).id;
  end_as(queue, first.id, succeeded);
  end_as(queue, id, partial);
  queue.write([&](JobTable& jobs) { delete_job(jobs, id); });
  for (const char* table : {"job_events", "attempts", "job_files", "job_dependencies"}) {
    CAPTURE(table);
    CHECK(queue.database().integer(
              "SELECT count(*) FROM " + std::string(table) + " WHERE job_id = ?", id) == 0);
  }
  CHECK(queue.database().integer("SELECT sum(rows) FROM usage WHERE job_id = ?", id) == 3);
  CHECK(thrown_error([&] { queue.job(id); })->code() == ErrorCode::job_not_found);
  CHECK(queue.job(first.id).view.state == succeeded);
  queue.check_file();
}

TEST_CASE("a job that has not ended is not deleted", "[job_queue]") {
  QueueDatabase queue;
  const auto refused = [&queue](const std::string& id) {
    const auto error =
        thrown_error([&] { queue.write([&](JobTable& jobs) { delete_job(jobs, id); }); });
    return error && error->code() == ErrorCode::job_conflict;
  };
  const QueuedJob job = queue.submit();
  CHECK(refused(job.id));
  const auto claimed = queue.claim();
  CHECK(refused(job.id));
  queue.end(*claimed, faulty_run("cost_limit"));
  CHECK(queue.job(job.id).view.state == paused);
  CHECK(refused(job.id));
  queue.cancel(job.id);
  CHECK_FALSE(refused(job.id));
}

}  // namespace
}  // namespace batchllm::daemon

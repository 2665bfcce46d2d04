// SPDX-License-Identifier: Apache-2.0
// Random histories of users, workers that die, hang and come back, and clocks that jump, against a
// model. What fails says its seed.
#include "tests/support/catch.h"
#include "tests/support/queue_database.h"
#include "tests/support/thrown_error.h"
#include "tests/unit/daemon/queue/queue_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace batchllm::daemon {
namespace {

constexpr unsigned k_seeds = 1'000;
constexpr int k_steps = 40;
constexpr unsigned k_seeds_per_checkpoint = 50;

// What a worker believes to have: it may be wrong.
struct Belief {
  std::size_t index = 0;
  std::int64_t epoch = 0;
};

class History {
 public:
  History(QueueDatabase& queue, unsigned seed) : queue_(queue), random_(seed) {
    model_.now_ms = queue.now_ms;
    model_.projects = {{"default", std::nullopt}, {"narrow", 1}};
  }

  void run() {
    for (int step = 0; step < k_steps; ++step) {
      take_step();
      compare();
    }
    end_all();
  }

 private:
  using Step = void (History::*)();

  void take_step() {
    static constexpr std::array<Step, 24> k_steps_by_weight = {
        &History::submit, &History::submit, &History::submit, &History::submit,   &History::claim,
        &History::claim,  &History::claim,  &History::claim,  &History::claim,    &History::say,
        &History::say,    &History::end,    &History::end,    &History::end,      &History::rescue,
        &History::rescue, &History::cancel, &History::pause,  &History::pause,    &History::resume,
        &History::resume, &History::answer, &History::answer, &History::pass_time};
    (this->*k_steps_by_weight.at(below(k_steps_by_weight.size())))();
  }

  std::size_t below(std::size_t limit) { return random_() % limit; }

  bool chance(unsigned of_ten) { return random_() % 10 < of_ten; }

  void expect(bool holds, std::string_view claim) {
    if (!holds) {
      FAIL(claim);
    }
  }

  std::optional<std::size_t> any_job() {
    return model_.jobs.empty() ? std::nullopt : std::optional(below(model_.jobs.size()));
  }

  std::optional<Belief> any_belief() {
    return beliefs_.empty() ? std::nullopt : std::optional(beliefs_.at(below(beliefs_.size())));
  }

  // Whether the queue accepts it, and that it does when it must.
  template <typename Action>
  bool is_accepted(bool must, std::string_view what, Action&& action) {
    const bool accepted = !thrown_error(action).has_value();
    expect(accepted == must, what);
    return accepted;
  }

  void submit() {
    ModelJob job;
    job.project = chance(3) ? "narrow" : "default";
    job.created_ms = queue_.now_ms;
    job.priority = static_cast<std::int64_t>(below(5)) - 2;
    job.max_attempts = 1 + static_cast<std::int64_t>(below(3));
    job.wants_approval = chance(1);
    job.asks_at_limit = chance(5);
    if (chance(2)) {
      job.not_before_ms = queue_.now_ms + static_cast<std::int64_t>(below(20'000)) - 5'000;
    }
    for (std::size_t after = 0; after < model_.jobs.size() && job.waits.size() < 2; ++after) {
      if (chance(2)) {
        job.waits.push_back({after, static_cast<DependencyCondition>(below(3)), false});
      }
    }
    Submission submission = a_submission(job.project);
    submission.priority = job.priority;
    submission.not_before_ms = job.not_before_ms;
    submission.job.policy.max_attempts = job.max_attempts;
    submission.job.policy.wants_approval = job.wants_approval;
    submission.job.policy.asks_at_limit = job.asks_at_limit;
    for (const ModelJob::Wait& wait : job.waits) {
      submission.after.push_back({model_.jobs.at(wait.after).id, wait.condition});
    }
    is_accepted(model_.submit(job), "submit", [&] {
      const std::string id = queue_.submit(submission).id;
      if (!model_.jobs.empty()) {
        model_.jobs.back().id = id;
      }
    });
  }

  void claim() {
    const auto claimed = queue_.claim();
    expect(claimed.has_value() == model_.has_job_to_claim(), "a job is claimed when one may run");
    if (claimed) {
      const auto job = std::find_if(model_.jobs.begin(),
                                    model_.jobs.end(),
                                    [&](const ModelJob& known) { return known.id == claimed->id; });
      const auto index = static_cast<std::size_t>(job - model_.jobs.begin());
      expect(model_.may_claim(index), "another job was to be claimed first");
      model_.claim(index);
      beliefs_.push_back({index, claimed->view.epoch});
    }
  }

  QueuedJob believed(const Belief& belief) {
    QueuedJob job;
    job.id = model_.jobs.at(belief.index).id;
    job.view.epoch = belief.epoch;
    return job;
  }

  void say() {
    if (const auto belief = any_belief()) {
      JobCounts counts;
      counts.ok = static_cast<std::int64_t>(below(10));
      const bool is_kept = chance(7);
      const bool counted = queue_.write([&](JobTable& jobs) {
        note_text(jobs, believed(*belief).id, belief->epoch, "worker:1", "info", "hello");
        return note_progress(jobs,
                             believed(*belief).id,
                             belief->epoch,
                             queue_.now_ms + k_test_lease_ms,
                             counts,
                             is_kept);
      });
      expect(counted == model_.is_in_hand(belief->index, belief->epoch), "progress");
      if (counted && is_kept) {
        model_.progress(belief->index, counts.done());
      }
    }
  }

  RunEnding any_ending() {
    static const std::vector<std::string> k_faults = {
        "provider_unreachable", "cost_limit", "storage_full", "key_refused"};
    switch (below(7)) {
      case 0:
        return stopped_run(RunEnding::Why::paused);
      case 1:
        return stopped_run(RunEnding::Why::cancelled);
      case 2:
        return stopped_run(RunEnding::Why::shut_down);
      case 3:
        return partial_run();
      case 4:
        return finished_run();
      default:
        return faulty_run(k_faults.at(below(k_faults.size())));
    }
  }

  void end() {
    if (const auto belief = any_belief()) {
      const RunEnding ending = any_ending();
      const bool counts = queue_.end(believed(*belief), ending).has_value();
      expect(counts == model_.end(belief->index, belief->epoch, ending), "end");
    }
  }

  void rescue() {
    if (const auto belief = any_belief()) {
      const bool counts = queue_.rescue(believed(*belief)).has_value();
      expect(counts == model_.rescue(belief->index, belief->epoch), "rescue");
    }
  }

  void cancel() {
    if (const auto index = any_job()) {
      queue_.cancel(model_.jobs.at(*index).id);
      model_.cancel(*index);
    }
  }

  void pause() {
    if (const auto index = any_job()) {
      is_accepted(model_.pause(*index), "pause", [&] { queue_.pause(model_.jobs.at(*index).id); });
    }
  }

  void resume() {
    if (const auto index = any_job()) {
      is_accepted(
          model_.resume(*index), "resume", [&] { queue_.resume(model_.jobs.at(*index).id); });
    }
  }

  void answer() {
    if (const auto index = any_job()) {
      const bool yes = chance(7);
      const bool is_approval = model_.jobs.at(*index).asks_for_approval;
      is_accepted(model_.answer(*index, yes), "answer", [&] {
        queue_.answer(model_.jobs.at(*index).id, yes ? (is_approval ? "yes" : "1.5") : "stop");
      });
    }
  }

  void pass_time() {
    static constexpr std::array<std::int64_t, 5> k_jumps = {1'000, 6'000, 700'000, 90'000, -30'000};
    queue_.now_ms += k_jumps.at(below(k_jumps.size()));
    model_.now_ms = queue_.now_ms;
    expect(queue_.release_due() == model_.release_due(), "what is due");
    if (chance(3)) {
      queue_.write([](JobTable& jobs) { resume_after_full_disk(jobs); });
      model_.make_room();
    }
  }

  // Every job is as the model has it: none is lost, none is there twice.
  void compare() {
    auto query = queue_.database().prepare(
        "SELECT id, state, wish, held, epoch, attempt, crash_count FROM jobs ORDER BY number");
    for (const ModelJob& job : model_.jobs) {
      expect(query.step() && query.text(0) == job.id, "a job is missing");
      const auto state = static_cast<JobState>(query.integer(1));
      if (state != job.state || static_cast<JobWish>(query.integer(2)) != job.wish ||
          (state == JobState::queued && query.boolean(3) != job.is_held) ||
          query.integer(4) != job.epoch || query.integer(5) != job.attempt ||
          query.integer(6) != job.crash_count) {
        FAIL(
            fmt::format("{}: {} wish {} held {} epoch {} attempt {} crashes {}, but the model has "
                        "{} wish {} held {} epoch {} attempt {} crashes {}",
                        job.id,
                        job_state_name(state),
                        query.integer(2),
                        query.integer(3),
                        query.integer(4),
                        query.integer(5),
                        query.integer(6),
                        job_state_name(job.state),
                        static_cast<int>(job.wish),
                        job.is_held,
                        job.epoch,
                        job.attempt,
                        job.crash_count));
      }
    }
    expect(!query.step(), "a job too many");
  }

  // Every job ends once, also those that were cancelled while they ran.
  void end_all() {
    for (std::size_t index = 0; index < model_.jobs.size(); ++index) {
      queue_.cancel(model_.jobs.at(index).id);
      model_.cancel(index);
    }
    for (const Belief& belief : beliefs_) {
      const RunEnding ending = stopped_run(RunEnding::Why::cancelled);
      queue_.end(believed(belief), ending);
      model_.end(belief.index, belief.epoch, ending);
    }
    compare();
    const auto ends = queue_.database().integer(
        "SELECT count(*) FROM job_events WHERE type IN ('job.succeeded', 'job.partial', "
        "'job.failed', 'job.cancelled')");
    expect(ends == static_cast<std::int64_t>(model_.jobs.size()), "each job ends once");
    queue_.write([&](JobTable& jobs) {
      for (const ModelJob& job : model_.jobs) {
        delete_job(jobs, job.id);
      }
    });
  }

  QueueDatabase& queue_;
  QueueModel model_;
  std::vector<Belief> beliefs_;
  std::mt19937 random_;
};

TEST_CASE("whatever happens, in whatever order, the queue does as its model", "[queue_history]") {
  QueueDatabase queue;
  queue.add_project("narrow", 1);
  for (unsigned seed = 1; seed <= k_seeds; ++seed) {
    INFO("seed " << seed);
    History(queue, seed).run();
    if (seed % k_seeds_per_checkpoint == 0) {
      queue.database().checkpoint(sql::Checkpoint::passive);
    }
  }
  CHECK(queue.database().integer("SELECT count(*) FROM job_events") == 0);
  queue.check_file();
}

}  // namespace
}  // namespace batchllm::daemon

// SPDX-License-Identifier: Apache-2.0
#include "daemon/scheduler/scheduler.h"

#include "core/crash_point.h"
#include "core/error.h"
#include "daemon/scheduler/scheduler_post.h"
#include "daemon/service/daemon_log.h"

#include <fmt/format.h>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <set>

namespace batchllm::daemon {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr int k_events = 32;
constexpr int k_released_at_once = 500;
constexpr auto k_retry_saving = 1s;
constexpr auto k_look_for_space = 5s;

int checked(int descriptor) {
  if (descriptor < 0) {
    throw Error(ErrorCode::storage, "the system has no more descriptors for the scheduler");
  }
  return descriptor;
}

void empty(int descriptor) {
  std::uint64_t count = 0;
  static_cast<void>(read(descriptor, &count, sizeof count));
}

bool is_disk_full(const Error& error) noexcept {
  return error.code() == ErrorCode::storage_full;
}

// Of a task that is cancelled nobody sees an answer; a job keeps those it gets.
StopOrder stop_order(const QueuedJob& job) noexcept {
  if (job.view.wish == JobWish::cancel) {
    return {RunEnding::Why::cancelled, job.kind == JobKind::task};
  }
  return {RunEnding::Why::paused};
}

JobKind other_kind(JobKind kind) noexcept {
  return kind == JobKind::job ? JobKind::job : JobKind::task;
}

}  // namespace

Scheduler::Scheduler(JobStore& store,
                     const WorkerProgram& program,
                     SchedulerSettings settings,
                     PrepareRun prepare_run)
    : store_(store),
      program_(program),
      settings_(std::move(settings)),
      prepare_run_(std::move(prepare_run)),
      epoll_(checked(epoll_create1(EPOLL_CLOEXEC))),
      wake_event_(checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))),
      wall_timer_(checked(timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK))) {
  for (const int descriptor : {wake_event_.get(), wall_timer_.get()}) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = nullptr;
    checked(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event));
  }
}

Scheduler::~Scheduler() {
  drain(0ms);
}

void Scheduler::start() {
  recover();
  thread_ = std::thread([this] { run(); });
}

void Scheduler::wake() noexcept {
  const std::uint64_t one = 1;
  static_cast<void>(write(wake_event_.get(), &one, sizeof one));
}

void Scheduler::note_wishes() noexcept {
  wishes_ = true;
  wake();
}

void Scheduler::change_settings(const SchedulerSettings& settings) {
  {
    const std::lock_guard lock(settings_mutex_);
    new_settings_ = settings;
  }
  wake();
}

void Scheduler::drain(std::chrono::milliseconds patience) {
  if (!thread_.joinable()) {
    return;
  }
  patience_ms_ = patience.count();
  draining_ = true;
  wake();
  thread_.join();
}

SchedulerFigures Scheduler::figures() const noexcept {
  return {worker_count_, running_count_};
}

// What ran when the daemon before this one ended: its workers are gone or about to go.
void Scheduler::recover() {
  const auto running = store_.read([](sql::Database& database) {
    return read_jobs(database, "WHERE state BETWEEN 1 AND 4 AND state IN (1, 3)", {});
  });
  for (const QueuedJob& job : running) {
    store_.write([&](JobTable& jobs) {
      if (job.view.state == JobState::running) {
        rescue_job(jobs, job.id, job.view.epoch, "daemon_died", settings_.backoff);
      } else {
        requeue_interrupted(jobs, job.id);
      }
    });
  }
}

void Scheduler::run() {
  // Jobs that an earlier daemon paused for want of room.
  space_check_at_ = steady_clock::now();
  bool goes_on = true;
  while (goes_on) {
    has_stumbled_ = false;
    try {
      goes_on = do_what_is_due();
    } catch (const Error& error) {
      log_error("the scheduler cannot go on for a moment: {}", error.message());
      has_stumbled_ = true;
    }
    if (goes_on) {
      sleep();
    }
  }
}

// False when everything has ended.
bool Scheduler::do_what_is_due() {
  {
    const std::lock_guard lock(settings_mutex_);
    if (new_settings_) {
      settings_ = *std::exchange(new_settings_, std::nullopt);
    }
  }
  const Time now = steady_clock::now();
  retry_unsaved();
  forget_dead();
  check_leases(now);
  save_texts(now);
  if (draining_) {
    stop_everything(now);
    forget_dead();
    return !posts_.empty() || !unsaved_.empty();
  }
  if (wishes_.exchange(false)) {
    look_for_wishes();
  }
  go_on_when_there_is_space();
  do_chores();
  begin_jobs();
  close_idle_workers(now);
  return true;
}

// What cannot be saved for want of a disk is saved later; what is refused is a bug and told.
bool Scheduler::save(const SavedWork& work) {
  try {
    store_.write(work);
    return true;
  } catch (const Error& error) {
    log_error("cannot save the state of the queue: {}", error.message());
    if (error_kind(error.code()).exit_code != error_kind(ErrorCode::storage).exit_code) {
      return false;
    }
    if (is_disk_full(error)) {
      wait_for_space();
    }
    unsaved_.push_back(work);
    return false;
  }
}

void Scheduler::retry_unsaved() {
  std::vector<SavedWork> waiting;
  waiting.swap(unsaved_);
  for (const SavedWork& work : waiting) {
    save(work);
  }
}

std::int64_t Scheduler::running(JobKind kind) const {
  return std::count_if(posts_.begin(), posts_.end(), [kind](const auto& post) {
    return post->job && other_kind(post->job->kind) == other_kind(kind);
  });
}

void Scheduler::begin_jobs() {
  if (space_check_at_) {
    return;
  }
  bool changed = false;
  while (running(JobKind::job) < settings_.max_running_jobs && begin_job(JobKind::job)) {
    changed = true;
  }
  for (const JobKind kind : {JobKind::process, JobKind::task}) {
    while (running(JobKind::task) < settings_.max_running_tasks && begin_job(kind)) {
      changed = true;
    }
  }
  if (changed) {
    deal_lanes();
  }
}

bool Scheduler::begin_job(JobKind kind) {
  if (!store_.read([kind](sql::Database& database) { return has_job_to_claim(database, kind); })) {
    return false;
  }
  Post* post = idle_worker();
  if (post == nullptr) {
    return false;
  }
  std::optional<QueuedJob> job;
  const std::int64_t lease_until = store_.clock().wall_ms() + settings_.lease.count();
  try {
    job = store_.write(
        [&](JobTable& jobs) { return claim_job(jobs, kind, post->process.name(), lease_until); });
  } catch (const Error& error) {
    log_error("cannot begin a job: {}", error.message());
    wait_for_space();
  }
  if (!job) {
    return false;
  }
  crash_point(CrashPoint::order_not_sent);
  give(*post, *job);
  crash_point(CrashPoint::order_sent);
  return true;
}

Scheduler::Post* Scheduler::idle_worker() {
  for (const auto& post : posts_) {
    if (!post->job && !post->is_leaving && !post->is_gone) {
      return post.get();
    }
  }
  try {
    auto post = std::make_unique<Post>(WorkerProcess::start(program_, settings_.state_dir));
    for (const int descriptor :
         {post->process.channel().descriptor(), post->process.end_descriptor()}) {
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.ptr = post.get();
      checked(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event));
    }
    posts_.push_back(std::move(post));
    worker_count_ = posts_.size();
    return posts_.back().get();
  } catch (const Error& error) {
    log_error("{}", error.message());
    return nullptr;
  }
}

void Scheduler::give(Post& post, const QueuedJob& job) {
  Post::Assignment& assignment = post.job.emplace();
  assignment.id = job.id;
  assignment.epoch = job.view.epoch;
  assignment.kind = job.kind;
  assignment.lane = job.lane;
  assignment.part = {job.project, job.concurrency, 0};
  assignment.lease_until = steady_clock::now() + settings_.lease;
  assignment.counts = job.view.counts;
  ++running_count_;
  deal_lanes();
  RunOrder order;
  order.job_id = job.id;
  order.epoch = job.view.epoch;
  order.record = job.record;
  order.created_ms = job.view.created_ms;
  order.concurrency = assignment.part.share;
  order.counts = job.view.counts;
  order.retries_failed = job.policy.retries_failed && job.view.attempt == 1;
  order.retry_only.assign(job.policy.retry_only.begin(), job.policy.retry_only.end());
  order.variables = settings_.key_variables;
  order.model_files = settings_.model_files;
  order.trusts_environment = job.policy.trusts_environment;
  try {
    order.keys = prepare_run_(job);
  } catch (const Error& error) {
    refuse(post, job, error);
    return;
  }
  log_info("{} begins (attempt {}, worker {})", job.id, job.view.attempt, post.process.pid());
  post.process.send(order);
}

// It cannot be run: that counts as a run that ended at once.
void Scheduler::refuse(Post& post, const QueuedJob& job, const Error& error) {
  RunEnding ending;
  ending.fault = JobFault{std::string(error.name()), error.message(), error.hint()};
  ending.exit_code = error.exit_code();
  ending.counts = job.view.counts;
  log_error("{}: {}", job.id, error.message());
  save([id = job.id, epoch = job.view.epoch, ending, backoff = settings_.backoff](JobTable& jobs) {
    end_run(jobs, id, epoch, ending, backoff);
  });
  leave_job(post);
}

void Scheduler::deal_lanes() {
  std::map<std::string, std::vector<Post*>> lanes;
  for (const auto& post : posts_) {
    if (post->job) {
      lanes[post->job->lane].push_back(post.get());
    }
  }
  for (auto& [lane, members] : lanes) {
    std::vector<LaneUser*> users;
    std::map<Post*, std::int64_t> before;
    for (Post* post : members) {
      users.push_back(&post->job->part);
      before[post] = post->job->part.share;
    }
    share_lane(settings_.lane_concurrency, users);
    for (const auto& [post, share] : before) {
      if (share != 0 && share != post->job->part.share) {
        post->process.send(ConcurrencyOrder{post->job->part.share});
      }
    }
  }
}

void Scheduler::look_for_wishes() {
  const auto wished = store_.read([](sql::Database& database) {
    return read_jobs(database, "WHERE state BETWEEN 1 AND 4 AND state = 1 AND wish != 0", {});
  });
  for (const QueuedJob& job : wished) {
    for (const auto& post : posts_) {
      if (post->job && post->job->id == job.id && !post->job->is_stopping) {
        post->job->is_stopping = true;
        post->process.send(stop_order(job));
      }
    }
  }
}

void Scheduler::wait_for_space() noexcept {
  if (!space_check_at_) {
    space_check_at_ = steady_clock::now() + k_look_for_space;
  }
}

void Scheduler::go_on_when_there_is_space() {
  if (disk_ != nullptr && disk_->is_full()) {
    wait_for_space();
  }
  if (!space_check_at_ || steady_clock::now() < *space_check_at_) {
    return;
  }
  space_check_at_.reset();
  if (disk_ != nullptr && !disk_->look()) {
    wait_for_space();
    return;
  }
  const bool any_waits = store_.read([](sql::Database& database) {
    return database
        .integer(
            "SELECT 1 FROM jobs WHERE state BETWEEN 1 AND 4 AND state = 2 AND reason = "
            "'disk_full' LIMIT 1")
        .has_value();
  });
  if (any_waits) {
    save([](JobTable& jobs) { resume_after_full_disk(jobs); });
  }
}

void Scheduler::do_chores() {
  const std::int64_t now_ms = store_.clock().wall_ms();
  wall_due_ms_.reset();
  const auto earlier = [this](std::optional<std::int64_t> due) {
    if (due && (!wall_due_ms_ || *due < *wall_due_ms_)) {
      wall_due_ms_ = due;
    }
  };
  auto due = store_.read([](sql::Database& database) { return next_due_ms(database); });
  while (due && *due <= now_ms && !space_check_at_) {
    try {
      const int released =
          store_.write([](JobTable& jobs) { return release_due_jobs(jobs, k_released_at_once); });
      if (released == 0) {
        break;  // the clock was set back meanwhile
      }
    } catch (const Error& error) {
      log_error("cannot release jobs whose time has come: {}", error.message());
      wait_for_space();
      break;
    }
    due = store_.read([](sql::Database& database) { return next_due_ms(database); });
  }
  earlier(due);
  for (Chore* chore : chores_) {
    earlier(chore->do_due(now_ms));
  }
}

void Scheduler::forget_dead() {
  std::erase_if(posts_, [](const auto& post) { return post->is_gone && !post->job; });
  worker_count_ = posts_.size();
}

std::optional<Scheduler::Time> Scheduler::next_time() const {
  std::optional<Time> next;
  const auto earlier = [&next](Time at) { next = next ? std::min(*next, at) : at; };
  for (const auto& post : posts_) {
    if (post->job) {
      earlier(post->job->lease_until);
      if (!post->job->texts.empty()) {
        earlier(post->job->texts_due);
      }
    } else if (!post->is_leaving && !post->is_gone) {
      earlier(post->idle_since + settings_.idle_worker);
    }
  }
  if (!unsaved_.empty() || has_stumbled_) {
    earlier(steady_clock::now() + k_retry_saving);
  }
  if (space_check_at_) {
    earlier(*space_check_at_);
  }
  if (drain_until_) {
    earlier(*drain_until_);
  }
  return next;
}

// The wall clock may be set: then the timer wakes at once, and what is due is looked at anew.
void Scheduler::set_wall_timer() {
  itimerspec when{};
  if (wall_due_ms_) {
    const std::int64_t due = std::max<std::int64_t>(*wall_due_ms_, 1);
    when.it_value.tv_sec = due / 1000;
    when.it_value.tv_nsec = (due % 1000) * 1'000'000;
  }
  timerfd_settime(wall_timer_.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when, nullptr);
}

void Scheduler::sleep() {
  set_wall_timer();
  int timeout = -1;
  if (const auto next = next_time()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - steady_clock::now());
    timeout = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
  }
  std::array<epoll_event, k_events> events;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  const int count = epoll_wait(epoll_.get(), events.data(), k_events, timeout);
  empty(wake_event_.get());
  empty(wall_timer_.get());
  std::set<Post*> spoken;
  for (int i = 0; i < count; ++i) {
    if (auto* post = static_cast<Post*>(events.at(static_cast<std::size_t>(i)).data.ptr)) {
      spoken.insert(post);
    }
  }
  for (Post* post : spoken) {
    take_reports(*post);
  }
}

}  // namespace batchllm::daemon

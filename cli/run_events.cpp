// SPDX-License-Identifier: Apache-2.0
#include "cli/run_events.h"

#include "adapters/job/job_report.h"
#include "core/error.h"
#include "core/progress_pace.h"
#include "core/text.h"

#include <fmt/format.h>

#include <unistd.h>

#include <utility>

namespace batchllm {
namespace {

using namespace job_event;

// Events are UTF-8; what a message quotes may be anything.
JobFault clean_fault(const Error& error) {
  JobFault fault = fault_of(error);
  fault.message = as_utf8(fault.message);
  fault.hint = as_utf8(fault.hint);
  return fault;
}

JobCounts counts_of_totals(const ShardTotals& totals, JobCounts counts) {
  counts.ok = static_cast<std::int64_t>(totals.ok);
  counts.failed = static_cast<std::int64_t>(totals.failed);
  counts.skipped = static_cast<std::int64_t>(totals.skipped);
  counts.cost_micro_usd = totals.cost_micro_usd;
  counts.input_tokens = totals.input_tokens;
  counts.output_tokens = totals.output_tokens;
  return counts;
}

bool is_signal(const Error& stop) {
  return stop.code() == ErrorCode::interrupted || stop.code() == ErrorCode::terminated;
}

}  // namespace

RunEvents::RunEvents(const JobDirectory& directory, const Clock& clock)
    : directory_(directory),
      clock_(clock),
      user_(fmt::format("user:{}", getuid())),
      worker_(fmt::format("worker:{}", getpid())),
      log_(directory.folder(), clock) {
  if (log_.view().last_seq == 0) {
    Queued queued;
    queued.reason = "queue";
    log_.append(user_, queued);
  }
}

void RunEvents::begun() {
  const MutexLock lock(mutex_);
  begin();
}

void RunEvents::begin() {
  if (std::exchange(has_begun_, true)) {
    return;
  }
  if (log_.view().state == JobState::running) {
    log_.append("rescuer",
                Interrupted{"worker_died", log_.view().attempt, log_.view().crash_count + 1});
  }
  if (log_.view().state != JobState::queued) {
    Queued queued;
    queued.reason = has_ended(log_.view().state) ? k_retry_reason : "resume";
    queued.attempt = log_.view().attempt;
    queued.crash_count = log_.view().crash_count;
    log_.append(user_, queued);
  }
  const JobView& view = log_.view();
  add(Started{view.attempt + 1, view.crash_count, view.epoch + 1, fmt::format("pid:{}", getpid())});
  kept_at_ = clock_.now();
}

void RunEvents::add(JobEventData data) {
  log_.append(worker_, std::move(data));
}

void RunEvents::warning(std::string_view text) {
  const MutexLock lock(mutex_);
  begin();
  add(Log{"warning", as_utf8(text)});
}

void RunEvents::progress(const ProgressSnapshot& snapshot) {
  const MutexLock lock(mutex_);
  const JobCounts counts = counts_of(snapshot);
  const JobCounts& last = log_.view().counts;
  const TimePoint now = clock_.now();
  if (counts == last || !is_progress_worth_keeping(counts, last.done(), now - kept_at_)) {
    return;
  }
  kept_at_ = now;
  add(Progress{counts});
}

void RunEvents::ended(const JobRecord& record, const JobEnd& end) {
  const MutexLock lock(mutex_);
  begin();
  const JobCounts counts = counts_of(end.result.progress);
  Ended ended;
  ended.exit_code = end.exit_code;
  ended.counts = counts;
  if (!end.stop) {
    ended.state = record.status == JobStatus::succeeded ? JobState::succeeded : JobState::partial;
    add(ended);
  } else if (record.status == JobStatus::failed) {
    ended.state = JobState::failed;
    ended.fault = clean_fault(*end.stop);
    add(ended);
  } else {
    stopped(*end.stop, counts, end.reader_has_left);
  }
  log_.sync();
}

// It can be gone on with.
void RunEvents::stopped(const Error& stop, const JobCounts& counts, bool reader_has_left) {
  const std::int64_t attempt = log_.view().attempt;
  if (is_signal(stop)) {
    add(Progress{counts});
    add(Interrupted{std::string(stop.name()), attempt, 0});
  } else if (reader_has_left) {
    add(Paused{"reader_left", {}, attempt, 0, counts});
  } else {
    add(Paused{std::string(stop.name()), clean_fault(stop), attempt, 0, counts});
  }
}

void RunEvents::failed(const JobRecord& record, const Error& error) {
  const MutexLock lock(mutex_);
  if (record.status != JobStatus::running) {  // it stands as it stood before
    add(Log{"warning", as_utf8(error.message())});
    return;
  }
  begin();
  JobCounts counts = log_.view().counts;
  try {
    counts = counts_of_totals(report_job(directory_).totals, counts);
  } catch (const Error&) {  // what is broken may be just that
  }
  stopped(error, counts, false);
  log_.sync();
}

}  // namespace batchllm

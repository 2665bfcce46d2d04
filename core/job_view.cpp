// SPDX-License-Identifier: Apache-2.0
#include "core/job_view.h"

#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <variant>

namespace batchllm {
namespace {

using namespace job_event;

void refuse_event(const JobEvent& event, std::string_view why) {
  throw Error(ErrorCode::job_corrupt,
              fmt::format("event {} ({}): {}", event.seq, job_event_type(event.data), why));
}

// What each event says of the job.
class Applier {
 public:
  Applier(JobView& view, std::int64_t at_ms) : view_(view), at_ms_(at_ms) {}

  void operator()(const Queued& data) {
    move(JobState::queued, data.reason, data.attempt, data.crash_count);
    view_.priority = data.priority;
    view_.not_before_ms = data.not_before_ms;
    view_.wish = JobWish::run;
    view_.exit_code.reset();
    view_.finished_ms.reset();
    if (view_.last_seq == 0) {
      view_.created_ms = at_ms_;
    }
  }

  void operator()(const Started& data) {
    move(JobState::running, {}, data.attempt, data.crash_count);
    view_.epoch = data.epoch;
    view_.not_before_ms.reset();
    if (!view_.started_ms) {
      view_.started_ms = at_ms_;
    }
  }

  void operator()(const Progress& data) { view_.counts = data.counts; }

  void operator()(const Paused& data) {
    move(JobState::paused, data.reason, data.attempt, data.crash_count);
    view_.fault = data.fault;
    view_.counts = data.counts;
  }

  void operator()(const Interrupted& data) {
    move(JobState::interrupted, data.reason, data.attempt, data.crash_count);
  }

  void operator()(const WaitingInput& data) {
    move(JobState::waiting_input, data.question.kind, data.attempt, data.crash_count);
    view_.question = data.question;
    view_.counts = data.counts;
  }

  void operator()(const Answered& data) { static_cast<void>(data); }

  void operator()(const Ended& data) {
    move(data.state, std::string(reason_of(data)), view_.attempt, 0);
    view_.fault = data.fault;
    view_.counts = data.counts;
    view_.exit_code = data.exit_code;
    view_.finished_ms = at_ms_;
    view_.not_before_ms.reset();
  }

  void operator()(const Requested& data) {
    const auto wish = job_wish_from_name(data.wish);
    if (!wish) {
      throw Error(ErrorCode::job_corrupt,
                  fmt::format("the payload of job.requested has no wish {}", printable(data.wish)));
    }
    view_.wish = *wish;
  }

  void operator()(const Changed& data) { view_.priority = data.priority.value_or(view_.priority); }

  void operator()(const Log& data) { static_cast<void>(data); }

 private:
  static std::string_view reason_of(const Ended& data) {
    if (data.fault) {
      return data.fault->code;
    }
    if (data.state == JobState::partial) {
      return "rows_failed";
    }
    return data.state == JobState::cancelled ? "user" : "";
  }

  void move(JobState state, const std::string& reason, std::int64_t attempt, std::int64_t crashes) {
    view_.state = state;
    view_.reason = reason;
    view_.attempt = attempt;
    view_.crash_count = crashes;
    view_.fault.reset();
    view_.question.reset();
  }

  JobView& view_;
  std::int64_t at_ms_;
};

// A line of the log, another name or other tags; and a local run's retry.
bool may_follow_an_end(const JobEventData& data, JobState end) noexcept {
  if (const auto* changed = std::get_if<Changed>(&data)) {
    return !changed->priority && !changed->max_cost_micro_usd;
  }
  const auto* queued = std::get_if<Queued>(&data);
  return std::holds_alternative<Log>(data) ||
         (queued != nullptr && queued->reason == k_retry_reason && end != JobState::cancelled);
}

}  // namespace

void apply(JobView& view, const JobEvent& event) {
  if (event.seq != view.last_seq + 1) {
    refuse_event(event, fmt::format("number {} was to come", view.last_seq + 1));
  }
  if (view.last_seq == 0 && !std::holds_alternative<Queued>(event.data)) {
    refuse_event(event, "a job begins with job.queued");
  }
  if (has_ended(view.state) && !may_follow_an_end(event.data, view.state)) {
    refuse_event(event, "the job had ended");
  }
  std::visit(Applier(view, event.at_ms), event.data);
  view.last_seq = event.seq;
}

}  // namespace batchllm

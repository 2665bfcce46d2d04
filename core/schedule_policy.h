// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace batchllm {

// What becomes of a slot (a time at which a schedule is to fire) that passed while nobody looked:
// the daemon was down, the computer slept, the clock was set.
enum class MissedPolicy { none, latest };

// What a due slot does while the job of an earlier slot has not ended.
enum class OverlapPolicy { skip, queue_one, allow };

std::string_view missed_policy_name(MissedPolicy policy) noexcept;  // "none", "latest"
std::string_view overlap_policy_name(OverlapPolicy policy) noexcept;
// Throw Error(usage) with the nearest name.
MissedPolicy parse_missed_policy(std::string_view name);
OverlapPolicy parse_overlap_policy(std::string_view name);

// A slot that is seen this late is not missed.
constexpr std::int64_t k_on_time_ms = 60'000;

// A clock that went back by more than this was wrong before, and the schedule starts anew from it;
// by less, slots that have been settled stay settled.
constexpr std::int64_t k_longest_step_back_ms = std::int64_t{2} * 86'400'000;

// Times are wall-clock milliseconds since 1970.
struct ScheduleMoment {
  std::int64_t now_ms = 0;

  // The latest slot that was fired or skipped; at first the time at which the schedule was made,
  // and after a pause the time at which it went on.
  std::int64_t settled_ms = 0;

  MissedPolicy missed = MissedPolicy::latest;
  OverlapPolicy overlap = OverlapPolicy::skip;
  bool is_job_active = false;   // the latest job of this schedule has not ended
  bool is_job_waiting = false;  // one more of its jobs waits behind that one
};

enum class ScheduleAction { wait, fire, skip };

enum class SkipReason {
  none,
  missed,        // it passed too long ago, and missed slots are not made up for
  still_active,  // the job of an earlier slot has not ended
  queue_full,    // and one is waiting behind it already
};

std::string_view skip_reason_text(SkipReason reason) noexcept;  // a phrase for people

struct ScheduleDecision {
  ScheduleAction action = ScheduleAction::wait;
  SkipReason reason = SkipReason::none;

  // The slot that fires or is skipped, never later than now. Unused when waiting.
  std::int64_t slot_ms = 0;

  // To be stored as the next `settled_ms` whenever it is another one, when waiting as well; with a
  // job, in the transaction that creates it.
  std::int64_t settled_ms = 0;

  // When to look again; nullopt: the schedule has no further slot.
  std::optional<std::int64_t> wake_ms;

  // Earlier slots were passed over together with this one.
  bool passed_over_others = false;

  // The new job waits until the active one has ended.
  bool queues_behind = false;

  bool operator==(const ScheduleDecision&) const = default;
};

// What a schedule does now. `next_slot(t)` is the first slot later than t, nullopt when there is
// none; it must not decrease. Asks it some 40 times at most, however long the daemon was down.
//
// At most one slot fires for one decision: the latest that is due. A clock that jumps forward
// (suspend, NTP) therefore causes one catch-up at most, a clock that goes back none: a settled slot
// is not due again. After a step back by more than k_longest_step_back_ms slots are due again that
// have been fired, unless the caller refuses a second job for one slot, as it must.
ScheduleDecision decide_schedule(
    const ScheduleMoment& moment,
    const std::function<std::optional<std::int64_t>(std::int64_t)>& next_slot);

}  // namespace batchllm

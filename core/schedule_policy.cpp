// SPDX-License-Identifier: Apache-2.0
#include "core/schedule_policy.h"

#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace batchllm {
namespace {

constexpr std::array<std::pair<std::string_view, MissedPolicy>, 2> k_missed = {{
    {"none", MissedPolicy::none},
    {"latest", MissedPolicy::latest},
}};

constexpr std::array<std::pair<std::string_view, OverlapPolicy>, 3> k_overlap = {{
    {"skip", OverlapPolicy::skip},
    {"queue_one", OverlapPolicy::queue_one},
    {"allow", OverlapPolicy::allow},
}};

template <typename Table, typename Policy>
std::string_view name_in(const Table& table, Policy policy) noexcept {
  for (const auto& [name, value] : table) {
    if (value == policy) {
      return name;
    }
  }
  return {};
}

template <typename Table>
auto parse_in(const Table& table, std::string_view what, std::string_view text) {
  std::vector<std::string> names;
  for (const auto& [name, value] : table) {
    if (name == text) {
      return value;
    }
    names.emplace_back(name);
  }
  const auto near = nearest_name(text, names);
  throw Error(ErrorCode::usage,
              fmt::format("\"{}\" is no policy for {}", one_line(text, 40), what),
              near ? fmt::format("did you mean {}?", *near)
                   : fmt::format("there are {}", name_list(names)));
}

using NextSlot = std::function<std::optional<std::int64_t>(std::int64_t)>;

bool is_due_after(const NextSlot& next_slot, std::int64_t time_ms, std::int64_t now_ms) {
  const auto slot = next_slot(time_ms);
  return slot && *slot <= now_ms;
}

// The latest slot in (settled, now], of which there is one: the last time after which a slot is
// still due is the millisecond before it. Halving finds it without walking over a year of minutes.
std::int64_t latest_due(const NextSlot& next_slot, std::int64_t settled_ms, std::int64_t now_ms) {
  std::int64_t due = settled_ms;
  std::int64_t not_due = now_ms;
  while (not_due - due > 1) {
    const std::int64_t middle = due + (not_due - due) / 2;
    (is_due_after(next_slot, middle, now_ms) ? due : not_due) = middle;
  }
  return not_due;
}

}  // namespace

std::string_view missed_policy_name(MissedPolicy policy) noexcept {
  return name_in(k_missed, policy);
}

std::string_view overlap_policy_name(OverlapPolicy policy) noexcept {
  return name_in(k_overlap, policy);
}

MissedPolicy parse_missed_policy(std::string_view name) {
  return parse_in(k_missed, "missed runs", name);
}

OverlapPolicy parse_overlap_policy(std::string_view name) {
  return parse_in(k_overlap, "overlapping runs", name);
}

std::string_view skip_reason_text(SkipReason reason) noexcept {
  switch (reason) {
    case SkipReason::none:
      return "";
    case SkipReason::missed:
      return "missed, and missed runs are not made up for";
    case SkipReason::still_active:
      return "the previous run has not ended";
    case SkipReason::queue_full:
      return "the previous run has not ended, and one is waiting already";
  }
  return "";
}

ScheduleDecision decide_schedule(const ScheduleMoment& moment, const NextSlot& next_slot) {
  ScheduleDecision decision;
  const bool went_far_back = moment.settled_ms - moment.now_ms > k_longest_step_back_ms;
  decision.settled_ms = went_far_back ? moment.now_ms : moment.settled_ms;
  const auto first_due = next_slot(decision.settled_ms);
  if (!first_due || *first_due > moment.now_ms) {
    decision.wake_ms = first_due;
    return decision;
  }
  decision.slot_ms = latest_due(next_slot, decision.settled_ms, moment.now_ms);
  decision.settled_ms = decision.slot_ms;
  decision.passed_over_others = *first_due != decision.slot_ms;
  decision.wake_ms = next_slot(decision.slot_ms);
  const bool is_missed = moment.now_ms - decision.slot_ms > k_on_time_ms;
  if (is_missed && moment.missed == MissedPolicy::none) {
    decision.reason = SkipReason::missed;
  } else if (moment.is_job_active && moment.overlap == OverlapPolicy::skip) {
    decision.reason = SkipReason::still_active;
  } else if (moment.is_job_active && moment.overlap == OverlapPolicy::queue_one) {
    decision.reason = moment.is_job_waiting ? SkipReason::queue_full : SkipReason::none;
    decision.queues_behind = !moment.is_job_waiting;
  }
  decision.action =
      decision.reason == SkipReason::none ? ScheduleAction::fire : ScheduleAction::skip;
  return decision;
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "adapters/time/next_run.h"

#include "core/time_text.h"

#include <algorithm>
#include <chrono>

namespace batchllm {
namespace {

// The rarest expression (one weekday on 29 February) has a match every 40 years at worst.
constexpr std::int64_t k_longest_search_s = std::int64_t{50} * 366 * 86'400;

// The first second from `from_s` on at which clocks `offset_s` ahead of UTC show a match.
std::optional<std::int64_t> first_match(const CronExpression& expression,
                                        std::int64_t from_s,
                                        std::int32_t offset_s) {
  using std::chrono::minutes;
  const std::chrono::local_seconds shown{std::chrono::seconds{from_s + offset_s}};
  const auto next = expression.next_after(std::chrono::ceil<minutes>(shown) - minutes{1});
  if (!next) {
    return std::nullopt;
  }
  return std::chrono::seconds(next->time_since_epoch()).count() - offset_s;
}

std::optional<std::int64_t> before(std::optional<std::int64_t> moment_s, std::int64_t end_s) {
  return moment_s && *moment_s < end_s ? moment_s : std::nullopt;
}

// In a span, from `from_s` on: for fixed times of the day.
std::optional<std::int64_t> next_fixed(const CronExpression& expression,
                                       const OffsetSpan& span,
                                       std::int64_t from_s) {
  const std::int64_t shift = std::int64_t{span.offset_s} - span.previously_s;
  const bool is_at_change = from_s == span.begin_s;
  if (shift > 0 && is_at_change &&
      before(first_match(expression, from_s, span.previously_s), from_s + shift)) {
    return from_s;
  }
  if (shift < 0) {
    from_s = std::max(from_s, span.begin_s - shift);  // until then the clocks repeat themselves
  }
  return before(first_match(expression, from_s, span.offset_s), span.end_s);
}

// The same for repeating expressions.
std::optional<std::int64_t> next_repeating(const CronExpression& expression,
                                           const OffsetSpan& span,
                                           std::int64_t from_s) {
  const auto shown = before(first_match(expression, from_s, span.offset_s), span.end_s);
  const std::int64_t shift = std::int64_t{span.offset_s} - span.previously_s;
  if (shift <= 0 || from_s - span.begin_s >= shift) {
    return shown;
  }
  const auto skipped = before(first_match(expression, from_s, span.previously_s),
                              std::min(span.begin_s + shift, span.end_s));
  return shown && skipped ? std::min(*shown, *skipped) : shown ? shown : skipped;
}

}  // namespace

std::optional<std::int64_t> next_run(const CronExpression& expression,
                                     const TimeZone& zone,
                                     std::int64_t after_wall_ms) {
  if (after_wall_ms >= k_latest_time_ms) {
    return std::nullopt;
  }
  // A second at least later than `after`, whole seconds being all that fires.
  const std::int64_t earliest_ms = std::max(after_wall_ms, k_earliest_time_ms);
  std::int64_t from_s = (earliest_ms - k_earliest_time_ms) / 1000 + k_earliest_time_ms / 1000 + 1;
  const std::int64_t end_s =
      std::min(from_s + k_longest_search_s, k_latest_time_ms / 1000 - 2 * std::int64_t{86'400});
  while (from_s < end_s) {
    const OffsetSpan span = zone.span_at(from_s);
    const auto slot = expression.hours_repeat() ? next_repeating(expression, span, from_s)
                                                : next_fixed(expression, span, from_s);
    if (slot) {
      return *slot * 1000;
    }
    from_s = span.end_s;
  }
  return std::nullopt;
}

}  // namespace batchllm

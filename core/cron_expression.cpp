// SPDX-License-Identifier: Apache-2.0
#include "core/cron_expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <vector>

namespace batchllm {
namespace {

using std::chrono::days;
using std::chrono::local_days;

constexpr int k_years_searched = 100;  // the rarest day (a given weekday on 29 February): 40

bool has(std::uint64_t bits, unsigned bit) noexcept {
  return ((bits >> bit) & 1U) != 0;
}

// The lowest bit of `bits` from `from` on.
std::optional<unsigned> next_bit(std::uint64_t bits, unsigned from) noexcept {
  const std::uint64_t rest = from > 63 ? 0 : bits >> from << from;
  return rest == 0 ? std::nullopt : std::optional(static_cast<unsigned>(std::countr_zero(rest)));
}

unsigned days_in(std::chrono::year_month month) noexcept {
  return static_cast<unsigned>((month / std::chrono::last).day());
}

// The days of `month` that match, as bits 1 to 31.
std::uint32_t matching_days(const CronFields& fields, std::chrono::year_month month) noexcept {
  const unsigned last = days_in(month);
  const unsigned first_weekday = std::chrono::weekday(local_days(month / 1)).c_encoding();
  std::uint32_t by_date = fields.days;
  if (fields.last_day) {
    by_date |= std::uint32_t{1} << last;
  }
  std::uint32_t by_weekday = 0;
  for (unsigned day = 1; day <= last; ++day) {
    const unsigned weekday = (first_weekday + day - 1) % 7;
    const std::uint64_t some = fields.some_weekdays >> (weekday * 8);
    const bool is_last = day + 7 > last;
    if (has(fields.weekdays, weekday) || has(some, (day + 6) / 7) || (is_last && has(some, 0))) {
      by_weekday |= std::uint32_t{1} << day;
    }
  }
  const bool either = !fields.days_starred && !fields.weekdays_starred;
  const std::uint32_t matching = either ? by_date | by_weekday : by_date & by_weekday;
  return matching & static_cast<std::uint32_t>((std::uint64_t{2} << last) - 2);
}

// The distance of neighbours when it is the same for all of them, else 0.
unsigned step_of(const std::vector<unsigned>& values) {
  const unsigned step = values.size() < 2 ? 0 : values[1] - values[0];
  for (std::size_t i = 2; i < values.size(); ++i) {
    if (values[i] - values[i - 1] != step) {
      return 0;
    }
  }
  return step;
}

void add_item(std::string& list, std::string_view item) {
  if (!list.empty()) {
    list += ',';
  }
  list += item;
}

// "1-5,8": runs of three and more as ranges.
std::string list_text(const std::vector<unsigned>& values) {
  std::string list;
  for (std::size_t i = 0; i < values.size();) {
    std::size_t end = i + 1;
    while (end < values.size() && values[end] == values[end - 1] + 1) {
      ++end;
    }
    if (end - i >= 3) {
      add_item(list, fmt::format("{}-{}", values[i], values[end - 1]));
      i = end;
    } else {
      add_item(list, std::to_string(values[i++]));
    }
  }
  return list;
}

struct FieldRange {
  unsigned first;
  unsigned last;
};

std::string step_text(const std::vector<unsigned>& values, FieldRange range, bool may_star) {
  const unsigned step = step_of(values);
  if (may_star && values.front() == range.first && values.back() + step > range.last) {
    return fmt::format("*/{}", step);
  }
  return fmt::format("{}-{}/{}", values.front(), values.back(), step);
}

// `may_star`: the field may be written with a star without changing what the expression means.
std::string field_text(std::uint64_t bits, FieldRange range, bool may_star) {
  const std::vector<unsigned> values = set_members(bits);
  const bool is_step = values.size() >= 3 && step_of(values) >= 2;
  return is_step ? step_text(values, range, may_star) : list_text(values);
}

std::string hours_text(const CronFields& fields) {
  if (fields.hours == k_all_hours) {
    return "*";
  }
  const std::vector<unsigned> values = set_members(fields.hours);
  return fields.hours_repeat ? step_text(values, {0, 23}, true) : list_text(values);
}

std::string days_text(const CronFields& fields) {
  if (fields.days == k_all_days) {
    return "*";
  }
  if (fields.days_starred) {
    return step_text(set_members(fields.days), {1, 31}, true);
  }
  std::string text = field_text(fields.days, {1, 31}, fields.weekdays == k_all_weekdays);
  if (fields.last_day) {
    // A list is never a star, so a step in it must not begin with one.
    text = fields.days == 0 ? "" : field_text(fields.days, {1, 31}, false);
    add_item(text, "L");
  }
  return text;
}

std::string weekdays_text(const CronFields& fields) {
  if (fields.weekdays == k_all_weekdays) {
    return "*";
  }
  if (fields.weekdays_starred) {
    return step_text(set_members(fields.weekdays), {0, 6}, true);
  }
  const bool may_star = fields.days == k_all_days && fields.some_weekdays == 0;
  std::string text = field_text(fields.weekdays, {0, 6}, may_star);
  for (unsigned bit : set_members(fields.some_weekdays)) {
    const unsigned weekday = bit / 8;
    const unsigned which = bit % 8;
    add_item(text, which == 0 ? fmt::format("{}L", weekday) : fmt::format("{}#{}", weekday, which));
  }
  return text;
}

}  // namespace

bool CronExpression::matches(CivilMinute minute) const noexcept {
  return next_after(minute - std::chrono::minutes{1}) == minute;
}

std::optional<CivilMinute> CronExpression::next_after(CivilMinute after) const noexcept {
  using std::chrono::months;
  constexpr CivilMinute k_earliest = local_days(std::chrono::year(0) / 1 / 1);
  constexpr CivilMinute k_latest = local_days(std::chrono::year(10'000) / 1 / 1);
  if (after >= k_latest) {
    return std::nullopt;
  }
  const CivilMinute from = std::max(k_earliest, after + std::chrono::minutes{1});
  const auto midnight = std::chrono::floor<days>(from);
  const std::chrono::year_month_day date(midnight);
  const auto minute_of_day = static_cast<unsigned>((from - midnight).count());
  const std::chrono::year_month first = date.year() / date.month();
  for (auto month = first; month <= first + std::chrono::years{k_years_searched};
       month += months{1}) {
    if (!has(fields_.months, static_cast<unsigned>(month.month()))) {
      continue;
    }
    const std::uint32_t matching = matching_days(fields_, month);
    const unsigned first_day = month == first ? static_cast<unsigned>(date.day()) : 1;
    for (auto day = next_bit(matching, first_day); day; day = next_bit(matching, *day + 1)) {
      const bool is_first_day = month == first && *day == first_day;
      const unsigned first_hour = is_first_day ? minute_of_day / 60 : 0;
      for (auto hour = next_bit(fields_.hours, first_hour); hour;
           hour = next_bit(fields_.hours, *hour + 1)) {
        const bool is_first_hour = is_first_day && *hour == first_hour;
        if (const auto minute = next_bit(fields_.minutes, is_first_hour ? minute_of_day % 60 : 0)) {
          return CivilMinute(local_days(month / static_cast<int>(*day))) +
                 std::chrono::hours{*hour} + std::chrono::minutes{*minute};
        }
      }
    }
  }
  return std::nullopt;
}

std::string CronExpression::text() const {
  const std::string minutes =
      fields_.minutes == k_all_minutes ? "*" : field_text(fields_.minutes, {0, 59}, true);
  const std::string months =
      fields_.months == k_all_months ? "*" : field_text(fields_.months, {1, 12}, true);
  return fmt::format("{} {} {} {} {}",
                     minutes,
                     hours_text(fields_),
                     days_text(fields_),
                     months,
                     weekdays_text(fields_));
}

}  // namespace batchllm

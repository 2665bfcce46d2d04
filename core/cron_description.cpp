// SPDX-License-Identifier: Apache-2.0
// CronExpression in words.
#include "core/cron_expression.h"
#include "core/text.h"

#include <fmt/format.h>

#include <array>
#include <span>
#include <vector>

namespace batchllm {
namespace {

constexpr std::array<std::string_view, 13> k_months = {"",
                                                       "January",
                                                       "February",
                                                       "March",
                                                       "April",
                                                       "May",
                                                       "June",
                                                       "July",
                                                       "August",
                                                       "September",
                                                       "October",
                                                       "November",
                                                       "December"};
constexpr std::array<std::string_view, 7> k_weekdays = {
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 6> k_places = {
    "last", "first", "second", "third", "fourth", "fifth"};

constexpr std::size_t k_most_times = 6;   // times of the day named one by one
constexpr std::size_t k_most_names = 60;  // never "and 3 more": the words say all

bool is_run(const std::vector<unsigned>& values) noexcept {
  return values.size() >= 2 && values.back() - values.front() + 1 == values.size();
}

// The n of "every n minutes": the values start at 0 and divide `period` evenly; else 0.
unsigned even_step(const std::vector<unsigned>& values, unsigned period) noexcept {
  const auto count = static_cast<unsigned>(values.size());
  if (count < 2 || period % count != 0) {
    return 0;
  }
  for (unsigned i = 0; i < count; ++i) {
    if (values[i] != i * (period / count)) {
      return 0;
    }
  }
  return period / count;
}

std::string list_words(const std::vector<std::string>& names) {
  return name_list(names, k_most_names);
}

// Names of values: "Monday to Friday", "January, April and July"; numbers when `names` is empty.
std::string value_words(const std::vector<unsigned>& values,
                        std::span<const std::string_view> names) {
  std::vector<std::string> words;
  for (const unsigned value : values) {
    words.push_back(names.empty() ? std::to_string(value) : std::string(names[value]));
  }
  if (values.size() >= 3 && is_run(values)) {
    return fmt::format("{} to {}", words.front(), words.back());
  }
  return list_words(words);
}

std::string minute_words(const std::vector<unsigned>& minutes) {
  const unsigned step = even_step(minutes, 60);
  if (step != 0) {
    return step == 1 ? "every minute" : fmt::format("every {} minutes", step);
  }
  return fmt::format("at minute{} {}", minutes.size() == 1 ? "" : "s", value_words(minutes, {}));
}

std::string hour_words(const std::vector<unsigned>& hours) {
  if (hours.size() == 1 || is_run(hours)) {
    return fmt::format(" from {:02}:00 to {:02}:59", hours.front(), hours.back());
  }
  std::vector<std::string> words;
  for (const unsigned hour : hours) {
    words.push_back(fmt::format("{:02}", hour));
  }
  return " in the hours " + list_words(words);
}

std::string time_words(const CronFields& fields) {
  const std::vector<unsigned> minutes = set_members(fields.minutes);
  const std::vector<unsigned> hours = set_members(fields.hours);
  const unsigned hour_step = even_step(hours, 24);
  if (hour_step != 0 && (hour_step == 1 || fields.hours_repeat)) {
    const std::string hour =
        hour_step == 1 ? "every hour" : fmt::format("every {} hours", hour_step);
    if (fields.minutes == 1) {
      return hour;
    }
    if (hour_step == 1) {
      return even_step(minutes, 60) != 0 ? minute_words(minutes)
                                         : minute_words(minutes) + " of every hour";
    }
    if (even_step(minutes, 60) == 0) {
      return fmt::format("{}, {}", minute_words(minutes), hour);
    }
  } else if (minutes.size() * hours.size() <= k_most_times) {
    std::vector<std::string> times;
    for (const unsigned hour : hours) {
      for (const unsigned minute : minutes) {
        times.push_back(fmt::format("{:02}:{:02}", hour, minute));
      }
    }
    return "at " + list_words(times);
  } else if (fields.minutes == 1 && is_run(hours)) {
    return fmt::format("every hour from {:02}:00 to {:02}:00", hours.front(), hours.back());
  }
  return minute_words(minutes) + hour_words(hours);
}

std::string date_words(const CronFields& fields) {
  std::vector<std::string> words;
  const std::vector<unsigned> days = set_members(fields.days);
  if (!days.empty()) {
    words.push_back(fmt::format("day{} {}", days.size() == 1 ? "" : "s", value_words(days, {})));
  }
  if (fields.last_day) {
    words.emplace_back("the last day");
  }
  return list_words(words) + " of the month";
}

std::string weekday_words(const CronFields& fields) {
  std::vector<std::string> words;
  std::vector<unsigned> days = set_members(fields.weekdays);
  if (days == std::vector<unsigned>{0, 5, 6}) {
    words.emplace_back("Friday to Sunday");
  } else if (days == std::vector<unsigned>{0, 6}) {
    words.emplace_back("Saturday and Sunday");
  } else if (!days.empty()) {
    words.push_back(value_words(days, k_weekdays));
  }
  for (const unsigned bit : set_members(fields.some_weekdays)) {
    words.push_back(
        fmt::format("the {} {} of the month", k_places.at(bit % 8), k_weekdays.at(bit / 8)));
  }
  return list_words(words);
}

std::string day_words(const CronFields& fields) {
  const bool every_day = fields.days == k_all_days;
  const bool every_weekday = fields.weekdays == k_all_weekdays;
  if (every_day && every_weekday) {
    return "";
  }
  if (every_day) {
    return " on " + weekday_words(fields);
  }
  if (every_weekday) {
    return " on " + date_words(fields);
  }
  const bool either = !fields.days_starred && !fields.weekdays_starred;
  return " on " + date_words(fields) + (either ? " and on " : " when it is ") +
         weekday_words(fields);
}

}  // namespace

std::string CronExpression::description() const {
  const std::string time = time_words(fields_);
  std::string day = day_words(fields_);
  if (fields_.months != k_all_months) {
    day += " in " + value_words(set_members(fields_.months), k_months);
  } else if (day.empty() && time.starts_with("at ") && time.find(':') != time.npos) {
    day = " every day";
  }
  return time + day;
}

}  // namespace batchllm

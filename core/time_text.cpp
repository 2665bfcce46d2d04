// SPDX-License-Identifier: Apache-2.0
#include "core/time_text.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <optional>

namespace batchllm {
namespace {

using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::int64_t k_day_s = 86'400;

// Takes a text apart from its beginning; the first thing that is not as wanted ends it all.
class TimeScanner {
 public:
  explicit TimeScanner(std::string_view text) : rest_(text) {}

  // Exactly `digits` digits.
  std::optional<int> number(std::size_t digits) {
    if (rest_.size() < digits) {
      return std::nullopt;
    }
    int value = 0;
    for (const char digit : rest_.substr(0, digits)) {
      if (digit < '0' || digit > '9') {
        return std::nullopt;
      }
      value = value * 10 + (digit - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }

  // One of `characters`.
  bool take(std::string_view characters) {
    if (rest_.empty() || characters.find(rest_.front()) == std::string_view::npos) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  bool is_at(char character) const { return !rest_.empty() && rest_.front() == character; }

  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

// Days since 1970.
Result<std::int64_t> read_date(TimeScanner& scanner) {
  const auto year = scanner.number(4);
  const bool first_dash = year && scanner.take("-");
  const auto month = first_dash ? scanner.number(2) : std::nullopt;
  const bool second_dash = month && scanner.take("-");
  const auto day = second_dash ? scanner.number(2) : std::nullopt;
  if (!day) {
    return Failure{"the date is not written YYYY-MM-DD"};
  }
  const year_month_day date(std::chrono::year(*year),
                            std::chrono::month(static_cast<unsigned>(*month)),
                            std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) {
    return Failure{fmt::format("there is no {:04}-{:02}-{:02}", *year, *month, *day)};
  }
  return std::int64_t{sys_days(date).time_since_epoch().count()};
}

// Seconds since midnight; 24:00 is not a time of the day. Only RFC 3339, which always has seconds,
// knows a second 60.
Result<std::int64_t> read_time(TimeScanner& scanner, bool needs_seconds) {
  const auto hour = scanner.number(2);
  const bool colon = hour && scanner.take(":");
  const auto minute = colon ? scanner.number(2) : std::nullopt;
  std::optional<int> second = needs_seconds ? std::nullopt : std::optional(0);
  if (minute && scanner.take(":")) {
    second = scanner.number(2);
  }
  if (!minute || !second) {
    return Failure{needs_seconds ? "the time is not written HH:MM:SS"
                                 : "the time is not written HH:MM"};
  }
  if (*hour > 23 || *minute > 59 || *second > (needs_seconds ? 60 : 59)) {
    return Failure{
        fmt::format("there is no {:02}:{:02}:{:02} on a clock", *hour, *minute, *second)};
  }
  return std::int64_t{*hour} * 3600 + *minute * 60 + *second;
}

// Milliseconds of the digits after a point; further ones are cut off.
Result<std::int64_t> read_fraction(TimeScanner& scanner) {
  std::int64_t milliseconds = 0;
  if (!scanner.take(".")) {
    return milliseconds;
  }
  int digits = 0;
  for (auto digit = scanner.number(1); digit; digit = scanner.number(1)) {
    if (digits++ < 3) {
      milliseconds = milliseconds * 10 + *digit;
    }
  }
  if (digits == 0) {
    return Failure{"no digit follows the point"};
  }
  for (; digits < 3; ++digits) {
    milliseconds *= 10;
  }
  return milliseconds;
}

// Seconds ahead of UTC.
Result<std::int64_t> read_offset(TimeScanner& scanner) {
  if (scanner.take("Zz")) {
    return std::int64_t{0};
  }
  const bool is_behind = scanner.is_at('-');
  if (!scanner.take("+-")) {
    return Failure{"it must end in Z or in an offset such as +01:00"};
  }
  const auto hours = scanner.number(2);
  const bool colon = hours && scanner.take(":");
  const auto minutes = colon ? scanner.number(2) : std::nullopt;
  if (!minutes || *hours > 23 || *minutes > 59) {
    return Failure{"the offset is not written +HH:MM"};
  }
  const std::int64_t offset = std::int64_t{*hours} * 3600 + *minutes * 60;
  return is_behind ? -offset : offset;
}

Failure left_over() {
  return Failure{"something follows the time"};
}

// Date and time as a clock shows them, in seconds.
Result<std::int64_t> read_date_and_time(TimeScanner& scanner, bool needs_seconds) {
  const auto date = read_date(scanner);
  if (!date) {
    return Failure{date.error()};
  }
  if (!scanner.take("Tt ")) {
    return Failure{"a time of the day must follow the date"};
  }
  const auto time = read_time(scanner, needs_seconds);
  if (!time) {
    return Failure{time.error()};
  }
  return *date * k_day_s + *time;
}

}  // namespace

std::string rfc3339_text(std::int64_t time_ms) {
  std::string text = rfc3339_text(time_ms, 0);
  text.replace(text.size() - 6, 6, "Z");
  return text;
}

std::string rfc3339_text(std::int64_t time_ms, std::int32_t offset_s) {
  const std::chrono::sys_time<std::chrono::milliseconds> time{
      std::chrono::milliseconds{time_ms + std::int64_t{offset_s} * 1000}};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const year_month_day date(day);
  const auto of_day = (time - day).count();
  const auto offset_minutes = std::abs(offset_s) / 60;
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}{}{:02}:{:02}",
                     static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()),
                     of_day / 3'600'000,
                     of_day / 60'000 % 60,
                     of_day / 1000 % 60,
                     of_day % 1000,
                     offset_s < 0 ? '-' : '+',
                     offset_minutes / 60,
                     offset_minutes % 60);
}

std::string local_time_text(std::int64_t time_ms) {
  return local_second_text(time_ms).substr(0, std::string_view("2026-11-21 17:05").size());
}

std::string local_second_text(std::int64_t time_ms) {
  const auto seconds = static_cast<std::time_t>(time_ms / 1000);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
                     parts.tm_year + 1900,
                     parts.tm_mon + 1,
                     parts.tm_mday,
                     parts.tm_hour,
                     parts.tm_min,
                     parts.tm_sec);
}

Result<std::int64_t> parse_rfc3339(std::string_view text) {
  TimeScanner scanner(text);
  const auto shown = read_date_and_time(scanner, true);
  if (!shown) {
    return shown;
  }
  const auto milliseconds = read_fraction(scanner);
  if (!milliseconds) {
    return milliseconds;
  }
  const auto offset = read_offset(scanner);
  if (!offset) {
    return offset;
  }
  if (!scanner.at_end()) {
    return left_over();
  }
  const std::int64_t seconds = *shown - *offset;
  const bool is_leap_second = text.substr(17, 2) == "60";
  if (is_leap_second && seconds % k_day_s != 0) {
    return Failure{"a second 60 is only at 23:59 in UTC"};
  }
  const std::int64_t time_ms = seconds * 1000 + (is_leap_second ? 0 : *milliseconds);
  if (time_ms < k_earliest_time_ms || time_ms > k_latest_time_ms) {
    return Failure{"it is not between the years 0 and 9999 in UTC"};
  }
  return time_ms;
}

Result<std::int64_t> parse_time_of_day(std::string_view text) {
  TimeScanner scanner(text);
  const auto seconds = read_time(scanner, false);
  if (!seconds) {
    return seconds;
  }
  if (!scanner.at_end()) {
    return left_over();
  }
  return seconds;
}

Result<CivilTime> parse_civil_time(std::string_view text) {
  TimeScanner scanner(text);
  const auto seconds = read_date_and_time(scanner, false);
  if (!seconds) {
    return Failure{seconds.error()};
  }
  if (!scanner.at_end()) {
    return left_over();
  }
  return CivilTime{*seconds};
}

}  // namespace batchllm

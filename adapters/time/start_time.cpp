// SPDX-License-Identifier: Apache-2.0
#include "adapters/time/start_time.h"

#include "core/error.h"
#include "core/text.h"
#include "core/time_text.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string>
#include <utility>

namespace batchllm {
namespace {

constexpr std::int64_t k_day_s = 86'400;

[[noreturn]] void refuse(std::string_view text, std::string_view why, std::string hint) {
  throw Error(ErrorCode::usage, fmt::format("\"{}\" {}", one_line(text, 60), why), std::move(hint));
}

[[noreturn]] void refuse_form(std::string_view text, const std::string& why = {}) {
  refuse(text,
         why.empty() ? "is not a time" : "is not a time: " + why,
         "write 02:00, tomorrow 02:00, 2026-11-22 02:00, 2026-11-22T02:00:00Z or +3h");
}

std::int64_t floor_to_seconds(std::int64_t time_ms) noexcept {
  return time_ms / 1000 - (time_ms % 1000 < 0 ? 1 : 0);
}

// Seconds since 1970-01-01 00:00:00 on the zone's clocks at the beginning of today.
std::int64_t today_s(const TimeZone& zone, std::int64_t now_ms) {
  const std::int64_t civil_s = zone.to_civil(floor_to_seconds(now_ms));
  const std::int64_t of_day = civil_s % k_day_s;
  return civil_s - (of_day < 0 ? of_day + k_day_s : of_day);
}

std::string in_zone(std::int64_t time_ms, const TimeZone& zone) {
  const std::int64_t utc_s = floor_to_seconds(time_ms);
  return rfc3339_text(time_ms, static_cast<std::int32_t>(zone.to_civil(utc_s) - utc_s));
}

// What follows `word` and a blank, case ignored.
std::optional<std::string_view> after_word(std::string_view text, std::string_view word) {
  if (text.size() <= word.size() || !equals_ignoring_case(text.substr(0, word.size()), word) ||
      text[word.size()] != ' ') {
    return std::nullopt;
  }
  return trim(text.substr(word.size()));
}

std::string_view duration_unit(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 10> k_words = {{
      {"second", "s"},
      {"seconds", "s"},
      {"minute", "m"},
      {"minutes", "m"},
      {"min", "m"},
      {"hour", "h"},
      {"hours", "h"},
      {"day", "d"},
      {"days", "d"},
      {"sec", "s"},
  }};
  for (const auto& [name, unit] : k_words) {
    if (equals_ignoring_case(word, name)) {
      return unit;
    }
  }
  return word;
}

// "3h", "90 minutes"; a number without a unit could be anything.
std::int64_t read_duration(std::string_view text, std::string_view duration) {
  const auto end = duration.find_first_not_of("0123456789.");
  if (end != duration.npos && end != 0) {
    const std::string number(duration.substr(0, end));
    const auto milliseconds =
        parse_duration_ms(number + std::string(duration_unit(trim(duration.substr(end)))));
    if (milliseconds) {
      return *milliseconds;
    }
  }
  refuse(text, "is not a time from now", "write a number and a unit: +30s, +90m, +3h or +2d");
}

// The text as a moment, passed or not; nullopt for a form that is none of them.
std::optional<std::int64_t> read_moment(std::string_view text,
                                        const TimeZone& zone,
                                        std::int64_t now_ms) {
  if (equals_ignoring_case(text, "now")) {
    return now_ms;
  }
  if (text.starts_with('+')) {
    return now_ms + read_duration(text, trim(text.substr(1)));
  }
  if (const auto duration = after_word(text, "in")) {
    return now_ms + read_duration(text, *duration);
  }
  for (const auto& [word, days] : {std::pair("today", 0), std::pair("tomorrow", 1)}) {
    if (const auto time = after_word(text, word)) {
      const auto of_day = parse_time_of_day(*time);
      if (!of_day) {
        refuse_form(text, of_day.error().message);
      }
      return zone.to_utc(today_s(zone, now_ms) + days * k_day_s + *of_day) * 1000;
    }
  }
  if (const auto civil = parse_civil_time(text)) {
    return zone.to_utc(civil->seconds) * 1000;
  }
  return std::nullopt;
}

// The next time that the clocks show `of_day`.
std::int64_t next_time_of_day(std::int64_t of_day_s, const TimeZone& zone, std::int64_t now_ms) {
  std::int64_t midnight_s = today_s(zone, now_ms);
  std::int64_t moment_ms = zone.to_utc(midnight_s + of_day_s) * 1000;
  while (moment_ms <= now_ms) {
    midnight_s += k_day_s;
    moment_ms = zone.to_utc(midnight_s + of_day_s) * 1000;
  }
  return moment_ms;
}

// The reason of the form that the text resembles most.
[[noreturn]] void refuse_unknown(std::string_view text) {
  const bool has_date = text.size() > 7 && text[4] == '-';
  if (!has_date) {
    refuse_form(text, text.find(':') == text.npos ? "" : parse_time_of_day(text).error().message);
  }
  constexpr std::size_t k_minutes_end = 16;  // of "2026-11-22 02:00"
  const bool has_offset = text.find_first_of("Zz+-", k_minutes_end) != text.npos;
  refuse_form(
      text,
      has_offset ? parse_rfc3339(text).error().message : parse_civil_time(text).error().message);
}

}  // namespace

std::int64_t parse_start_time(std::string_view text, const TimeZone& zone, std::int64_t now_ms) {
  text = trim(text);
  std::optional<std::int64_t> moment = read_moment(text, zone, now_ms);
  if (!moment) {
    if (const auto absolute = parse_rfc3339(text)) {
      moment = *absolute;
    } else if (const auto of_day = parse_time_of_day(text)) {
      moment = next_time_of_day(*of_day, zone, now_ms);
    } else {
      refuse_unknown(text);
    }
  }
  if (*moment > k_latest_time_ms) {
    refuse(text, "is after the year 9999", "");
  }
  if (*moment < now_ms) {
    refuse(text,
           fmt::format("has passed: it is {} in {}", in_zone(now_ms, zone), zone.name()),
           "leave the time out to start at once");
  }
  return *moment;
}

}  // namespace batchllm

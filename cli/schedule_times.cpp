// SPDX-License-Identifier: Apache-2.0
#include "cli/schedule_times.h"

#include "adapters/time/next_run.h"
#include "adapters/time/time_zone.h"
#include "core/cron_expression.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/text.h"
#include "core/time_text.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <span>

namespace batchllm {
namespace {

constexpr std::int64_t k_second_ms = 1000;
constexpr std::size_t k_date_length = 10;    // 2026-11-23
constexpr std::size_t k_minute_length = 16;  // 2026-11-23T02:30
constexpr std::size_t k_second_length = 19;  // 2026-11-23T02:30:00

std::string_view weekday_of(std::string_view date) {
  constexpr std::array<std::string_view, 7> k_names = {
      "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  const auto civil = parse_rfc3339(fmt::format("{}T00:00:00Z", date));
  if (!civil) {
    return "";
  }
  const std::chrono::sys_time<std::chrono::milliseconds> moment{std::chrono::milliseconds(*civil)};
  const std::chrono::weekday day{std::chrono::floor<std::chrono::days>(moment)};
  return k_names.at(day.c_encoding());
}

// "2026-11-23 01:30 UTC"
std::string shown_utc(std::int64_t at_ms) {
  const std::string text = rfc3339_text(at_ms);
  return fmt::format("{} {} UTC",
                     text.substr(0, k_date_length),
                     text.substr(k_date_length + 1, k_minute_length - k_date_length - 1));
}

}  // namespace

std::vector<FireTime> next_fire_times(const std::string& cron,
                                      const std::string& zone,
                                      std::int64_t after_ms,
                                      std::size_t count) {
  const CronExpression expression = CronExpression::parse(cron);
  const TimeZone clocks = TimeZone::find(zone);
  std::vector<FireTime> times;
  while (times.size() < count) {
    const auto at_ms = next_run(expression, clocks, after_ms);
    if (!at_ms) {
      break;
    }
    const std::int32_t offset_s = clocks.span_at(*at_ms / k_second_ms).offset_s;
    times.push_back({*at_ms, rfc3339_text(*at_ms, offset_s)});
    after_ms = *at_ms;
  }
  return times;
}

std::vector<FireTime> read_fire_times(const JsonNode& page) {
  std::vector<FireTime> times;
  const JsonNode* items = page.find("items");
  for (const JsonNode& item : items == nullptr ? std::span<const JsonNode>() : items->items()) {
    const auto at_ms = parse_rfc3339(item.find_string("at").value_or(""));
    if (at_ms) {
      times.push_back({*at_ms, std::string(item.find_string("local").value_or(""))});
    }
  }
  return times;
}

std::string cron_words(const std::string& cron) {
  try {
    return CronExpression::parse(cron).description();
  } catch (const Error&) {  // a newer daemon may know more
    return printable(cron);
  }
}

std::string shown_local_time(std::string_view rfc3339) {
  if (rfc3339.size() < k_second_length) {
    return printable(rfc3339);
  }
  const std::string_view date = rfc3339.substr(0, k_date_length);
  const auto offset = rfc3339.find_first_of("Z+-", k_second_length);
  return printable(
      fmt::format("{} {} {} {}",
                  weekday_of(date),
                  date,
                  rfc3339.substr(k_date_length + 1, k_minute_length - k_date_length - 1),
                  offset == std::string_view::npos ? "" : rfc3339.substr(offset)));
}

std::string fire_times_text(const std::vector<FireTime>& times) {
  constexpr std::string_view k_line = "{:<30} {}\n";
  std::string text = fmt::format(fmt::runtime(k_line), "LOCAL", "UTC");
  for (const FireTime& time : times) {
    text += fmt::format(fmt::runtime(k_line), shown_local_time(time.local), shown_utc(time.at_ms));
  }
  return text;
}

std::string fire_times_json(const std::string& cron,
                            const std::string& zone,
                            const std::vector<FireTime>& times) {
  JsonWriter json;
  json.begin_object().key("schema").string("batchllm.schedule_times/1");
  json.key("cron").string(as_utf8(cron)).key("timezone").string(as_utf8(zone));
  json.key("description").string(as_utf8(cron_words(cron)));
  json.key("times").begin_array();
  for (const FireTime& time : times) {
    json.begin_object().key("at").string(rfc3339_text(time.at_ms));
    json.key("local").string(time.local).end_object();
  }
  return json.end_array().end_object().text() + "\n";
}

}  // namespace batchllm

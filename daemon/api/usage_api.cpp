// SPDX-License-Identifier: Apache-2.0
#include "core/error.h"
#include "core/text.h"
#include "core/time_text.h"
#include "daemon/api/api_handlers.h"
#include "daemon/api/job_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm::daemon {
namespace {

constexpr std::int64_t k_ms_per_day = 86'400'000;
constexpr std::int64_t k_standard_days = 30;
constexpr std::int64_t k_most_days = 40'000;  // of a report that holds each of them
constexpr int k_rate_digits = 6;
constexpr std::size_t k_date_characters = 10;  // of "2026-11-21T…"

// Days since 1970, both within.
struct Days {
  std::int64_t first = 0;
  std::int64_t last = 0;
};

std::string day_text(std::int64_t day) {
  return rfc3339_text(day * k_ms_per_day).substr(0, k_date_characters);
}

std::int64_t parse_day(std::string_view name, const std::string& text) {
  const auto time = text.size() == k_date_characters ? parse_rfc3339(text + "T00:00:00Z")
                                                     : Result<std::int64_t>(Failure{""});
  if (!time) {
    throw Error(ErrorCode::usage,
                fmt::format("{} must be a day such as 2026-11-21, not {}", name, printable(text)));
  }
  // Before 1970 nothing was used.
  return std::max<std::int64_t>(*time, 0) / k_ms_per_day;
}

Days read_days(const ApiContext& context, const HttpRequest& request) {
  Days days;
  const auto to = request.query("to");
  const auto from = request.query("from");
  days.last = to ? parse_day("to", *to) : context.store.clock().wall_ms() / k_ms_per_day;
  days.first =
      from ? parse_day("from", *from) : std::max<std::int64_t>(days.last - k_standard_days, 0);
  if (days.first > days.last) {
    throw Error(ErrorCode::usage, "from must not be later than to");
  }
  return days;
}

struct Sums {
  std::int64_t rows = 0;
  std::int64_t failed = 0;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t cost_micro_usd = 0;

  void add(const Sums& more) {
    rows += more.rows;
    failed += more.failed;
    input_tokens += more.input_tokens;
    output_tokens += more.output_tokens;
    cost_micro_usd += more.cost_micro_usd;
  }
};

struct Group {
  std::string key;
  Sums sums;
};

// What makes groups; the names of the API in the order of the columns.
enum class GroupBy : std::uint8_t { project, model, day, job };

constexpr std::array<std::string_view, 4> k_group_names = {"project", "model", "day", "job"};

std::string_view group_query(GroupBy by) noexcept {
  switch (by) {
    case GroupBy::project:
      return "SELECT project, sum(rows), sum(failed), sum(input_tokens), sum(output_tokens), "
             "sum(cost_micro_usd) FROM usage WHERE day BETWEEN ? AND ? GROUP BY project ORDER BY "
             "project";
    case GroupBy::model:
      return "SELECT model, sum(rows), sum(failed), sum(input_tokens), sum(output_tokens), "
             "sum(cost_micro_usd) FROM usage WHERE day BETWEEN ? AND ? GROUP BY model ORDER BY "
             "model";
    case GroupBy::job:
      return "SELECT job_id, sum(rows), sum(failed), sum(input_tokens), sum(output_tokens), "
             "sum(cost_micro_usd) FROM usage WHERE day BETWEEN ? AND ? GROUP BY job_id ORDER BY "
             "job_id";
    case GroupBy::day:
      break;
  }
  return "SELECT day, sum(rows), sum(failed), sum(input_tokens), sum(output_tokens), "
         "sum(cost_micro_usd) FROM usage WHERE day BETWEEN ? AND ? GROUP BY day ORDER BY day";
}

std::vector<Group> read_groups(sql::Database& database, GroupBy by, const Days& days) {
  std::vector<Group> groups;
  auto query = database.prepare(group_query(by));
  query.bind_all(days.first, days.last);
  while (query.step()) {
    groups.push_back({by == GroupBy::day ? day_text(query.integer(0)) : query.string(0),
                      {query.integer(1),
                       query.integer(2),
                       query.integer(3),
                       query.integer(4),
                       query.integer(5)}});
  }
  return groups;
}

// Every day of the time, also those on which nothing was used: a chart needs no gaps filled in.
std::vector<Group> read_every_day(sql::Database& database, const Days& days) {
  if (days.last - days.first >= k_most_days) {
    throw Error(ErrorCode::usage,
                fmt::format("from and to are more than {} days apart", k_most_days));
  }
  std::map<std::string, Sums> used;
  for (const Group& group : read_groups(database, GroupBy::day, days)) {
    used[group.key] = group.sums;
  }
  std::vector<Group> every;
  for (std::int64_t day = days.first; day <= days.last; ++day) {
    const std::string key = day_text(day);
    every.push_back({key, used[key]});
  }
  return every;
}

Sums total_of(const std::vector<Group>& groups) {
  Sums total;
  for (const Group& group : groups) {
    total.add(group.sums);
  }
  return total;
}

void write_sums(JsonWriter& json, const Sums& sums) {
  json.key("rows").number(sums.rows).key("failed").number(sums.failed);
  json.key("input_tokens").number(sums.input_tokens);
  json.key("output_tokens").number(sums.output_tokens);
  json.key("cost_usd").string(usd_decimal(sums.cost_micro_usd));
}

void write_total(JsonWriter& json, const Sums& sums) {
  json.key("total").begin_object();
  write_sums(json, sums);
  json.end_object();
}

void write_groups(JsonWriter& json, std::string_view name, const std::vector<Group>& groups) {
  json.key(name).begin_array();
  for (const Group& group : groups) {
    json.begin_object().key("key").string(group.key);
    write_sums(json, group.sums);
    json.end_object();
  }
  json.end_array();
}

void write_costs(JsonWriter& json, std::string_view name, const std::vector<Group>& groups) {
  json.key(name).begin_array();
  for (const Group& group : groups) {
    json.begin_object().key("key").string(group.key);
    json.key("cost_usd").string(usd_decimal(group.sums.cost_micro_usd)).end_object();
  }
  json.end_array();
}

std::vector<Group> largest_first(std::vector<Group> groups, std::int64_t Sums::*what) {
  std::stable_sort(groups.begin(), groups.end(), [what](const Group& a, const Group& b) {
    return a.sums.*what > b.sums.*what;
  });
  return groups;
}

JsonWriter begin_report(const Days& days) {
  JsonWriter json;
  json.begin_object().key("from").string(day_text(days.first));
  json.key("to").string(day_text(days.last));
  return json;
}

GroupBy read_group_by(const HttpRequest& request) {
  const std::string name = request.query("group_by").value_or("day");
  const auto* found = std::find(k_group_names.begin(), k_group_names.end(), name);
  if (found == k_group_names.end()) {
    throw Error(
        ErrorCode::usage,
        fmt::format("group_by must be project, model, day or job, not {}", printable(name)));
  }
  return static_cast<GroupBy>(found - k_group_names.begin());
}

// Jobs made in the time, all and by state.
void write_states(JsonWriter& json, sql::Database& database, const Days& days) {
  std::array<std::int64_t, static_cast<std::size_t>(JobState::cancelled) + 1> counts{};
  auto query = database.prepare(
      "SELECT state, count(*) FROM jobs WHERE created_at >= ? AND created_at < ? GROUP BY state");
  query.bind_all(days.first * k_ms_per_day, (days.last + 1) * k_ms_per_day);
  std::int64_t all = 0;
  while (query.step()) {
    counts.at(static_cast<std::size_t>(query.integer(0))) = query.integer(1);
    all += query.integer(1);
  }
  json.key("jobs").number(all).key("states").begin_object();
  for (std::size_t state = 0; state < counts.size(); ++state) {
    json.key(job_state_name(static_cast<JobState>(state))).number(counts.at(state));
  }
  json.end_object();
}

}  // namespace

HttpResponse get_usage(ApiContext& context, ApiCall& call) {
  const Days days = read_days(context, call.request);
  const GroupBy by = read_group_by(call.request);
  return context.store.read([&](sql::Database& database) {
    const auto groups = read_groups(database, by, days);
    JsonWriter json = begin_report(days);
    json.key("group_by").string(k_group_names.at(static_cast<std::size_t>(by)));
    write_total(json, total_of(groups));
    write_groups(json, "items", groups);
    return json_response(200, json.end_object().text());
  });
}

HttpResponse get_analytics_overview(ApiContext& context, ApiCall& call) {
  const Days days = read_days(context, call.request);
  return context.store.read([&](sql::Database& database) {
    const Sums total = total_of(read_groups(database, GroupBy::project, days));
    JsonWriter json = begin_report(days);
    write_states(json, database, days);
    json.key("success_rate");
    if (total.rows > 0) {
      json.decimal(static_cast<double>(total.rows - total.failed) / static_cast<double>(total.rows),
                   k_rate_digits);
    } else {
      json.null();
    }
    write_total(json, total);
    return json_response(200, json.end_object().text());
  });
}

HttpResponse get_analytics_cost(ApiContext& context, ApiCall& call) {
  const Days days = read_days(context, call.request);
  return context.store.read([&](sql::Database& database) {
    const auto projects = read_groups(database, GroupBy::project, days);
    JsonWriter json = begin_report(days);
    json.key("total_usd").string(usd_decimal(total_of(projects).cost_micro_usd));
    write_costs(json, "by_day", read_every_day(database, days));
    write_costs(json,
                "by_model",
                largest_first(read_groups(database, GroupBy::model, days), &Sums::cost_micro_usd));
    write_costs(json, "by_project", largest_first(projects, &Sums::cost_micro_usd));
    return json_response(200, json.end_object().text());
  });
}

HttpResponse get_analytics_usage(ApiContext& context, ApiCall& call) {
  const Days days = read_days(context, call.request);
  return context.store.read([&](sql::Database& database) {
    const auto projects = read_groups(database, GroupBy::project, days);
    JsonWriter json = begin_report(days);
    write_total(json, total_of(projects));
    write_groups(json, "by_day", read_every_day(database, days));
    write_groups(
        json, "by_model", largest_first(read_groups(database, GroupBy::model, days), &Sums::rows));
    write_groups(json, "by_project", largest_first(projects, &Sums::rows));
    return json_response(200, json.end_object().text());
  });
}

}  // namespace batchllm::daemon

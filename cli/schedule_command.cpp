// SPDX-License-Identifier: Apache-2.0
#include "cli/schedule_command.h"

#include "adapters/time/time_zone.h"
#include "cli/daemon_client.h"
#include "cli/daemon_connection.h"
#include "cli/queued_job.h"
#include "cli/schedule_request.h"
#include "cli/schedule_times.h"
#include "cli/settings_loader.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/setting_reader.h"
#include "core/text.h"
#include "core/time_text.h"

#include <fmt/format.h>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm {
namespace {

std::string text_of(const JsonNode& schedule, std::string_view name) {
  return std::string(schedule.find_string(name).value_or(""));
}

bool is_enabled(const JsonNode& schedule) {
  const JsonNode* enabled = schedule.find("enabled");
  return enabled == nullptr || enabled->boolean().value_or(true);
}

// The moment on the clocks of the schedule; "-" when there is none.
std::string local_moment(const JsonNode& schedule, std::string_view name) {
  constexpr std::int64_t k_second_ms = 1000;
  const auto at_ms = parse_rfc3339(text_of(schedule, name));
  if (!at_ms) {
    return "-";
  }
  try {
    const TimeZone zone = TimeZone::find(text_of(schedule, "timezone"));
    return shown_local_time(rfc3339_text(*at_ms, zone.span_at(*at_ms / k_second_ms).offset_s));
  } catch (const Error&) {  // a zone that this machine does not know
    return shown_local_time(rfc3339_text(*at_ms));
  }
}

// What fires when, in words: "at 02:30 on Monday to Friday (Europe/Berlin)".
std::string described(const JsonNode& schedule) {
  return fmt::format(
      "{} ({})", cron_words(text_of(schedule, "cron")), text_of(schedule, "timezone"));
}

class ScheduleCommand {
 public:
  ScheduleCommand(const CommandLine& line,
                  const Settings& settings,
                  const EnvironmentLookup& environment,
                  Ui& ui)
      : line_(line),
        settings_(settings),
        environment_(environment),
        reader_(settings),
        ui_(ui) {}

  int run() {
    switch (line_.command->command) {
      case Command::schedule_add:
        return add();
      case Command::schedule_list:
        return list();
      case Command::schedule_show:
        return answer(found(), {});
      case Command::schedule_pause:
        return answer(steer("pause"), "is paused");
      case Command::schedule_resume:
        return answer(steer("resume"), "goes on");
      case Command::schedule_run_now:
        return run_now();
      case Command::schedule_next:
        return next();
      default:
        return remove();
    }
  }

 private:
  DaemonClient& client() {
    if (!client_) {
      client_.emplace(daemon_connection(settings_, environment_));
    }
    return *client_;
  }

  const std::string& name() const { return line_.arguments.front(); }

  std::string path(std::string_view id, std::string_view act = {}) {
    return act.empty() ? url_path({"schedules", id}) : url_path({"schedules", id, act});
  }

  void for_each(const std::function<void(const JsonNode& schedule)>& visit) {
    std::string cursor;
    do {
      const JsonNode page = client().get("/schedules", {{"limit", "1000"}, {"cursor", cursor}});
      const JsonNode* items = page.find("items");
      for (const JsonNode& item : items == nullptr ? std::span<const JsonNode>() : items->items()) {
        visit(item);
      }
      cursor = text_of(page, "next_cursor");
    } while (!cursor.empty());
  }

  // By its name, else by its id.
  JsonNode found() {
    std::optional<JsonNode> by_name;
    std::optional<JsonNode> by_id;
    std::vector<std::string> names;
    for_each([&](const JsonNode& schedule) {
      names.push_back(text_of(schedule, "name"));
      if (names.back() == name()) {
        by_name = schedule;
      } else if (text_of(schedule, "id") == name()) {
        by_id = schedule;
      }
    });
    if (by_name || by_id) {
      return by_name ? *std::move(by_name) : *std::move(by_id);
    }
    const auto near = nearest_name(name(), names);
    throw Error(ErrorCode::schedule_not_found,
                fmt::format("there is no schedule {}", one_line(name(), 80)),
                near ? fmt::format("did you mean {}?", one_line(*near, 80))
                     : "batchllm schedule list shows all schedules");
  }

  JsonNode steer(std::string_view act) {
    return client().post(path(text_of(found(), "id"), act), "{}");
  }

  int add() {
    const ScheduleRequest request = read_schedule_request(line_, settings_);
    const auto body = schedule_body(request, settings_, surroundings_of(line_, environment_), ui_);
    if (!body) {
      return 0;  // a dry run
    }
    return answer(client().post("/schedules", *body), "is made");
  }

  int answer(const JsonNode& schedule, std::string_view what_happened) {
    if (ui_.json()) {
      JsonWriter json;
      json.begin_object().key("schema").string("batchllm.schedule/1");
      json.key("schedule").raw(schedule.to_json()).end_object();
      ui_.out(json.text() + "\n");
      return 0;
    }
    if (!what_happened.empty()) {
      const std::string next = is_enabled(schedule) ? local_moment(schedule, "next_at") : "-";
      ui_.messages().note(fmt::format("Schedule {} {}{}",
                                      one_line(text_of(schedule, "name"), 80),
                                      what_happened,
                                      next == "-" ? "" : "; next: " + next));
      return 0;
    }
    ui_.out(shown(schedule));
    return 0;
  }

  static std::string shown(const JsonNode& schedule) {
    const JsonNode* job = schedule.find("job");
    std::string text = fmt::format("{}  {}\n",
                                   printable(text_of(schedule, "name")),
                                   is_enabled(schedule) ? "enabled" : "paused");
    const auto line = [&text](std::string_view label, const std::string& value) {
      if (!value.empty()) {
        text += fmt::format("  {:<9} {}\n", label, printable(value));
      }
    };
    line("id", text_of(schedule, "id"));
    line("fires", described(schedule));
    line("cron", text_of(schedule, "cron"));
    line("next", local_moment(schedule, "next_at"));
    line("last", local_moment(schedule, "last_at"));
    line("last job", text_of(schedule, "last_job_id"));
    line("error", text_of(schedule, "last_error"));
    line("overlap", text_of(schedule, "overlap"));
    line("missed", text_of(schedule, "missed"));
    line("job", job == nullptr ? std::string() : job->to_json());
    return text;
  }

  int list() {
    constexpr std::string_view k_line = "{:<24} {:<8} {:<28} {:<27} {}\n";
    JsonWriter json;
    json.begin_object().key("schema").string("batchllm.schedules/1").key("schedules").begin_array();
    std::string text =
        fmt::format(fmt::runtime(k_line), "NAME", "STATE", "NEXT", "LAST JOB", "FIRES");
    std::size_t count = 0;
    for_each([&](const JsonNode& schedule) {
      ++count;
      json.raw(schedule.to_json());
      const std::string last_job = text_of(schedule, "last_job_id");
      text += fmt::format(fmt::runtime(k_line),
                          one_line(text_of(schedule, "name"), 24),
                          is_enabled(schedule) ? "enabled" : "paused",
                          is_enabled(schedule) ? local_moment(schedule, "next_at") : "-",
                          last_job.empty() ? "-" : one_line(last_job, 27),
                          one_line(described(schedule), 80));
    });
    if (ui_.json()) {
      ui_.out(json.end_array().end_object().text() + "\n");
    } else if (count == 0) {
      ui_.messages().note(
          "There are no schedules yet. Make one with: batchllm schedule add NAME --cron '0 2 * * "
          "*' "
          "FILE --prompt TEXT --model PROVIDER/NAME");
    } else {
      ui_.out(text);
    }
    return 0;
  }

  int run_now() {
    const DaemonJob job = read_daemon_job(steer("run-now"));
    if (ui_.json()) {
      JsonWriter json;
      json.begin_object().key("schema").string("batchllm.submit/1");
      json.key("job").raw(daemon_job_json(job)).end_object();
      ui_.out(json.text() + "\n");
    } else {
      ui_.out(job.id + "\n");
    }
    return 0;
  }

  int next() {
    const auto count = static_cast<std::size_t>(reader_.count_or_default("schedule.count"));
    const bool is_direct = reader_.is_set("schedule.cron");
    if (is_direct != line_.arguments.empty()) {
      throw Error(ErrorCode::usage,
                  "name a schedule, or give an expression: one of the two",
                  "batchllm schedule next nightly, or batchllm schedule next --cron '0 2 * * *'");
    }
    std::string cron = reader_.text("schedule.cron");
    std::string zone = schedule_zone(reader_);
    std::vector<FireTime> times;
    if (is_direct) {
      times = next_fire_times(cron, zone, SystemClock().wall_ms(), count);
    } else {
      const JsonNode schedule = found();
      cron = text_of(schedule, "cron");
      zone = text_of(schedule, "timezone");
      times = read_fire_times(client().get(path(text_of(schedule, "id"), "next"),
                                           {{"count", fmt::format("{}", count)}}));
    }
    if (ui_.json()) {
      ui_.out(fire_times_json(cron, zone, times));
      return 0;
    }
    ui_.messages().note(fmt::format("{} ({})", cron_words(cron), printable(zone)));
    ui_.out(fire_times_text(times));
    return 0;
  }

  int remove() {
    const JsonNode schedule = found();
    client().del(path(text_of(schedule, "id")));
    const std::string removed = text_of(schedule, "name");
    if (ui_.json()) {
      JsonWriter json;
      json.begin_object().key("schema").string("batchllm.removed/1").key("schedules");
      json.begin_array().string(removed).end_array().end_object();
      ui_.out(json.text() + "\n");
    }
    ui_.messages().note(fmt::format("Removed {}; its jobs stay", one_line(removed, 80)));
    return 0;
  }

  const CommandLine& line_;
  const Settings& settings_;
  const EnvironmentLookup& environment_;
  SettingReader reader_;
  Ui& ui_;
  std::optional<DaemonClient> client_;
};

}  // namespace

int schedule_command(const CommandLine& line,
                     const Settings& settings,
                     const EnvironmentLookup& environment,
                     Ui& ui) {
  return ScheduleCommand(line, settings, environment, ui).run();
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "cli/schedule_request.h"

#include "adapters/time/time_zone.h"
#include "cli/daemon_client.h"
#include "cli/daemon_connection.h"
#include "cli/dry_run.h"
#include "cli/job_body.h"
#include "cli/job_preparation.h"
#include "core/clock.h"
#include "core/cron_expression.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace batchllm {
namespace {

void refuse_what_happens_only_once(const CommandLine& line, const JobSettings& settings) {
  if (std::find(line.arguments.begin(), line.arguments.end(), "-") != line.arguments.end()) {
    throw Error(ErrorCode::usage,
                "- : standard input can be read only once, and a schedule reads again and again",
                "name a file that is there each time");
  }
  if (!settings.output.path.empty() && settings.output.conflict == OutputConflict::refuse) {
    throw Error(ErrorCode::usage,
                fmt::format("-o {}: the second result would stand in the first one's way",
                            printable(settings.output.path)),
                "add --overwrite or --append, or leave -o out and use batchllm results export");
  }
}

}  // namespace

std::string schedule_zone(const SettingReader& reader) {
  if (reader.is_set("schedule.timezone")) {
    return TimeZone::find(reader.text("schedule.timezone")).name();
  }
  std::string name = TimeZone::find("local").name();
  if (name == "local") {
    throw Error(ErrorCode::usage,
                "this machine does not tell the name of its time zone",
                "name one: --timezone Europe/Berlin, --timezone UTC");
  }
  return name;
}

ScheduleRequest read_schedule_request(const CommandLine& line, const Settings& settings) {
  const SettingReader reader(settings);
  ScheduleRequest request;
  request.name = line.arguments.front();
  if (!reader.is_set("schedule.cron")) {
    throw Error(ErrorCode::usage,
                "when is it to fire? --cron EXPR is missing",
                "for example --cron '0 2 * * MON-FRI', or --cron @daily");
  }
  request.cron = reader.text("schedule.cron");
  static_cast<void>(CronExpression::parse(request.cron));
  request.zone = schedule_zone(reader);
  request.overlap = reader.text("schedule.overlap");
  request.missed = reader.text("schedule.missed");
  CommandLine job = line;
  job.arguments.erase(job.arguments.begin());
  request.job = read_submit_request(job, settings, SystemClock().wall_ms());
  refuse_what_happens_only_once(job, request.job.run.settings);
  return request;
}

std::optional<std::string> schedule_body(ScheduleRequest request,
                                         const Settings& settings,
                                         const JobSurroundings& surroundings,
                                         Ui& ui) {
  JobRecord record = make_job_record(request.job.run);
  if (request.job.run.dry_run || request.job.run.show_prompts) {
    dry_run(record, request.job.run, surroundings, ui);
    return std::nullopt;
  }
  const DaemonClientSettings connection = daemon_connection(settings, surroundings.environment);
  check_job_for_daemon(record, surroundings);
  DaemonClient client(connection);
  const auto inputs = send_inputs(client, record, is_local_daemon(connection), {}, {});
  JsonWriter json;
  json.begin_object().key("name").string(as_utf8(request.name));
  json.key("cron").string(as_utf8(request.cron)).key("timezone").string(request.zone);
  json.key("job").raw(submit_body(request.job, record, inputs));
  if (!request.overlap.empty()) {
    json.key("overlap").string(request.overlap);
  }
  if (!request.missed.empty()) {
    json.key("missed").string(request.missed);
  }
  return json.key("enabled").boolean(true).end_object().text();
}

}  // namespace batchllm

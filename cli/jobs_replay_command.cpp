// SPDX-License-Identifier: Apache-2.0
#include "cli/jobs_replay_command.h"

#include "adapters/job/job_report.h"
#include "cli/job_places.h"
#include "core/error.h"
#include "core/event_log.h"
#include "core/job_replay.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <vector>

namespace batchllm {
namespace {

struct Replay {
  std::int64_t events = 0;
  JobFacts replayed;
  JobFacts stored;
};

Replay replay_daemon_job(DaemonClient& client, const DaemonJob& job) {
  const JsonNode* last = job.document.find("last_event");
  const std::int64_t wanted = last == nullptr ? 0 : last->integer().value_or(0);
  const std::string path = url_path({"jobs", job.id, "events"});
  JobView view;
  while (view.last_seq < wanted) {  // what came after the document was made is not in it
    const JsonNode page =
        client.get(path, {{"after", fmt::format("{}", view.last_seq)}, {"limit", "1000"}});
    const JsonNode* items = page.find("items");
    if (items == nullptr || items->items().empty()) {
      break;
    }
    for (const JsonNode& item : items->items()) {
      if (view.last_seq < wanted) {
        apply(view, parse_job_event_document(item));
      }
    }
  }
  return {view.last_seq, job_facts(view), job_facts(job.document)};
}

// A local run that has not ended is interrupted once its process is gone, whatever stopped it.
std::string local_state(const JobView& view, bool is_running) {
  return json_string(is_running              ? "running"
                     : has_ended(view.state) ? job_state_name(view.state)
                                             : job_status_name(JobStatus::interrupted));
}

JobView view_of(const JobReport& report) {
  JobView view;
  view.counts.ok = static_cast<std::int64_t>(report.totals.ok);
  view.counts.failed = static_cast<std::int64_t>(report.totals.failed);
  view.counts.skipped = static_cast<std::int64_t>(report.totals.skipped);
  view.counts.cost_micro_usd = report.totals.cost_micro_usd;
  view.counts.input_tokens = report.totals.input_tokens;
  view.counts.output_tokens = report.totals.output_tokens;
  if (report.record.status == JobStatus::failed) {
    view.fault = JobFault{report.record.stop_code, as_utf8(report.record.stop_message), {}};
  }
  return view;
}

Replay replay_local_job(const JobDirectory& directory) {
  const JobReport report = report_job(directory);
  EventLogReader reader(event_log_path(directory.folder()));
  JobView view;
  for (std::string line; reader.next(line);) {
    apply(view, parse_job_event_document(line));
  }
  if (view.last_seq == 0) {
    throw Error(ErrorCode::job_corrupt,
                fmt::format("{} has no events", report.record.id),
                "a batchllm that wrote none has run it");
  }
  Replay replay{view.last_seq, job_facts(view), {}};
  replay.replayed["state"] = local_state(view, report.is_running);
  replay.stored["state"] = json_string(report.status());
  // While rows come in, and after a kill, the ledger is ahead of the events.
  if (!report.is_running && view.state != JobState::running) {
    const JobFacts stored = job_facts(view_of(report));
    for (const char* fact : {"rows.ok",
                             "rows.failed",
                             "rows.skipped",
                             "rows.done",
                             "cost_usd",
                             "usage.input_tokens",
                             "usage.output_tokens"}) {
      replay.stored[fact] = stored.at(fact);
    }
    if (has_ended(view.state)) {
      replay.stored["error.code"] = stored.at("error.code");
      replay.stored["error.message"] = stored.at("error.message");
    }
  }
  return replay;
}

void write_facts(JsonWriter& json, std::string_view name, const JobFacts& facts) {
  json.key(name).begin_object();
  for (const auto& [fact, value] : facts) {
    json.key(fact).raw(value);
  }
  json.end_object();
}

std::string replay_json(const std::string& job,
                        const Replay& replay,
                        const std::vector<FactDifference>& differences) {
  JsonWriter json;
  json.begin_object().key("schema").string("batchllm.replay/1").key("job").string(job);
  json.key("events").number(replay.events).key("matches").boolean(differences.empty());
  write_facts(json, "replayed", replay.replayed);
  write_facts(json, "stored", replay.stored);
  json.key("differences").begin_array();
  for (const FactDifference& difference : differences) {
    json.begin_object().key("fact").string(difference.fact);
    json.key("replayed").raw(difference.replayed).key("stored").raw(difference.stored).end_object();
  }
  return json.end_array().end_object().text() + "\n";
}

std::string replay_text(const Replay& replay) {
  constexpr std::size_t k_columns = 32;
  std::string text = fmt::format("  {:<20} {:<32} {}\n", "FACT", "EVENTS", "STORED");
  for (const auto& [fact, stored] : replay.stored) {
    const auto found = replay.replayed.find(fact);
    const std::string told = found == replay.replayed.end() ? "null" : found->second;
    text += fmt::format("{} {:<20} {:<32} {}\n",
                        told == stored ? ' ' : '!',
                        fact,
                        one_line(told, k_columns),
                        one_line(stored, k_columns));
  }
  return text;
}

}  // namespace

int jobs_replay_command(const std::string& job,
                        const Settings& settings,
                        const EnvironmentLookup& environment,
                        Ui& ui) {
  JobPlaces places(settings, environment, ui);
  const FoundJob found = places.find(job);
  const Replay replay = found.queued ? replay_daemon_job(places.require_daemon(), *found.queued)
                                     : replay_local_job(*found.folder);
  const auto differences = compare_facts(replay.replayed, replay.stored);
  ui.out(ui.json() ? replay_json(job, replay, differences) : replay_text(replay));
  ui.messages().note(
      fmt::format("{} of {} {} with what is stored.",
                  replay.events == 1 ? "The event" : fmt::format("The {} events", replay.events),
                  job,
                  differences.empty() ? (replay.events == 1 ? "agrees" : "agree")
                                      : (replay.events == 1 ? "does not agree" : "do not agree")));
  return differences.empty() ? 0 : error_kind(ErrorCode::job_corrupt).exit_code;
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "cli/daemon_results.h"

#include "adapters/stream/byte_sink.h"
#include "cli/job_places.h"
#include "cli/jobs_command.h"
#include "cli/results_command.h"
#include "cli/settings_reader.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/setting_reader.h"
#include "core/text.h"

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace batchllm {
namespace {

namespace fs = std::filesystem;

bool has_folder(const std::string& id, const Ui& ui) {
  try {
    const JobDirectory directory = JobDirectory::open(ui.state_dir(), id);
    return fs::exists(directory.folder() / "job.json");
  } catch (const Error&) {
    return false;
  }
}

std::string_view format_name(OutputFormat format, const std::string& path) {
  switch (format) {
    case OutputFormat::csv:
      return "csv";
    case OutputFormat::tsv:
      return "tsv";
    case OutputFormat::json:
      return "json";
    case OutputFormat::jsonl:
      return "jsonl";
    default:
      break;
  }
  const bool is_compressed = compression_of(path) != Compression::none;
  const fs::path name = is_compressed ? fs::path(path).stem() : fs::path(path);
  const std::string extension = name.extension().string();
  for (const std::string_view known : {"csv", "tsv", "json", "jsonl"}) {
    if (extension == "." + std::string(known)) {
      return known;
    }
  }
  return {};
}

std::string_view rows_name(ExportedRows rows) {
  return rows == ExportedRows::ok ? "ok" : rows == ExportedRows::failed ? "failed" : "all";
}

int export_results(const ResultsExportRequest& request, JobPlaces& places) {
  Ui& ui = places.ui();
  const bool to_file = request.path != "-" && !request.path.empty();
  std::error_code ignored;
  if (to_file && !request.overwrite && fs::exists(request.path, ignored)) {
    throw Error(ErrorCode::output_exists,
                fmt::format("{} exists already", request.path),
                "--overwrite replaces it, -o names another file");
  }
  const UrlQuery query{{"format", std::string(format_name(request.format, request.path))},
                       {"status", std::string(rows_name(request.rows))}};
  const std::string path = url_path({"jobs", request.job, "results", "export"});
  DaemonClient& daemon = places.require_daemon();
  if (!to_file) {
    daemon.download(path, query, [&ui](std::string_view piece) {
      ui.out(piece);
      return true;
    });
    return 0;
  }
  const std::string part = request.path + ".part";
  const auto file = open_file_sink(part, compression_of(request.path));
  daemon.download(path, query, [&file](std::string_view piece) {
    file->write(piece);
    return true;
  });
  file->finish();
  fs::rename(part, request.path);
  ui.messages().note(fmt::format("Wrote {}", printable(request.path)));
  if (ui.json()) {
    JsonWriter json;
    json.begin_object().key("schema").string("batchllm.export/1").key("job").string(request.job);
    json.key("output").string(as_utf8(request.path)).end_object();
    ui.out(json.text() + "\n");
  }
  return 0;
}

std::string row_text(const JsonNode& example) {
  const JsonNode* row = example.find("row");
  const auto id = example.find_string("id");
  return fmt::format("  row {}{}: {}\n",
                     row == nullptr ? "?" : row->to_json(),
                     id ? fmt::format(" ({})", one_line(*id, 40)) : "",
                     one_line(example.find_string("message").value_or(""), 160));
}

std::uint64_t rows_in(const JsonNode& node) {
  const JsonNode* rows = node.find("rows");
  return rows == nullptr ? 0 : rows->unsigned_integer().value_or(0);
}

std::string errors_text(const JsonNode& errors, const std::string& id) {
  std::string text;
  const JsonNode* groups = errors.find("groups");
  for (const JsonNode& group : groups == nullptr ? std::span<const JsonNode>() : groups->items()) {
    text += fmt::format("{}: {}\n",
                        one_line(group.find_string("failure").value_or(""), 40),
                        count_noun(rows_in(group), "row"));
    const JsonNode* examples = group.find("examples");
    for (const JsonNode& example :
         examples == nullptr ? std::span<const JsonNode>() : examples->items()) {
      text += row_text(example);
    }
  }
  const JsonNode* in_doubt = errors.find("in_doubt");
  const std::uint64_t doubts = in_doubt == nullptr ? 0 : rows_in(*in_doubt);
  if (doubts != 0) {
    text += fmt::format("in_doubt: {}, sent and never heard of; may have cost up to ${}\n",
                        count_noun(doubts, "row"),
                        one_line(in_doubt->find_string("max_cost_usd").value_or("?"), 40));
  }
  if (text.empty()) {
    return fmt::format("No row of {} failed.\n", id);
  }
  return text + fmt::format("Ask failed rows again: batchllm jobs retry {}\n", id);
}

// The document of the API with the names that this program's own has.
std::string errors_json(const JsonNode& errors, const std::string& id) {
  JsonWriter json;
  json.begin_object().key("schema").string("batchllm.errors/1").key("job").string(id);
  json.key("groups").begin_array();
  const JsonNode* groups = errors.find("groups");
  for (const JsonNode& group : groups == nullptr ? std::span<const JsonNode>() : groups->items()) {
    json.begin_object().key("error").string(group.find_string("failure").value_or(""));
    const JsonNode* examples = group.find("examples");
    json.key("rows").number(rows_in(group)).key("examples");
    json.raw(examples == nullptr ? "[]" : examples->to_json()).end_object();
  }
  const JsonNode* in_doubt = errors.find("in_doubt");
  json.end_array().key("in_doubt").raw(in_doubt == nullptr ? "null" : in_doubt->to_json());
  return json.end_object().text() + "\n";
}

int show_errors(const ResultsErrorsRequest& request, JobPlaces& places) {
  const JsonNode errors = places.require_daemon().get(url_path({"jobs", request.job, "errors"}),
                                                      {{"limit", std::to_string(request.limit)}});
  places.ui().out(places.ui().json() ? errors_json(errors, request.job)
                                     : errors_text(errors, request.job));
  return 0;
}

}  // namespace

int results_command(const CommandLine& line,
                    const Settings& settings,
                    const EnvironmentLookup& environment,
                    Ui& ui) {
  const std::string& id = line.arguments.front();
  const Command command = line.command->command;
  JobPlaces places(settings, environment, ui);
  const bool is_remote = !has_folder(id, ui) && places.ask_daemon(id).has_value();
  if (command == Command::results_export) {
    const ResultsExportRequest request = read_results_export_request(line, settings);
    return is_remote ? export_results(request, places) : results_export_command(request, ui);
  }
  if (command == Command::results_errors) {
    const ResultsErrorsRequest request = read_results_errors_request(line, settings);
    return is_remote ? show_errors(request, places) : results_errors_command(request, ui);
  }
  const std::string gold = SettingReader(settings).text("results.gold");
  if (is_remote && !gold.empty()) {
    throw Error(ErrorCode::usage,
                fmt::format("--gold reads the folder of {}, which is not here", id),
                "ask on the daemon's machine");
  }
  return is_remote ? jobs_show_command({id}, settings, environment, ui)
                   : results_show_command({id, gold}, ui);
}

}  // namespace batchllm

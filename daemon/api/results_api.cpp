// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/job_report.h"
#include "adapters/job/result_export.h"
#include "adapters/job/result_pages.h"
#include "core/error.h"
#include "core/job_directory.h"
#include "core/json_text.h"
#include "core/text.h"
#include "daemon/api/api_handlers.h"
#include "daemon/api/content_disposition.h"
#include "daemon/api/job_document.h"
#include "daemon/api/page.h"
#include "daemon/queue/input_links.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace batchllm::daemon {
namespace {

namespace fs = std::filesystem;

// A job's record and its folder, which a job that has not begun does not have.
struct JobFiles {
  JobRecord record;
  fs::path folder;
};

JobFiles job_files(ApiContext& context, const std::string& id) {
  const QueuedJob job =
      context.store.read([&id](sql::Database& database) { return require_job(database, id); });
  link_inputs(context.store, context.content, context.state_dir, id);
  JobFiles files{parse_job_record(job.record, job.id), context.state_dir / "jobs" / job.id};
  files.record.id = job.id;
  return files;
}

struct RowsChoice {
  std::string_view name;
  ResultRows rows;
};

constexpr std::array k_rows = {RowsChoice{"all", ResultRows::all},
                               RowsChoice{"ok", ResultRows::ok},
                               RowsChoice{"failed", ResultRows::failed}};

ResultRows wanted_rows(const ApiCall& call) {
  const std::string status = call.request.query("status").value_or("all");
  for (const RowsChoice& choice : k_rows) {
    if (choice.name == status) {
      return choice.rows;
    }
  }
  throw Error(ErrorCode::usage,
              fmt::format("status must be ok, failed or all, not {}", printable(status)));
}

struct ExportFormat {
  std::string_view name;  // and the file name's extension
  OutputFormat format;
  std::string_view media_type;
};

constexpr std::array k_formats = {
    ExportFormat{"csv", OutputFormat::csv, "text/csv; charset=utf-8"},
    ExportFormat{"tsv", OutputFormat::tsv, "text/tab-separated-values; charset=utf-8"},
    ExportFormat{"json", OutputFormat::json, "application/json"},
    ExportFormat{"jsonl", OutputFormat::jsonl, "application/x-ndjson"}};

OutputFormat wanted_format(const ApiCall& call) {
  const auto name = call.request.query("format");
  if (!name) {
    return OutputFormat::automatic;
  }
  for (const ExportFormat& format : k_formats) {
    if (format.name == *name) {
      return format.format;
    }
  }
  throw Error(ErrorCode::usage,
              fmt::format("format must be csv, tsv, json or jsonl, not {}", printable(*name)));
}

const ExportFormat& export_format(OutputFormat wanted) {
  for (const ExportFormat& format : k_formats) {
    if (format.format == wanted) {
      return format;
    }
  }
  return k_formats.front();
}

std::string row_document(const FinishedRow& row) {
  const Outcome& outcome = row.outcome;
  JsonWriter json;
  json.begin_object().key("row").number(outcome.row_index + 1);
  if (!outcome.row_id.empty()) {
    json.key("id").string(outcome.row_id);
  }
  json.key("status").string(status_name(outcome.status)).key("input").raw(row.input);
  json.key("output");
  if (outcome.status == RowStatus::ok || !outcome.output.empty()) {
    json.string(outcome.output);
  } else {
    json.null();
  }
  if (outcome.failure != RowFailure::none) {
    json.key("failure").string(failure_name(outcome.failure));
  }
  if (!outcome.message.empty()) {
    json.key("message").string(outcome.message);
  }
  json.key("attempts").number(std::uint64_t{outcome.attempts}).key("usage").begin_object();
  json.key("input_tokens").number(outcome.usage.input_tokens);
  json.key("output_tokens").number(outcome.usage.output_tokens).end_object().key("cost_usd");
  if (outcome.cost_micro_usd) {
    json.string(usd_decimal(*outcome.cost_micro_usd));
  } else {
    json.null();
  }
  return json.end_object().text();
}

void write_example(JsonWriter& json, const Outcome& outcome) {
  json.begin_object().key("row").number(outcome.row_index + 1).key("id");
  write_text_or_null(json, outcome.row_id);
  json.key("message").string(outcome.message).key("http_status").number(outcome.http_status);
  json.key("attempts").number(std::uint64_t{outcome.attempts});
  json.key("request_id").string(outcome.request_id).end_object();
}

// What is written into it goes to the client.
class StreamSink final : public ByteSink {
 public:
  explicit StreamSink(ResponseStream& stream) : stream_(stream) {}

  void write(std::string_view bytes) override {
    if (!stream_.write(bytes)) {
      throw Error(ErrorCode::interrupted, "the client has left");
    }
  }

  void flush() override {}

  void finish() override {}

 private:
  ResponseStream& stream_;
};

}  // namespace

HttpResponse list_results(ApiContext& context, ApiCall& call) {
  const PageRequest page = read_page_request(call);
  const ResultRows wanted = wanted_rows(call);
  const std::int64_t first_row = page.cursor_number().value_or(0);
  const JobFiles files = job_files(context, call.parts.at(0));
  PageWriter writer(page);
  // The cursor is the number of the last row, which is the index of the next.
  visit_finished_rows(files.record,
                      files.folder,
                      wanted,
                      static_cast<std::uint64_t>(std::max<std::int64_t>(first_row, 0)),
                      [&writer](const FinishedRow& row) {
                        return writer.add(row_document(row),
                                          std::to_string(row.outcome.row_index + 1));
                      });
  return json_response(200, writer.text());
}

HttpResponse export_results(ApiContext& context, ApiCall& call) {
  ExportSettings settings;
  settings.rows = wanted_rows(call);
  settings.format = wanted_format(call);
  JobFiles files = job_files(context, call.parts.at(0));
  const std::string id = files.record.id;
  const auto results =
      std::make_shared<ResultExport>(std::move(files.record), std::move(files.folder), settings);
  const ExportFormat& format = export_format(results->kind().format);
  HttpResponse response;
  response.content_type = format.media_type;
  response.headers.emplace_back("Content-Disposition",
                                content_disposition(fmt::format("{}.{}", id, format.name)));
  response.stream = [results](ResponseStream& stream) {
    results->write_to(std::make_unique<StreamSink>(stream));
    return true;
  };
  return response;
}

HttpResponse list_errors(ApiContext& context, ApiCall& call) {
  constexpr std::int64_t k_standard_limit = 10;
  constexpr std::int64_t k_highest_limit = 1000;
  const std::int64_t limit = call.query_integer("limit", k_standard_limit, 1, k_highest_limit);
  const JobFiles files = job_files(context, call.parts.at(0));
  std::map<RowFailure, FailureGroup> groups;
  std::map<std::uint64_t, OpenAttempt> doubts;
  std::error_code error;
  if (fs::is_directory(files.folder, error)) {
    const JobDirectory directory = JobDirectory::open(context.state_dir, files.record.id);
    groups = group_failures(directory, static_cast<std::uint64_t>(limit));
    doubts = rows_in_doubt(directory);
  }
  JsonWriter json;
  json.begin_object().key("job_id").string(files.record.id).key("groups").begin_array();
  for (const auto& [failure, group] : groups) {
    json.begin_object().key("failure").string(failure_name(failure));
    json.key("rows").number(group.rows).key("examples").begin_array();
    for (const Outcome& outcome : group.examples) {
      write_example(json, outcome);
    }
    json.end_array().end_object();
  }
  std::int64_t cost_micro_usd = 0;
  for (const auto& [row, attempt] : doubts) {
    cost_micro_usd += attempt.max_cost_micro_usd;
  }
  json.end_array().key("in_doubt").begin_object();
  json.key("rows").number(std::uint64_t{doubts.size()});
  json.key("max_cost_usd").string(usd_decimal(cost_micro_usd)).end_object();
  return json_response(200, json.end_object().text());
}

}  // namespace batchllm::daemon

// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/job_output.h"

#include "adapters/job/job_form.h"
#include "adapters/json/json_columns.h"
#include "core/atomic_file.h"
#include "core/error.h"
#include "core/result_columns.h"
#include "core/text.h"

#include <fmt/format.h>

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

namespace batchllm {
namespace {

namespace fs = std::filesystem;

// "/data/tickets.csv.gz" -> "/data/tickets"
std::string without_extensions(const std::string& path) {
  fs::path file(path);
  if (compression_of(path) != Compression::none) {
    file.replace_extension();
  }
  return (file.parent_path() / file.stem()).string();
}

std::string absolute_path(const std::string& path) {
  return fs::absolute(path).lexically_normal().string();
}

std::string output_path_of(const JobRecord& record,
                           OutputFormat fallback,
                           const fs::path& job_folder) {
  const OutputSettings& output = record.settings.output;
  const OutputFormat format = output.format == OutputFormat::automatic ? fallback : output.format;
  if (record.result_in_folder) {
    return absolute_path((job_folder / fmt::format("result{}", extension_of(format))).string());
  }
  if (!record.output_path.empty()) {
    return record.output_path;
  }
  if (!output.path.empty()) {
    return output.path == "-" ? "-" : absolute_path(output.path);
  }
  if (isatty(STDOUT_FILENO) == 0) {
    return "-";
  }
  const bool from_stdin = record.inputs.empty() || record.inputs.front().from_stdin;
  const std::string stem = from_stdin ? "stdin" : without_extensions(record.inputs.front().path);
  return absolute_path(fmt::format("{}.out{}", stem, extension_of(format)));
}

// What a matrix of vectors cannot be.
void check_npy(const JobSettings& settings, const OutputPlan& plan) {
  if (plan.kind.format != OutputFormat::npy) {
    return;
  }
  const auto refuse = [&plan](std::string_view why, std::string_view hint) {
    throw Error(ErrorCode::usage, fmt::format("{}: {}", plan.path, why), std::string(hint));
  };
  if (!settings.embedding.is_wanted) {
    refuse(".npy holds vectors, not answers", "batchllm embed makes vectors");
  }
  if (plan.path == "-") {
    refuse("a .npy file cannot be written to a stream", "name a file with -o, or write .jsonl");
  }
  if (plan.kind.compression != Compression::none) {
    refuse("a .npy file is not compressed", "write .npy, or .jsonl.zst");
  }
  if (settings.output.order == RowOrder::completion) {
    refuse("the rows of a .npy file are told by their order", "leave --order completion out");
  }
  if (plan.conflict == OutputConflict::append) {
    refuse("rows cannot be appended to a .npy file", "write another file with -o");
  }
}

}  // namespace

std::vector<std::string> kept_columns(const OutputSettings& output, const RowSource& source) {
  return output.columns.empty() ? source.columns() : output.columns;
}

OutputFormat format_of_input(const InputSource& source) {
  for (const auto& input : source.describe()) {
    for (const auto& [name, value] : input.facts) {
      if (name != "format") {
        continue;
      }
      if (value == "tsv") {
        return OutputFormat::tsv;
      }
      if (value == "json") {
        return OutputFormat::json;
      }
      if (value == "jsonl") {
        return OutputFormat::jsonl;
      }
      return OutputFormat::csv;
    }
  }
  return OutputFormat::csv;
}

OutputPlan plan_output(const JobRecord& record,
                       const InputSource& source,
                       const fs::path& job_folder) {
  const OutputFormat fallback = format_of_input(source);
  OutputPlan plan;
  plan.path = output_path_of(record, fallback, job_folder);
  plan.kind = output_kind(plan.path, record.settings.output.format, fallback);
  plan.conflict = record.settings.output.conflict;
  check_npy(record.settings, plan);
  if (plan.path == "-") {
    return plan;
  }
  const fs::path path(plan.path);
  std::error_code error;
  if (fs::is_directory(path, error)) {
    throw Error(ErrorCode::usage,
                fmt::format("--output {}: this is a folder", plan.path),
                "name a file in it");
  }
  if (!path.parent_path().empty() && !fs::is_directory(path.parent_path(), error)) {
    throw Error(ErrorCode::storage,
                fmt::format("the folder {} does not exist", path.parent_path().string()),
                "create it first");
  }
  plan.part_path =
      (path.parent_path() / fmt::format(".{}.{}.part", path.filename().string(), record.id))
          .string();
  if (record.result_in_folder) {
    // Its own: what an earlier run of the job left there is replaced.
    plan.conflict = OutputConflict::overwrite;
  } else {
    plan.rejects_path = plan.path + ".rejects.jsonl";
  }
  return plan;
}

ResultColumnSettings result_columns_of(const JobRecord& record) {
  const OutputSettings& output = record.settings.output;
  ResultColumnSettings columns;
  columns.output_column = output.column;
  columns.form = make_form(result_answer(record));
  columns.include_meta = output.include_meta;
  columns.compares = record.compares;
  const bool has_steps = !record.later_steps.empty();
  if (!has_steps || !(record.compares || output.include_steps)) {
    return columns;
  }
  const auto add = [&](const std::string& step, const AnswerSettings& answer) {
    columns.steps.push_back({static_cast<std::uint32_t>(columns.steps.size()),
                             record.compares ? step : fmt::format("steps.{}", step),
                             make_form(answer)});
  };
  add(record.first_step, record.settings.answer);
  for (const JobStep& step : record.later_steps) {
    add(step.name, step.answer);
  }
  return columns;
}

void check_output_is_free(const JobRecord& record) {
  std::error_code error;
  if (record.output_path.empty() || record.output_path == "-" ||
      record.settings.output.conflict != OutputConflict::refuse ||
      !fs::exists(record.output_path, error)) {
    return;
  }
  throw Error(ErrorCode::output_exists,
              fmt::format("{} exists already", record.output_path),
              "--overwrite replaces it when the run is complete, --append adds to it, -o names "
              "another file");
}

void check_appending(const JobRecord& record, const OutputPlan& plan, const RowSource& source) {
  const OutputSettings& output = record.settings.output;
  std::error_code error;
  if (plan.conflict != OutputConflict::append || !fs::exists(plan.path, error)) {
    return;
  }
  if (plan.kind.format == OutputFormat::json) {
    throw Error(ErrorCode::usage,
                fmt::format("{}: rows cannot be appended to a JSON array", plan.path),
                "write one object a line instead: -o FILE.jsonl");
  }
  if (plan.kind.format == OutputFormat::jsonl) {
    return;
  }
  InputSettings existing;
  existing.format = plan.kind.format == OutputFormat::tsv ? InputFormat::tsv : InputFormat::csv;
  std::vector<std::string> columns = kept_columns(output, source);
  const ResultColumns added(result_columns_of(record), false, columns);
  columns.insert(columns.end(), added.names().begin(), added.names().end());
  if (fs::file_size(plan.path, error) != 0 &&
      open_inputs({plan.path}, existing)->columns() != columns) {
    throw Error(
        ErrorCode::output_exists,
        fmt::format("{} has other columns than this run writes: {}", plan.path, name_list(columns)),
        "write another file with -o, or --overwrite this one");
  }
}

ResultWriterSettings make_result_settings(const JobRecord& record,
                                          const OutputPlan& plan,
                                          const JobInputs& inputs,
                                          std::stop_token stop) {
  const OutputSettings& output = record.settings.output;
  const bool is_json =
      plan.kind.format == OutputFormat::json || plan.kind.format == OutputFormat::jsonl;
  ResultWriterSettings settings;
  settings.columns = result_columns_of(record);
  settings.may_restart = !plan.part_path.empty();
  settings.adds_error_column =
      plan.conflict != OutputConflict::append && plan.kind.format != OutputFormat::npy;
  if (record.settings.embedding.is_wanted && plan.kind.format != OutputFormat::npy) {
    settings.columns.answers = AnswerKind::vector;
  }
  settings.open_source = [output, is_json, &inputs, stop](std::vector<std::string>& names) {
    std::unique_ptr<InputSource> source = inputs.open_again(stop);
    names = kept_columns(output, *source);
    if (source->is_open_ended() && output.columns.empty()) {
      if (is_json) {
        names.clear();  // rows are copied as they are
      } else {
        // A table needs its columns before its first row: one pass to collect them.
        names = collect_columns(*source);
        source = inputs.open_again(stop);
      }
    }
    source->select(names);
    return std::unique_ptr<RowSource>(std::move(source));
  };
  const RowSinkOptions options = row_sink_options(record, plan);
  const Compression compression = plan.kind.compression;
  if (plan.part_path.empty()) {
    settings.open_sink = [options, compression] {
      return open_output(STDOUT_FILENO, "standard output", compression, options);
    };
    return settings;
  }
  const bool appends = options.append;
  settings.open_sink = [options = options, compression, appends, plan]() mutable {
    std::error_code ignored;
    options.append = appends && fs::file_size(plan.path, ignored) != 0 && !ignored;
    if (options.append) {
      fs::copy_file(plan.path, plan.part_path, fs::copy_options::overwrite_existing);
    } else {
      std::error_code error;
      fs::remove(plan.part_path, error);
    }
    return open_output(plan.part_path, compression, options);
  };
  return settings;
}

RowSinkOptions row_sink_options(const JobRecord& record, const OutputPlan& plan) {
  RowSinkOptions options;
  options.format = plan.kind.format;
  options.escape_formulas = record.settings.output.escape_formulas;
  options.keep_record = record.settings.output.columns.empty();
  options.append = plan.conflict == OutputConflict::append;
  return options;
}

void publish_result(const OutputPlan& plan) {
  const fs::path folder = fs::path(plan.path).parent_path();
  if (plan.conflict == OutputConflict::refuse) {
    // A link fails where a rename would replace.
    if (link(plan.part_path.c_str(), plan.path.c_str()) == 0) {
      unlink(plan.part_path.c_str());
      sync_folder(folder);
      return;
    }
    if (errno == EEXIST) {
      throw Error(ErrorCode::output_exists,
                  fmt::format("{} has appeared meanwhile", plan.path),
                  "every answer is saved: write them elsewhere with batchllm results export");
    }
  }
  if (std::rename(plan.part_path.c_str(), plan.path.c_str()) != 0) {
    throw_storage_error("rename", plan.part_path, errno);
  }
  sync_folder(folder);
}

}  // namespace batchllm

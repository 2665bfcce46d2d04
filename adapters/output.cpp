// SPDX-License-Identifier: Apache-2.0
#include "adapters/output.h"

#include "adapters/csv/csv_row_sink.h"
#include "adapters/json/json_row_sink.h"
#include "adapters/npy/npy_row_sink.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace batchllm {
namespace {

struct OutputExtension {
  std::string_view text;
  OutputFormat format;
};

constexpr std::array k_extensions = {
    OutputExtension{".csv", OutputFormat::csv},
    OutputExtension{".tsv", OutputFormat::tsv},
    OutputExtension{".tab", OutputFormat::tsv},
    OutputExtension{".json", OutputFormat::json},
    OutputExtension{".jsonl", OutputFormat::jsonl},
    OutputExtension{".ndjson", OutputFormat::jsonl},
    OutputExtension{".npy", OutputFormat::npy},
};

// Formats that users ask for and that no sink writes.
constexpr std::array<std::string_view, 5> k_not_written = {
    ".parquet", ".xlsx", ".xls", ".sqlite", ".db"};

}  // namespace

OutputKind output_kind(const std::string& path, OutputFormat wanted, OutputFormat fallback) {
  OutputKind kind;
  kind.compression = compression_of(path);
  if (wanted != OutputFormat::automatic) {
    kind.format = wanted;
    return kind;
  }
  std::string_view name = path;
  if (kind.compression != Compression::none) {
    name = name.substr(0, name.find_last_of('.'));
  }
  const std::string lower = lowercase(name);
  for (const auto& extension : k_extensions) {
    if (lower.ends_with(extension.text)) {
      kind.format = extension.format;
      return kind;
    }
  }
  for (const auto extension : k_not_written) {
    if (lower.ends_with(extension)) {
      throw Error(
          ErrorCode::usage,
          fmt::format("cannot write {}: there is no output format for {}", path, extension),
          "use .csv, .tsv, .json or .jsonl (also .gz, .zst, .xz, .bz2, .lz4), or --output-format");
    }
  }
  kind.format = fallback == OutputFormat::automatic ? OutputFormat::csv : fallback;
  return kind;
}

std::string_view extension_of(OutputFormat format) noexcept {
  switch (format) {
    case OutputFormat::tsv:
      return ".tsv";
    case OutputFormat::json:
      return ".json";
    case OutputFormat::jsonl:
      return ".jsonl";
    case OutputFormat::npy:
      return ".npy";
    case OutputFormat::automatic:
    case OutputFormat::csv:
      break;
  }
  return ".csv";
}

std::unique_ptr<RowSink> make_row_sink(std::unique_ptr<ByteSink> bytes,
                                       const RowSinkOptions& options) {
  switch (options.format) {
    case OutputFormat::json:
      return make_json_row_sink(std::move(bytes), JsonLayout::array, options.keep_record);
    case OutputFormat::jsonl:
      return make_json_row_sink(std::move(bytes), JsonLayout::lines, options.keep_record);
    case OutputFormat::npy:
      throw Error(ErrorCode::usage,
                  "a .npy file cannot be written to a stream",
                  "name a file with -o, or write .jsonl");
    case OutputFormat::automatic:
    case OutputFormat::csv:
    case OutputFormat::tsv:
      break;
  }
  const char delimiter = options.format == OutputFormat::tsv ? '\t' : ',';
  return std::make_unique<CsvRowSink>(
      std::move(bytes), delimiter, options.escape_formulas, !options.append);
}

std::unique_ptr<RowSink> open_output(const std::string& path,
                                     Compression compression,
                                     const RowSinkOptions& options) {
  if (options.format == OutputFormat::npy) {
    return open_npy_row_sink(path);
  }
  return make_row_sink(open_file_sink(path, compression, options.append), options);
}

std::unique_ptr<RowSink> open_output(int descriptor,
                                     const std::string& name,
                                     Compression compression,
                                     const RowSinkOptions& options) {
  return make_row_sink(open_descriptor_sink(descriptor, name, compression), options);
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "cli/inspect_command.h"

#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <functional>

namespace batchllm {
namespace {

void add_cell(ColumnProfile& column, std::string_view cell, CellKind kind) {
  constexpr std::size_t k_example = 200;
  if (cell.data() == nullptr) {
    ++column.null;
    return;
  }
  if (cell.empty()) {
    ++column.empty;
    return;
  }
  const std::size_t length = character_count(cell);
  column.shortest = column.filled == 0 ? length : std::min(column.shortest, length);
  column.longest = std::max(column.longest, length);
  column.characters += length;
  column.json += kind == CellKind::json ? 1 : 0;
  if (++column.filled == 1) {
    column.example = one_line(cell, k_example);
  }
  if (column.distinct.size() <= ColumnProfile::k_most_distinct) {
    column.distinct.insert(std::hash<std::string_view>{}(cell));
  }
}

std::string distinct_text(const ColumnProfile& column) {
  return column.distinct.size() > ColumnProfile::k_most_distinct
             ? fmt::format(">{}", ColumnProfile::k_most_distinct)
             : std::to_string(column.distinct.size());
}

// Text in `width` characters, cut or filled up; characters that are wide on a terminal may stand
// out.
std::string padded(std::string_view text, std::size_t width) {
  std::string cell = one_line(text, width);
  const std::size_t length = character_count(cell);
  cell.append(width > length ? width - length : 0, ' ');
  return cell;
}

void append_inputs(std::string& out, const InputProfile& profile) {
  constexpr std::size_t k_files_shown = 10;
  for (std::size_t i = 0; i < std::min(profile.inputs.size(), k_files_shown); ++i) {
    const auto& input = profile.inputs[i];
    out += fmt::format("{}\n", one_line(input.path, 98));
    std::string facts;
    for (const auto& [name, value] : input.facts) {
      if (name != "compression" || value != "none") {
        const bool is_sign =
            value.size() == 1 && std::ispunct(static_cast<unsigned char>(value[0])) != 0;
        const std::string_view mark = is_sign ? "'" : "";
        facts += fmt::format(
            "{}{} {}{}{}", facts.empty() ? "" : ", ", name, mark, one_line(value, 60), mark);
      }
    }
    out += fmt::format("  {}\n", facts);
    for (const auto& warning : input.warnings) {
      out += fmt::format("  note: {}\n", one_line(warning, 300));
    }
  }
  if (profile.inputs.size() > k_files_shown) {
    out +=
        fmt::format("and {} more files\n", with_thousands(profile.inputs.size() - k_files_shown));
  }
}

void append_columns(std::string& out, const InputProfile& profile) {
  constexpr std::size_t k_widest_name = 24;
  constexpr std::size_t k_width = 98;
  std::size_t name_width = 6;
  for (const auto& column : profile.columns) {
    name_width = std::max(name_width, std::min(k_widest_name, character_count(column.name)));
  }
  const std::string heading = fmt::format("\n  {}  {:>9} {:>7} {:>7}  {:>6} {:>7} {:>7}  {:>8}  ",
                                          padded("column", name_width),
                                          "filled",
                                          "empty",
                                          "null",
                                          "min",
                                          "avg",
                                          "max",
                                          "distinct");
  const std::size_t example_width = k_width - std::min(k_width - 10, heading.size());
  out += heading + "example\n";
  for (const auto& column : profile.columns) {
    out += fmt::format("  {}  {:>9} {:>7} {:>7}  {:>6} {:>7.1f} {:>7}  {:>8}  {}\n",
                       padded(column.name, name_width),
                       column.filled,
                       column.empty,
                       column.null,
                       column.shortest,
                       column.average(),
                       column.longest,
                       distinct_text(column),
                       one_line(column.example, example_width));
  }
}

void append_bad_rows(std::string& out, const InputProfile& profile) {
  if (profile.bad_row_count == 0) {
    return;
  }
  out += fmt::format("\n{} cannot be read", count_noun(profile.bad_row_count, "row"));
  out += profile.bad_row_count > profile.bad_rows.size()
             ? fmt::format(" (the first {} of them):\n", profile.bad_rows.size())
             : ":\n";
  for (const auto& bad : profile.bad_rows) {
    const std::string file = profile.inputs.size() > 1 && bad.place.input < profile.inputs.size()
                                 ? one_line(profile.inputs[bad.place.input].path, 60) + ", "
                                 : "";
    out += fmt::format("  {}row {}, line {}, byte {}: {}: {}\n",
                       file,
                       with_thousands(bad.place.row_index + 1),
                       bad.place.line,
                       bad.place.byte_offset,
                       bad.reason,
                       one_line(bad.message, 200));
  }
  out += "  `--on-bad-row reject` puts such rows aside and goes on\n";
}

void write_columns(JsonWriter& json, const InputProfile& profile) {
  json.key("columns").begin_array();
  for (const auto& column : profile.columns) {
    const bool more = column.distinct.size() > ColumnProfile::k_most_distinct;
    json.begin_object();
    json.key("name").string(column.name);
    json.key("filled").number(column.filled);
    json.key("empty").number(column.empty);
    json.key("null").number(column.null);
    json.key("min_characters").number(static_cast<std::uint64_t>(column.shortest));
    json.key("avg_characters").decimal(column.average(), 1);
    json.key("max_characters").number(static_cast<std::uint64_t>(column.longest));
    json.key("distinct")
        .number(static_cast<std::uint64_t>(more ? ColumnProfile::k_most_distinct
                                                : column.distinct.size()));
    json.key("distinct_is_at_least").boolean(more);
    json.key("example").string(column.example);
    json.end_object();
  }
  json.end_array();
}

void write_bad_rows(JsonWriter& json, const InputProfile& profile) {
  json.key("bad_rows").begin_array();
  for (const auto& bad : profile.bad_rows) {
    json.begin_object();
    json.key("row").number(bad.place.row_index + 1);
    json.key("input").number(static_cast<std::uint64_t>(bad.place.input));
    json.key("line").number(bad.place.line);
    json.key("byte_offset").number(bad.place.byte_offset);
    json.key("reason").string(bad.reason);
    json.key("message").string(bad.message);
    json.end_object();
  }
  json.end_array();
}

// As a shell takes it: in single quotes when it holds anything but the harmless.
std::string shell_word(const std::string& text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char byte) {
    const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    return letter || (byte >= '0' && byte <= '9') ||
           std::string_view("_-./,:=+@%").find(byte) != std::string_view::npos;
  });
  if (plain) {
    return text;
  }
  std::string quoted = "'";
  for (const char byte : text) {
    quoted += byte == '\'' ? std::string("'\\''") : std::string(1, byte);
  }
  return quoted + "'";
}

// The column that has most to say: much text, and not the same in every row.
const ColumnProfile* richest_column(const std::vector<ColumnProfile>& columns) {
  const ColumnProfile* best = nullptr;
  double best_score = -1;
  for (const auto& column : columns) {
    // A name with these needs more than plain braces in a template or a shell.
    if (column.name.find_first_of("{}|.[]\"'$`\\!\n\r\x1B") != std::string::npos) {
      continue;
    }
    const double variety = column.distinct.size() > 1 || column.filled <= 1 ? 1.0 : 0.1;
    const double text_share = column.filled == 0 ? 0
                                                 : 1 - 0.9 * static_cast<double>(column.json) /
                                                           static_cast<double>(column.filled);
    const bool is_address = column.example.starts_with("http") || column.name == "path";
    const double score =
        static_cast<double>(column.characters) * variety * text_share * (is_address ? 0.1 : 1);
    if (score > best_score) {
      best = &column;
      best_score = score;
    }
  }
  return best;
}

// The flags without which the inputs would be read differently.
std::string input_flags(const InputSettings& settings) {
  constexpr std::array<std::string_view, 6> k_formats = {"", "csv", "tsv", "json", "jsonl", "text"};
  std::string flags;
  const auto add = [&](std::string_view flag, const std::string& value) {
    if (!value.empty()) {
      flags += fmt::format(" {} {}", flag, shell_word(value));
    }
  };
  add("--input-format", std::string(k_formats[static_cast<std::size_t>(settings.format)]));
  add("--delimiter", settings.delimiter ? std::string(1, *settings.delimiter) : "");
  flags += settings.has_header ? "" : " --no-header";
  add("--encoding", settings.encoding);
  add("--json-path", settings.json_path);
  return flags;
}

}  // namespace

InputProfile profile_input(InputSource& source, std::uint64_t most_rows) {
  InputProfile profile;
  for (const auto& name : source.columns()) {
    profile.columns.emplace_back().name = name;
  }
  RowBatch batch;
  while (profile.complete && source.next_batch(batch)) {
    for (std::size_t row = 0; row < batch.row_count(); ++row) {
      if (most_rows != 0 && profile.rows == most_rows) {
        profile.complete = false;
        break;
      }
      ++profile.rows;
      const auto cells = batch.row_cells(row);
      for (std::size_t i = 0; i < std::min(cells.size(), profile.columns.size()); ++i) {
        add_cell(profile.columns[i], cells[i], batch.cell_kind(row, i));
      }
    }
    profile.bad_row_count += batch.bad_rows.size();
    for (auto& bad : batch.bad_rows) {
      if (profile.bad_rows.size() < InputProfile::k_bad_rows_shown) {
        profile.bad_rows.push_back(std::move(bad));
      }
    }
  }
  profile.inputs = source.describe();
  profile.padded_rows = source.padded_rows();
  return profile;
}

std::string example_run_command(const std::vector<std::string>& inputs,
                                const InputSettings& settings,
                                const std::vector<ColumnProfile>& columns) {
  std::string command = "batchllm run";
  for (const auto& input : inputs) {
    command += " " + shell_word(input);
  }
  const ColumnProfile* column = richest_column(columns);
  command += input_flags(settings);
  command += fmt::format(" --model openai/gpt-4o-mini --prompt \"Summarize: {{{}}}\"",
                         column == nullptr ? "column" : one_line(column->name, 200));
  return command + " --output-column summary";
}

std::string example_run_command(const std::vector<std::string>& inputs,
                                const InputSettings& settings) {
  constexpr std::uint64_t k_rows = 1000;
  const auto source = open_inputs(expand_inputs(inputs, settings), settings);
  return example_run_command(inputs, settings, profile_input(*source, k_rows).columns);
}

std::string inspect_text(const InputProfile& profile, const std::string& example_command) {
  std::string out;
  append_inputs(out, profile);
  out += fmt::format("  {}{}, {}",
                     profile.complete ? "" : "the first ",
                     count_noun(profile.rows, "row"),
                     count_noun(profile.columns.size(), "column"));
  if (profile.padded_rows != 0) {
    out += fmt::format(", {} shorter than the header", count_noun(profile.padded_rows, "row"));
  }
  out += '\n';
  if (!profile.columns.empty()) {
    append_columns(out, profile);
  }
  append_bad_rows(out, profile);
  if (!profile.columns.empty()) {
    out += fmt::format("\nTry:\n  {}\n", example_command);
  }
  return out;
}

std::string inspect_json(const InputProfile& profile, const std::string& example_command) {
  JsonWriter json;
  json.begin_object();
  json.key("schema").string("batchllm.inspect/1");
  json.key("inputs").begin_array();
  for (const auto& input : profile.inputs) {
    json.begin_object().key("path").string(input.path);
    json.key("facts").begin_object();
    for (const auto& [name, value] : input.facts) {
      json.key(name).string(value);
    }
    json.end_object().key("warnings").begin_array();
    for (const auto& warning : input.warnings) {
      json.string(warning);
    }
    json.end_array().end_object();
  }
  json.end_array();
  json.key("rows").number(profile.rows);
  json.key("complete").boolean(profile.complete);
  json.key("bad_row_count").number(profile.bad_row_count);
  json.key("padded_rows").number(profile.padded_rows);
  write_columns(json, profile);
  write_bad_rows(json, profile);
  json.key("example_command").string(example_command);
  json.end_object();
  return json.text() + "\n";
}

int inspect_command(const std::vector<std::string>& inputs,
                    const InputSettings& settings,
                    std::uint64_t rows,
                    bool json) {
  const auto source = open_inputs(expand_inputs(inputs, settings), settings);
  const InputProfile profile = profile_input(*source, rows);
  const std::string example = example_run_command(inputs, settings, profile.columns);
  const std::string text = json ? inspect_json(profile, example) : inspect_text(profile, example);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
  return 0;
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "adapters/input_format.h"

#include "adapters/json/json_check.h"
#include "adapters/stream/byte_sink.h"
#include "core/text.h"

#include <array>
#include <cstddef>

namespace batchllm {
namespace {

struct Extension {
  std::string_view text;
  InputFormat format;
};

constexpr std::array k_extensions = {
    Extension{"csv", InputFormat::csv},         Extension{"tsv", InputFormat::tsv},
    Extension{"tab", InputFormat::tsv},         Extension{"psv", InputFormat::csv},
    Extension{"json", InputFormat::json},       Extension{"geojson", InputFormat::json},
    Extension{"jsonl", InputFormat::jsonl},     Extension{"ndjson", InputFormat::jsonl},
    Extension{"jsonlines", InputFormat::jsonl}, Extension{"txt", InputFormat::text},
    Extension{"text", InputFormat::text},       Extension{"md", InputFormat::text},
    Extension{"markdown", InputFormat::text},   Extension{"rst", InputFormat::text},
    Extension{"adoc", InputFormat::text},       Extension{"org", InputFormat::text},
    Extension{"tex", InputFormat::text},        Extension{"html", InputFormat::text},
    Extension{"htm", InputFormat::text},        Extension{"xml", InputFormat::text},
    Extension{"eml", InputFormat::text},        Extension{"log", InputFormat::text},
    Extension{"srt", InputFormat::text},        Extension{"vtt", InputFormat::text},
};

// What begins like an object with members, or like an array of objects.
bool begins_like_json(std::string_view head) {
  head = trim(head);
  if (!head.starts_with('{') && !head.starts_with('[')) {
    return false;
  }
  const std::string_view inside = trim(head.substr(1));
  return inside.starts_with(head.front() == '{' ? '"' : '{');
}

// None of the first lines has anything of JSON.
bool is_clearly_not_json(std::string_view head) {
  constexpr std::size_t k_lines = 10;
  std::size_t seen = 0;
  while (!head.empty() && seen < k_lines) {
    const auto newline = head.find('\n');
    const std::string_view line = trim(head.substr(0, newline));
    head.remove_prefix(newline == std::string_view::npos ? head.size() : newline + 1);
    if (line.empty()) {
      continue;
    }
    if (line.front() == '{' || line.front() == '[' || !json::check_json(line)) {
      return false;
    }
    ++seen;
  }
  return seen >= 2;
}

}  // namespace

InputFormat format_by_name(std::string_view path) {
  path = path.substr(path.find_last_of('/') + 1);
  if (compression_of(path) != Compression::none) {
    path = path.substr(0, path.find_last_of('.'));
  }
  const auto dot = path.find_last_of('.');
  if (dot == std::string_view::npos || dot == 0) {
    return InputFormat::automatic;
  }
  for (const auto& extension : k_extensions) {
    if (equals_ignoring_case(path.substr(dot + 1), extension.text)) {
      return extension.format;
    }
  }
  return InputFormat::automatic;
}

InputFormat format_by_content(std::string_view head, InputFormat by_name) {
  switch (by_name) {
    case InputFormat::text:
      return InputFormat::text;
    case InputFormat::json:
    case InputFormat::jsonl:
      return is_clearly_not_json(head) ? InputFormat::csv : by_name;
    case InputFormat::csv:
    case InputFormat::tsv:
      return begins_like_json(head) ? InputFormat::json : by_name;
    case InputFormat::automatic:
      break;
  }
  const std::string_view start = trim(head);
  const std::string_view line = start.substr(0, start.find('\n'));
  const bool one_value =
      (line.starts_with('{') || line.starts_with('[')) && !json::check_json(line);
  return begins_like_json(head) || one_value ? InputFormat::json : InputFormat::csv;
}

std::string_view format_name(InputFormat format) noexcept {
  constexpr std::array<std::string_view, 6> k_names = {
      "automatic", "csv", "tsv", "json", "jsonl", "text"};
  return k_names[static_cast<std::size_t>(format)];
}

bool same_family(InputFormat a, InputFormat b) noexcept {
  const auto family = [](InputFormat format) {
    return format == InputFormat::tsv     ? InputFormat::csv
           : format == InputFormat::jsonl ? InputFormat::json
                                          : format;
  };
  return family(a) == family(b);
}

}  // namespace batchllm

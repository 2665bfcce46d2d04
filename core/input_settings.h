// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace batchllm {

enum class InputFormat { automatic, csv, tsv, json, jsonl, text };

enum class RaggedPolicy { pad, error };

// How the inputs of a job are to be read. Defaults are what `batchllm run FILE` does. What is empty
// or automatic is found out from the content, then from the extension.
struct InputSettings {
  static constexpr std::size_t k_default_max_row_bytes = std::size_t{16} << 20;

  InputFormat format = InputFormat::automatic;
  std::optional<char> delimiter;
  std::optional<char> quote;  // '\0' means that no character quotes
  bool has_header = true;
  std::vector<std::string> columns;  // names of headerless CSV columns, in order
  std::string encoding;   // any name that iconv knows; empty: UTF-8, or UTF-16 by its BOM
  std::string json_path;  // "/data/items" or "data.items": the array that holds the rows
  std::size_t max_row_bytes = k_default_max_row_bytes;
  RaggedPolicy ragged = RaggedPolicy::pad;  // rows with too few fields: padded, or bad
};

}  // namespace batchllm

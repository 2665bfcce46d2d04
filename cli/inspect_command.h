// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/input.h"
#include "core/input_settings.h"
#include "core/row_batch.h"

#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

namespace batchllm {

// What was seen in one column. Lengths are characters of the cells that are filled.
struct ColumnProfile {
  static constexpr std::size_t k_most_distinct = 1000;  // counted exactly up to here

  std::string name;
  std::uint64_t filled = 0;
  std::uint64_t empty = 0;
  std::uint64_t null = 0;
  std::uint64_t json = 0;  // filled cells that are JSON numbers, booleans, objects or arrays
  std::uint64_t characters = 0;
  std::size_t shortest = 0;
  std::size_t longest = 0;
  std::string example;                       // the first filled cell, cut
  std::unordered_set<std::size_t> distinct;  // hashes; one more than k_most_distinct means "more"

  double average() const noexcept {
    return filled == 0 ? 0.0 : static_cast<double>(characters) / static_cast<double>(filled);
  }
};

// What was seen in an input.
struct InputProfile {
  static constexpr std::size_t k_bad_rows_shown = 5;

  std::vector<InputDescription> inputs;
  std::vector<ColumnProfile> columns;
  std::uint64_t rows = 0;
  std::uint64_t bad_row_count = 0;
  std::uint64_t padded_rows = 0;
  std::vector<BadRow> bad_rows;  // the first ones
  bool complete = true;          // false: there are more rows than were asked for
};

// Reads `source` to its end, or as far as `most_rows` (0: all of them).
InputProfile profile_input(InputSource& source, std::uint64_t most_rows);

// A `batchllm run` command that works on these inputs as they were typed: its prompt asks for a
// summary of the column with the most text.
std::string example_run_command(const std::vector<std::string>& inputs,
                                const InputSettings& settings,
                                const std::vector<ColumnProfile>& columns);

// The same after a look at the first rows. Throws what opening and reading throw.
std::string example_run_command(const std::vector<std::string>& inputs,
                                const InputSettings& settings);

// `batchllm inspect`: what the inputs are, what is in their columns and which rows are bad, as text
// or as one JSON object (batchllm.inspect/1) on standard output. Reads everything, or the first
// `rows` rows when that is not 0. Returns the exit code: 0, also with bad rows. Throws Error for
// inputs that cannot be read.
int inspect_command(const std::vector<std::string>& inputs,
                    const InputSettings& settings,
                    std::uint64_t rows,
                    bool json);

// The two forms, for inspect_command and its tests.
std::string inspect_text(const InputProfile& profile, const std::string& example_command);
std::string inspect_json(const InputProfile& profile, const std::string& example_command);

}  // namespace batchllm

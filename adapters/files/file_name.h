// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace batchllm::files {

constexpr std::size_t k_longest_file_name = 200;  // bytes

// A name that a client gave, fit for a folder, a terminal and a header line: its last part (behind
// `/` and `\`), well-formed UTF-8 (`_` for what is not), without control and text direction
// characters, without leading dots, dashes and blanks, at most k_longest_file_name bytes with its
// extensions kept ("report.csv.gz"), "input" when nothing is left.
std::string safe_file_name(std::string_view name);

// "data.csv.gz", "-2" -> "data-2.csv.gz", within the same length.
std::string with_suffix(std::string_view safe_name, std::string_view suffix);

}  // namespace batchllm::files

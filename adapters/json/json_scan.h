// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace batchllm::json {

// Where a scan for the end of one object or array stands. Starts fresh at its opening bracket and
// is kept while more bytes are fetched, so that no byte is looked at twice.
struct BracketScan {
  std::uint64_t depth = 0;     // brackets open so far
  std::uint64_t newlines = 0;  // in what was scanned
  bool in_string = false;
  bool escaped = false;  // the last byte was a backslash that escapes the next one

  bool operator==(const BracketScan&) const = default;
};

// Scans on in `bytes`. Returns how many bytes belong to the value, its closing bracket included;
// nullopt when the value goes on after `bytes`. Brackets in strings do not count. Whether brackets
// match in kind is left to the parser, and so is a backslash outside strings, which escapes here as
// well. Uses AVX2 where the processor has it.
std::optional<std::size_t> scan_brackets(std::string_view bytes, BracketScan& scan) noexcept;

// The same, byte by byte: the definition that the fast one is tested against.
std::optional<std::size_t> scan_brackets_scalar(std::string_view bytes, BracketScan& scan) noexcept;

}  // namespace batchllm::json

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace batchllm::json {

// The backslashes of a text, in order: their offsets, and behind the last one an offset beyond the
// text's end.
using Backslashes = const std::uint32_t*;

// How many bytes `take_escapes` may write behind the text it makes, and read behind `end`.
constexpr std::size_t k_escape_slack = 32;

// Writes the inside of a JSON string, text[begin] to text[end], without its escapes, and checks
// them: known letters, four digits after \u, no half of a surrogate pair. `backslash` stands at the
// string's first one and moves behind its last one. `out` has room for the string and
// k_escape_slack bytes. Returns the end of what was written; nullptr: an escape is wrong.
char* take_escapes(const char* text,
                   std::size_t begin,
                   std::size_t end,
                   Backslashes& backslash,
                   char* out) noexcept;

// The check alone.
bool are_escapes_good(const char* text, std::size_t end, Backslashes& backslash) noexcept;

}  // namespace batchllm::json

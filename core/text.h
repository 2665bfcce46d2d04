// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// True when `text` is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms).
bool is_utf8(std::string_view text) noexcept;

// For JSON, which demands UTF-8, of text that may be anything (a file name, what a server sent): as
// it is when it is well-formed, else with `?` for every byte above ASCII.
std::string as_utf8(std::string_view text);

// Characters (code points) of well-formed UTF-8.
std::size_t character_count(std::string_view text) noexcept;

// The longest prefix of at most `characters` code points.
std::string_view character_prefix(std::string_view text, std::size_t characters) noexcept;

// `text` cut to `columns` characters with "…" at the cut; control characters and line breaks become
// spaces. For messages and tables, so that untrusted text cannot move the cursor.
std::string one_line(std::string_view text, std::size_t columns);

// `text` without C0/C1 control characters but line breaks and tabs: safe to print on a terminal.
std::string printable(std::string_view text);

// A part of a URL's path or query: everything but letters, digits and -._~ as %XX (RFC 3986, 2.3).
std::string percent_encoded(std::string_view text);

std::string_view trim(std::string_view text) noexcept;
std::string lowercase(std::string_view text);  // ASCII letters only
bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;
std::vector<std::string> split(std::string_view text, char separator);

// The candidate nearest to `word` by Damerau-Levenshtein distance, when it is near enough to be a
// typing mistake (a third of the letters at most, case ignored); else nullopt.
std::optional<std::string> nearest_name(std::string_view word,
                                        const std::vector<std::string>& candidates);

// "a, b and c"; more than `most` names end in "and 12 more".
std::string name_list(const std::vector<std::string>& names, std::size_t most = 12);

std::string with_thousands(std::uint64_t number);  // 1234567 -> "1,234,567"
std::string bytes_text(std::uint64_t bytes);       // 1536 -> "1.5 KB" (powers of 1024)
std::string duration_text(double seconds);         // 83.2 -> "1m23s"
std::string usd_text(std::int64_t micro_usd);      // 1234567 -> "$1.2346"
std::string count_noun(std::uint64_t count, std::string_view singular);  // "1 row", "2 rows"

// "512", "64KB", "16MiB", "1GB" -> bytes (powers of 1024 for every unit); nullopt when it is not
// that.
std::optional<std::uint64_t> parse_bytes(std::string_view text) noexcept;

// "250ms", "30s", "5m", "2h", "1d", or seconds without a unit -> milliseconds.
std::optional<std::int64_t> parse_duration_ms(std::string_view text) noexcept;

std::optional<std::int64_t> parse_integer(std::string_view text) noexcept;
std::optional<double> parse_number(std::string_view text) noexcept;  // finite, whole text

}  // namespace batchllm

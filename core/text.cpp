// SPDX-License-Identifier: Apache-2.0
#include "core/text.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

namespace batchllm {
namespace {

bool is_continuation(char byte) noexcept {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

// How many of the 8 bytes at `bytes` begin a character.
std::size_t begun_in_word(const char* bytes) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  // A continuation byte is 10xxxxxx: bit 7 set, bit 6 not.
  constexpr std::uint64_t k_ones = 0x0101010101010101U;
  const std::uint64_t continuations = (word >> 7U) & (~word >> 6U) & k_ones;
  return sizeof word - static_cast<std::size_t>((continuations * k_ones) >> 56U);  // sum of bytes
}

char lower(char letter) noexcept {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

// Damerau-Levenshtein distance (optimal string alignment): one insertion, deletion, change or swap
// of neighbours costs 1.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  const std::size_t width = b.size() + 1;
  std::vector<std::size_t> before(width);
  std::vector<std::size_t> previous(width);
  std::vector<std::size_t> current(width);
  for (std::size_t j = 0; j < width; ++j) {
    previous[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j < width; ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        current[j] = std::min(current[j], before[j - 2] + 1);
      }
    }
    std::swap(before, previous);
    std::swap(previous, current);
  }
  return previous[b.size()];
}

// Length of the control sequence at the start of `text`: C0 and DEL are one byte, C1 (U+0080..9F)
// two.
std::size_t control_length(std::string_view text) noexcept {
  const auto byte = static_cast<unsigned char>(text.front());
  if (byte < 0x20 || byte == 0x7F) {
    return 1;
  }
  if (byte == 0xC2 && text.size() > 1) {
    const auto next = static_cast<unsigned char>(text[1]);
    return next >= 0x80 && next <= 0x9F ? 2 : 0;
  }
  return 0;
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
  return simdjson::validate_utf8(text.data(), text.size());
}

std::string as_utf8(std::string_view text) {
  std::string out(text);
  if (!is_utf8(text)) {
    std::replace_if(
        out.begin(),
        out.end(),
        [](char byte) { return static_cast<unsigned char>(byte) >= 0x80; },
        '?');
  }
  return out;
}

std::size_t character_count(std::string_view text) noexcept {
  std::size_t count = 0;
  for (; text.size() >= 8; text.remove_prefix(8)) {
    count += begun_in_word(text.data());
  }
  return count + static_cast<std::size_t>(std::count_if(
                     text.begin(), text.end(), [](char byte) { return !is_continuation(byte); }));
}

std::string_view character_prefix(std::string_view text, std::size_t characters) noexcept {
  if (text.size() <= characters) {
    return text;
  }
  std::size_t seen = 0;
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    const std::size_t begun = begun_in_word(text.data() + at);
    if (seen + begun > characters) {
      break;  // the cut is among these bytes
    }
    seen += begun;
  }
  for (std::size_t i = at; i < text.size(); ++i) {
    if (!is_continuation(text[i]) && seen++ == characters) {
      return text.substr(0, i);
    }
  }
  return text;
}

std::string one_line(std::string_view text, std::size_t columns) {
  std::string line;
  // Four bytes are the longest character: what lies beyond cannot be shown.
  std::string_view rest = text.substr(0, columns * 4 + 4);
  while (!rest.empty()) {
    const std::size_t control = control_length(rest);
    if (control != 0) {
      line += ' ';
      rest.remove_prefix(control);
    } else {
      line += rest.front();
      rest.remove_prefix(1);
    }
  }
  if (character_count(line) <= columns) {
    return line;
  }
  return std::string(character_prefix(line, columns == 0 ? 0 : columns - 1)) + "…";
}

std::string printable(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const std::size_t control = control_length(text);
    if (control != 0 && text.front() != '\n' && text.front() != '\t') {
      text.remove_prefix(control);
    } else {
      clean += text.front();
      text.remove_prefix(1);
    }
  }
  return clean;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view k_plain = "-._~";
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || k_plain.find(c) != std::string_view::npos;
    out += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string_view trim(std::string_view text) noexcept {
  constexpr std::string_view k_space = " \t\r\n\f\v";
  const auto first = text.find_first_not_of(k_space);
  if (first == std::string_view::npos) {
    return text.substr(text.size());
  }
  return text.substr(first, text.find_last_not_of(k_space) - first + 1);
}

std::string lowercase(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return lower(x) == lower(y);
         });
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const auto at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(at + 1);
  }
}

std::optional<std::string> nearest_name(std::string_view word,
                                        const std::vector<std::string>& candidates) {
  constexpr std::size_t k_longest_compared = 100;
  if (word.empty() || word.size() > k_longest_compared) {
    return std::nullopt;
  }
  const std::string wanted = lowercase(word);
  const std::size_t tolerance = std::max<std::size_t>(1, wanted.size() / 3);
  std::optional<std::string> best;
  std::size_t best_distance = tolerance + 1;
  for (const auto& candidate : candidates) {
    if (candidate.size() > k_longest_compared) {
      continue;
    }
    const std::string name = lowercase(candidate);
    std::size_t distance = edit_distance(wanted, name);
    // The beginning of a longer name is as near as one typing mistake.
    if (wanted.size() >= 3 && name.starts_with(wanted)) {
      distance = std::min<std::size_t>(distance, 1);
    }
    // A short word whose every letter differs is no typing mistake.
    if (distance < best_distance && distance < wanted.size()) {
      best = candidate;
      best_distance = distance;
    } else if (distance == 0) {
      return candidate;
    }
  }
  return best;
}

std::string name_list(const std::vector<std::string>& names, std::size_t most) {
  std::string text;
  const std::size_t shown = std::min(names.size(), most);
  for (std::size_t i = 0; i < shown; ++i) {
    if (i != 0) {
      text += i + 1 == names.size() ? " and " : ", ";
    }
    text += one_line(names[i], 60);
  }
  if (shown < names.size()) {
    text += fmt::format(" and {} more", names.size() - shown);
  }
  return text;
}

std::string with_thousands(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return digits;
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array k_units = {"B", "KB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < k_units.size()) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, k_units[unit]);
}

std::string duration_text(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) {
    return "?";
  }
  if (seconds < 10) {
    return fmt::format("{:.1f}s", seconds);
  }
  const auto whole = static_cast<std::uint64_t>(seconds + 0.5);
  if (whole < 60) {
    return fmt::format("{}s", whole);
  }
  if (whole < 3600) {
    return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  }
  return fmt::format("{}h{:02}m", whole / 3600, whole / 60 % 60);
}

std::string usd_text(std::int64_t micro_usd) {
  const double usd = static_cast<double>(micro_usd) / 1e6;
  if (std::abs(usd) >= 100) {
    return fmt::format("${:.2f}", usd);
  }
  const bool is_tiny = micro_usd != 0 && std::abs(micro_usd) < 100;
  return is_tiny ? fmt::format("${:.6f}", usd) : fmt::format("${:.4f}", usd);
}

std::string count_noun(std::uint64_t count, std::string_view singular) {
  return fmt::format("{} {}{}", with_thousands(count), singular, count == 1 ? "" : "s");
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) noexcept {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) {
    return std::nullopt;
  }
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  constexpr std::array<std::pair<std::string_view, unsigned>, 14> k_units = {{
      {"", 0},
      {"b", 0},
      {"k", 10},
      {"kb", 10},
      {"kib", 10},
      {"m", 20},
      {"mb", 20},
      {"mib", 20},
      {"g", 30},
      {"gb", 30},
      {"gib", 30},
      {"t", 40},
      {"tb", 40},
      {"tib", 40},
  }};
  for (const auto& [name, shift] : k_units) {
    if (equals_ignoring_case(unit, name)) {
      if (number > (std::numeric_limits<std::uint64_t>::max() >> shift)) {
        return std::nullopt;
      }
      return number << shift;
    }
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_duration_ms(std::string_view text) noexcept {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || !std::isfinite(number) || number < 0) {
    return std::nullopt;
  }
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  constexpr std::array<std::pair<std::string_view, double>, 6> k_units = {{
      {"", 1e3},
      {"ms", 1.0},
      {"s", 1e3},
      {"m", 60e3},
      {"h", 3600e3},
      {"d", 86400e3},
  }};
  for (const auto& [name, factor] : k_units) {
    if (unit == name) {
      const double milliseconds = number * factor;
      return milliseconds > 1e15
                 ? std::nullopt
                 : std::optional(static_cast<std::int64_t>(std::llround(milliseconds)));
    }
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_integer(std::string_view text) noexcept {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

std::optional<double> parse_number(std::string_view text) noexcept {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) {
    return std::nullopt;
  }
  return number;
}

}  // namespace batchllm

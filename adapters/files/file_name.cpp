// SPDX-License-Identifier: Apache-2.0
#include "adapters/files/file_name.h"

#include "adapters/stream/byte_sink.h"
#include "core/text.h"

#include <algorithm>

namespace batchllm::files {
namespace {

// Bytes of the well-formed UTF-8 character at the front of `text`; 0 when there is none.
std::size_t character_length(std::string_view text) noexcept {
  for (std::size_t length = 1; length <= std::min<std::size_t>(4, text.size()); ++length) {
    if (is_utf8(text.substr(0, length))) {
      return length;
    }
  }
  return 0;
}

// What changes how a line looks without being seen: controls (C0, DEL, C1), zero-width characters,
// line and paragraph separators, and those that turn the direction of the text.
bool is_unseen(std::string_view character) noexcept {
  const auto is_in = [character](std::string_view first, std::string_view last) {
    return character.size() == first.size() && character >= first && character <= last;
  };
  return is_in(std::string_view("\0", 1), "\x1F") || character == "\x7F" ||
         is_in("\xC2\x80", "\xC2\x9F") || character == "\xD8\x9C" ||
         is_in("\xE2\x80\x8B", "\xE2\x80\x8F") || is_in("\xE2\x80\xA8", "\xE2\x80\xAE") ||
         is_in("\xE2\x81\xA0", "\xE2\x81\xAF") || character == "\xEF\xBB\xBF";
}

// Where the extensions begin (".csv", ".csv.gz"); the end of the name when it has none.
std::size_t extension_start(std::string_view name) noexcept {
  constexpr std::size_t k_longest_extension = 16;
  const auto start = [](std::string_view text) {
    const auto dot = text.find_last_of('.');
    return dot == std::string_view::npos || dot == 0 || text.size() - dot > k_longest_extension
               ? text.size()
               : dot;
  };
  const std::size_t last = start(name);
  return compression_of(name) == Compression::none ? last : start(name.substr(0, last));
}

// The longest beginning of at most `bytes` bytes that ends at a character.
std::string_view cut_to(std::string_view text, std::size_t bytes) noexcept {
  if (text.size() <= bytes) {
    return text;
  }
  constexpr unsigned k_mask = 0xC0;
  constexpr unsigned k_continuation = 0x80;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & k_mask) == k_continuation) {
    --bytes;
  }
  return text.substr(0, bytes);
}

}  // namespace

std::string safe_file_name(std::string_view name) {
  name.remove_prefix(name.find_last_of("/\\") + 1);
  std::string safe;
  while (!name.empty()) {
    const std::size_t length = character_length(name);
    const std::string_view character = name.substr(0, std::max<std::size_t>(length, 1));
    if (length == 0) {
      safe += '_';
    } else if (!is_unseen(character)) {
      safe += character;
    }
    name.remove_prefix(character.size());
  }
  safe.erase(0, safe.find_first_not_of(".- "));
  safe = trim(safe);
  return safe.empty() ? "input" : with_suffix(safe, "");
}

std::string with_suffix(std::string_view safe_name, std::string_view suffix) {
  const std::size_t dot = extension_start(safe_name);
  const std::string_view extension = safe_name.substr(dot);
  std::string name(
      cut_to(safe_name.substr(0, dot), k_longest_file_name - extension.size() - suffix.size()));
  name += suffix;
  name += extension;
  return name;
}

}  // namespace batchllm::files

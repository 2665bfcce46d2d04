// SPDX-License-Identifier: Apache-2.0
#include "core/code_points.h"

namespace batchllm {
namespace {

constexpr CodePoint k_stray{0xFFFD, 1};

bool is_continuation(char byte) noexcept {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

// Between two letters of which the lower one follows the upper: those that are even (or odd).
bool is_pair_of(char32_t character, char32_t first, char32_t last) noexcept {
  return character >= first && character <= last && (character - first) % 2 == 0;
}

}  // namespace

CodePoint first_code_point(std::string_view text) noexcept {
  if (text.empty()) {
    return {};
  }
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) {
    return {lead, 1};
  }
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
  if (bytes == 0 || lead > 0xF4 || bytes > text.size()) {
    return k_stray;
  }
  char32_t value = lead & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if (!is_continuation(text[i])) {
      return k_stray;
    }
    value = value << 6U | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  constexpr char32_t k_least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = value >= 0xD800 && value <= 0xDFFF;
  return value < k_least[bytes] || value > 0x10FFFF || is_surrogate ? k_stray
                                                                    : CodePoint{value, bytes};
}

CodePoint last_code_point(std::string_view text) noexcept {
  std::size_t bytes = 0;
  while (bytes < text.size() && bytes < 4) {
    ++bytes;
    const std::string_view tail = text.substr(text.size() - bytes);
    if (!is_continuation(tail.front())) {
      const CodePoint found = first_code_point(tail);
      return found.bytes == bytes ? found : k_stray;
    }
  }
  return text.empty() ? CodePoint{} : k_stray;
}

void append_code_point(std::string& out, char32_t character) {
  const auto add = [&out](char32_t byte) { out += static_cast<char>(byte); };
  const auto add_rest = [&](unsigned shift) { add(0x80U | ((character >> shift) & 0x3FU)); };
  if (character < 0x80) {
    add(character);
  } else if (character < 0x800) {
    add(0xC0U | character >> 6U);
    add_rest(0);
  } else if (character < 0x10000) {
    add(0xE0U | character >> 12U);
    add_rest(6);
    add_rest(0);
  } else {
    add(0xF0U | character >> 18U);
    add_rest(12);
    add_rest(6);
    add_rest(0);
  }
}

bool is_white_space(char32_t character) noexcept {
  return (character >= 0x09 && character <= 0x0D) || character == 0x20 || character == 0x85 ||
         character == 0xA0 || character == 0x1680 || (character >= 0x2000 && character <= 0x200B) ||
         character == 0x2028 || character == 0x2029 || character == 0x202F || character == 0x205F ||
         character == 0x3000 || character == 0xFEFF;
}

char32_t folded_case(char32_t c) noexcept {
  if (c < 0x80) {
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
  }
  const bool is_latin_1 = c >= 0xC0 && c <= 0xDE && c != 0xD7;
  const bool is_greek = c >= 0x391 && c <= 0x3AB && c != 0x3A2;
  const bool is_cyrillic = c >= 0x410 && c <= 0x42F;
  if (is_latin_1 || is_greek || is_cyrillic) {
    return c + 32;
  }
  if (c >= 0x400 && c <= 0x40F) {
    return c + 80;
  }
  // U+0130 is an i with a dot, whose lower case is two characters: it stays.
  if (is_pair_of(c, 0x100, 0x12E) || is_pair_of(c, 0x132, 0x136) || is_pair_of(c, 0x139, 0x147) ||
      is_pair_of(c, 0x14A, 0x176) || is_pair_of(c, 0x179, 0x17D) || is_pair_of(c, 0x460, 0x480) ||
      is_pair_of(c, 0x48A, 0x4BE) || is_pair_of(c, 0x4D0, 0x52E) || is_pair_of(c, 0x1E00, 0x1E94) ||
      is_pair_of(c, 0x1EA0, 0x1EFE)) {
    return c + 1;
  }
  switch (c) {
    case 0x178:
      return 0xFF;
    case 0x386:
      return 0x3AC;
    case 0x388:
    case 0x389:
    case 0x38A:
      return c + 37;
    case 0x38C:
      return 0x3CC;
    case 0x38E:
    case 0x38F:
      return c + 63;
    case 0x3C2:  // the sigma at the end of a word
      return 0x3C3;
    default:
      return c;
  }
}

std::string_view trim_white_space(std::string_view text) noexcept {
  for (auto first = first_code_point(text); first.bytes != 0 && is_white_space(first.value);
       first = first_code_point(text)) {
    text.remove_prefix(first.bytes);
  }
  for (auto last = last_code_point(text); last.bytes != 0 && is_white_space(last.value);
       last = last_code_point(text)) {
    text.remove_suffix(last.bytes);
  }
  return text;
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "adapters/json/json_escapes.h"

#include "adapters/json/json_members.h"

#include <array>
#include <cstring>

namespace batchllm::json {
namespace {

constexpr std::size_t k_most_escape_bytes = 4;  // that one escape stands for

constexpr char k_unicode = 'u';

// What the letter after a backslash stands for; zero: nothing.
constexpr auto k_meanings = [] {
  std::array<char, 256> meanings{};
  meanings['"'] = '"';
  meanings['\\'] = '\\';
  meanings['/'] = '/';
  meanings['b'] = '\b';
  meanings['f'] = '\f';
  meanings['n'] = '\n';
  meanings['r'] = '\r';
  meanings['t'] = '\t';
  meanings['u'] = k_unicode;
  return meanings;
}();

constexpr std::uint32_t k_no_digit = 0x10000;

constexpr auto k_hex_digits = [] {
  std::array<std::uint32_t, 256> digits{};
  digits.fill(k_no_digit);
  for (unsigned i = 0; i < 10; ++i) {
    digits['0' + i] = i;
  }
  for (unsigned i = 0; i < 6; ++i) {
    digits['a' + i] = 10 + i;
    digits['A' + i] = 10 + i;
  }
  return digits;
}();

std::uint32_t digit(char byte) noexcept {
  return k_hex_digits[static_cast<unsigned char>(byte)];
}

// The number of four hexadecimal digits; k_no_digit or more when one is none. Looks no further than
// the first byte that is none.
std::uint32_t code_unit(const char* digits) noexcept {
  std::uint32_t code = 0;
  for (int i = 0; i < 4; ++i) {
    const std::uint32_t value = digit(digits[i]);
    if (value == k_no_digit) {
      return k_no_digit;
    }
    code = code * 16 + value;
  }
  return code;
}

bool is_low_half(std::uint32_t code) noexcept {
  return code >= 0xDC00 && code < 0xE000;
}

// Puts what the escape at `at` stands for; returns its end, or nullptr when it is none. The quote
// that ends the string ends every look ahead.
const char* take_unicode_escape(const char* at, char*& out) noexcept {
  std::uint32_t code = code_unit(at + 2);
  at += 6;
  if (code == k_no_digit || is_low_half(code)) {
    return nullptr;
  }
  if (code >= 0xD800 && code < 0xDC00) {
    const std::uint32_t low = at[0] == '\\' && at[1] == 'u' ? code_unit(at + 2) : k_no_digit;
    if (!is_low_half(low)) {
      return nullptr;
    }
    code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
    at += 6;
  }
  out = put_utf8(out, code);
  return at;
}

inline const char* take_escape(const char* at, char*& out) noexcept {
  const char meaning = k_meanings[static_cast<unsigned char>(at[1])];
  if (meaning == k_unicode) {
    return take_unicode_escape(at, out);
  }
  *out++ = meaning;
  return meaning == '\0' ? nullptr : at + 2;
}

// Most runs between escapes are short: whole blocks without a question are quickest.
inline char* copy_run(const char* from, const char* to, char* out) noexcept {
  static_assert(k_escape_slack == 32);
  while (from < to) {
    std::memcpy(out, from, k_escape_slack);
    from += k_escape_slack;
    out += k_escape_slack;
  }
  return out - (from - to);
}

}  // namespace

char* take_escapes(const char* text,
                   std::size_t begin,
                   std::size_t end,
                   Backslashes& backslash,
                   char* out) noexcept {
  const char* from = text + begin;
  Backslashes next = backslash;
  while (*next < end) {
    const char* const slash = text + *next;
    out = copy_run(from, slash, out);
    from = take_escape(slash, out);
    if (from == nullptr) {
      return nullptr;
    }
    do {  // the backslashes within the escape
      ++next;
    } while (text + *next < from);
  }
  backslash = next;
  return copy_run(from, text + end, out);
}

bool are_escapes_good(const char* text, std::size_t end, Backslashes& backslash) noexcept {
  Backslashes next = backslash;
  while (*next < end) {
    std::array<char, k_most_escape_bytes> ignored;
    char* out = ignored.data();
    const char* const behind = take_escape(text + *next, out);
    if (behind == nullptr) {
      return false;
    }
    do {
      ++next;
    } while (text + *next < behind);
  }
  backslash = next;
  return true;
}

}  // namespace batchllm::json

// SPDX-License-Identifier: Apache-2.0
#include "core/base64.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace batchllm {
namespace {

constexpr std::string_view k_letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::uint8_t k_no_letter = 0xFF;

constexpr std::array<std::uint8_t, 256> k_values = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(k_no_letter);
  for (std::size_t i = 0; i < k_letters.size(); ++i) {
    values[static_cast<unsigned char>(k_letters[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();

}  // namespace

void append_base64(std::string& out, std::string_view bytes) {
  const std::size_t start = out.size();
  out.resize(start + (bytes.size() + 2) / 3 * 4, '=');
  char* to = out.data() + start;
  while (!bytes.empty()) {
    const std::size_t taken = bytes.size() < 3 ? bytes.size() : 3;
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8U | (i < taken ? static_cast<unsigned char>(bytes[i]) : 0U);
    }
    for (std::size_t i = 0; i <= taken; ++i) {
      to[i] = k_letters[group >> (18U - 6U * i) & 0x3FU];
    }
    to += 4;
    bytes.remove_prefix(taken);
  }
}

bool read_base64(std::string_view text, std::string& bytes) {
  bytes.clear();
  if (text.size() % 4 != 0) {
    return false;
  }
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  bytes.resize(text.size() / 4 * 3);
  char* to = bytes.data();
  for (std::size_t at = 0; at < text.size(); at += 4) {
    const std::size_t letters = at + 4 == text.size() ? 4 - padding : 4;
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const std::uint8_t value =
          i < letters ? k_values[static_cast<unsigned char>(text[at + i])] : std::uint8_t{0};
      if (value == k_no_letter) {
        return false;
      }
      group = group << 6U | value;
    }
    *to++ = static_cast<char>(group >> 16U);
    *to++ = static_cast<char>(group >> 8U & 0xFFU);
    *to++ = static_cast<char>(group & 0xFFU);
  }
  bytes.resize(bytes.size() - padding);
  return true;
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/reply_text.h"

#include "adapters/simulator/random_draw.h"
#include "core/base64.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <iterator>
#include <vector>

namespace batchllm::simulator {
namespace {

constexpr std::uint64_t k_created_span = 86'400ULL * 180;

std::vector<float> unit_vector(std::uint64_t bits, std::size_t dimensions) {
  std::vector<float> vector(dimensions);
  double squares = 0;
  for (std::size_t i = 0; i < dimensions; ++i) {
    const double number = unit_draw(mix(bits, i)) * 2.0 - 1.0;
    vector[i] = static_cast<float>(number);
    squares += number * number;
  }
  const auto scale = static_cast<float>(1.0 / std::sqrt(std::max(squares, 1e-30)));
  for (float& number : vector) {
    number *= scale;
  }
  return vector;
}

}  // namespace

std::string_view FinishWords::of(const Completion& completion) const noexcept {
  if (!completion.finish_word.empty()) {
    return completion.finish_word;
  }
  switch (completion.finish) {
    case Finish::stop:
      return stop;
    case Finish::length:
      return length;
    case Finish::content_filter:
      return content_filter;
    case Finish::tool:
      return tool;
  }
  return stop;
}

std::int64_t created_s(std::uint64_t identity) noexcept {
  return k_first_created_s + static_cast<std::int64_t>(index_draw(identity, k_created_span));
}

void append_hex(std::string& out, std::uint64_t number) {
  std::array<char, 16> digits;
  for (std::size_t i = digits.size(); i-- > 0; number >>= 4U) {
    digits[i] = "0123456789abcdef"[number & 15U];
  }
  out.append(digits.data(), digits.size());
}

void append_hex_id(std::string& out, std::uint64_t identity) {
  append_hex(out, mix(identity, 11));
  append_hex(out, mix(identity, 12));
}

std::string_view next_word(std::string_view& text) {
  const std::size_t word = text.find_first_not_of(" \n");
  const std::size_t end = std::min(text.find_first_of(" \n", word), text.size());
  const std::string_view piece = text.substr(0, end);
  text.remove_prefix(end);
  return piece;
}

void append_vector(std::string& out, std::uint64_t bits, std::int64_t dimensions, bool base64) {
  const std::vector<float> vector = unit_vector(bits, static_cast<std::size_t>(dimensions));
  if (base64) {
    static_assert(std::endian::native == std::endian::little, "base64 vectors are little-endian");
    out.push_back('"');
    append_base64(out,
                  {reinterpret_cast<const char*>(vector.data()), vector.size() * sizeof(float)});
    out.push_back('"');
    return;
  }
  char separator = '[';
  for (const float number : vector) {
    out.push_back(separator);
    fmt::format_to(std::back_inserter(out), "{}", number);
    separator = ',';
  }
  out.push_back(']');
}

std::string_view cut_text(std::string_view text, std::size_t bytes) noexcept {
  if (text.size() <= bytes) {
    return text;
  }
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) {
    --bytes;
  }
  return text.substr(0, bytes);
}

}  // namespace batchllm::simulator

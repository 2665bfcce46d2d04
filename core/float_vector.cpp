// SPDX-License-Identifier: Apache-2.0
#include "core/float_vector.h"

#include "core/base64.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

namespace batchllm {

static_assert(std::endian::native == std::endian::little,
              "vectors are stored as they are in memory");

void append_vector(std::string& out, std::span<const float> vector) {
  append_base64(out,
                {reinterpret_cast<const char*>(vector.data()),  // NOLINT
                 vector.size_bytes()});
}

bool read_vector(std::string_view base64, std::vector<float>& vector, std::string& bytes) {
  vector.clear();
  if (!read_base64(base64, bytes) || bytes.empty() || bytes.size() % sizeof(float) != 0) {
    return false;
  }
  vector.resize(bytes.size() / sizeof(float));
  std::memcpy(vector.data(), bytes.data(), bytes.size());
  return std::all_of(
      vector.begin(), vector.end(), [](float number) { return std::isfinite(number); });
}

void append_vector_json(std::string& out, std::span<const float> vector) {
  constexpr std::size_t k_longest_number = 24;
  char digits[k_longest_number];
  out += '[';
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const auto end = std::to_chars(digits, digits + k_longest_number, vector[i]).ptr;
    out += i == 0 ? "" : ",";
    out.append(digits, end);
  }
  out += ']';
}

}  // namespace batchllm

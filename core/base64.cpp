// SPDX-License-Identifier: Apache-2.0
#include "core/base64.h"

#include <cstddef>
#include <cstdint>

namespace batchllm {

void append_base64(std::string& out, std::string_view bytes) {
  constexpr std::string_view k_letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
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

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "core/job_id.h"

#include <fmt/format.h>

#include <ctime>

namespace batchllm {
namespace {

constexpr std::string_view k_base32 = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view k_shape = "job_dddddddd_dddddd_xxxx";

bool fits(char letter, char shape) noexcept {
  switch (shape) {
    case 'd':
      return letter >= '0' && letter <= '9';
    case 'x':
      return k_base32.find(letter) != std::string_view::npos;
    default:
      return letter == shape;
  }
}

}  // namespace

std::string make_job_id(std::int64_t wall_ms, std::uint64_t random) {
  const auto seconds = static_cast<std::time_t>(wall_ms / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::string id = fmt::format("job_{:04}{:02}{:02}_{:02}{:02}{:02}_",
                               parts.tm_year + 1900,
                               parts.tm_mon + 1,
                               parts.tm_mday,
                               parts.tm_hour,
                               parts.tm_min,
                               parts.tm_sec);
  for (int i = 0; i < 4; ++i) {
    id += k_base32[random & 31U];
    random >>= 5U;
  }
  return id;
}

bool is_job_id(std::string_view text) noexcept {
  if (text.size() != k_shape.size()) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!fits(text[i], k_shape[i] == 'x' && i < 4 ? '\0' : k_shape[i])) {
      return false;
    }
  }
  return true;
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "daemon/queue/random_id.h"

#include <random>

namespace batchllm::daemon {

std::string random_id(std::string_view prefix) {
  constexpr std::string_view k_base32 = "abcdefghijklmnopqrstuvwxyz234567";
  constexpr int k_random_characters = 12;
  static thread_local std::random_device random;
  std::string id(prefix);
  for (int i = 0; i < k_random_characters; ++i) {
    id += k_base32[random() % k_base32.size()];
  }
  return id;
}

}  // namespace batchllm::daemon

// SPDX-License-Identifier: Apache-2.0
#include "adapters/http/connection_limit.h"

#include <sys/resource.h>

#include <algorithm>

namespace batchllm {

std::size_t allow_connections(std::size_t connections) {
  constexpr std::size_t k_files_besides = 64;
  const auto wanted = static_cast<rlim_t>(connections + k_files_besides);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return connections;
  }
  if (limit.rlim_cur < wanted) {
    limit.rlim_cur = std::min(wanted, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur >= wanted) {
    return connections;
  }
  return limit.rlim_cur > k_files_besides
             ? static_cast<std::size_t>(limit.rlim_cur) - k_files_besides
             : 1;
}

}  // namespace batchllm

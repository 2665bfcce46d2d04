// SPDX-License-Identifier: Apache-2.0
#include "adapters/http/connection_limit.h"

#include <sys/resource.h>

#include <algorithm>

namespace batchllm {
namespace {

constexpr rlim_t k_files_besides = 72;
// libcurl's multi handles hold two descriptors each, for 32 connections.
constexpr rlim_t k_connections_per_other_file = 16;

rlim_t files_for(rlim_t connections) {
  return connections + connections / k_connections_per_other_file + k_files_besides;
}

rlim_t connections_in(rlim_t files) {
  return files > k_files_besides ? (files - k_files_besides) * k_connections_per_other_file /
                                       (k_connections_per_other_file + 1)
                                 : 1;
}

}  // namespace

std::size_t allow_connections(std::size_t connections) {
  const rlim_t wanted = files_for(connections);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return connections;
  }
  if (limit.rlim_cur < wanted) {
    limit.rlim_cur = std::min(wanted, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
  }
  return limit.rlim_cur >= wanted ? connections
                                  : std::max<std::size_t>(connections_in(limit.rlim_cur), 1);
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/transport.h"

#include <cstddef>
#include <memory>
#include <vector>

namespace batchllm {

struct HttpLoopSettings {
  std::vector<HttpEndpoint> endpoints;  // one at least
  std::size_t capacity = 64;            // requests in flight at most, at each of them
  std::size_t max_response_bytes = std::size_t{64} << 20;
};

// Many POST requests at once over kept-alive connections, by libcurl: multi handles of a few dozen
// connections each (libcurl looks for an idle connection one by one), all on one epoll; libcurl's
// timers kept as deadlines for epoll_wait; one certificate store for all connections to an
// endpoint.
//
// Throws Error(usage | storage) when an endpoint cannot be used (bad URL, unreadable CA file).
// Thread rule: wake() from any thread; everything else on one thread.
std::unique_ptr<Transport> make_http_loop(const HttpLoopSettings& settings);

}  // namespace batchllm

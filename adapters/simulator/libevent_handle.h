// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <openssl/ssl.h>

#include <memory>

namespace batchllm::simulator {

// Owners of what libevent and OpenSSL hand out.
struct FreeEventHandle {
  void operator()(event_base* base) const noexcept { event_base_free(base); }

  void operator()(event* event) const noexcept { event_free(event); }

  void operator()(evbuffer* buffer) const noexcept { evbuffer_free(buffer); }

  void operator()(evhttp* http) const noexcept { evhttp_free(http); }

  void operator()(event_config* config) const noexcept { event_config_free(config); }

  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};

using EventBase = std::unique_ptr<event_base, FreeEventHandle>;
using Event = std::unique_ptr<event, FreeEventHandle>;
using EventBuffer = std::unique_ptr<evbuffer, FreeEventHandle>;
using EventHttp = std::unique_ptr<evhttp, FreeEventHandle>;
using EventConfig = std::unique_ptr<event_config, FreeEventHandle>;
using TlsContext = std::unique_ptr<SSL_CTX, FreeEventHandle>;

}  // namespace batchllm::simulator

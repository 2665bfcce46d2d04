// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/http/connection_socket.h"
#include "daemon/http/http_exchange.h"
#include "daemon/http/request_head.h"

#include <atomic>
#include <optional>

namespace batchllm::daemon {

// The life of one connection, on its thread.
class ConnectionLoop {
 public:
  ConnectionLoop(const ExchangePlace& place,
                 const HttpExchange& exchange,
                 FileHandle socket,
                 bool is_unix);

  // Until the client leaves, breaks the rules or is idle for too long, or the server stops: then
  // there is nothing. Else it asked for what a feed is to write, to the socket of take_socket().
  std::optional<FeedStart> run();

  // No function may follow.
  FileHandle take_socket() noexcept { return connection_.release(); }

  int descriptor() const noexcept { return connection_.descriptor(); }

  // True while no request is being answered: stopping may close it.
  bool is_idle() const noexcept { return idle_; }

 private:
  enum class HeadRead { complete, refused, gone };

  HeadRead read_head();
  HeadRead refuse(const Refusal& refusal);
  std::optional<Refusal> check_size(std::string_view bytes) const;
  bool is_allowed() const;

  const ExchangePlace& place_;
  const HttpExchange& exchange_;
  ConnectionSocket connection_;
  Peer peer_;
  RequestHead head_;
  std::atomic<bool> idle_{true};
};

}  // namespace batchllm::daemon

// SPDX-License-Identifier: Apache-2.0
#include "daemon/http/connection_loop.h"

#include "core/error.h"
#include "daemon/http/problem.h"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace batchllm::daemon {
namespace {

constexpr std::size_t k_first_piece_bytes = std::size_t{4} << 10;
constexpr std::size_t k_piece_bytes = std::size_t{16} << 10;
constexpr std::chrono::milliseconds k_refusal_patience{1'000};

Peer local_peer(int descriptor) {
  Peer peer;
  peer.address = "unix";
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0) {
    peer.uid = credentials.uid;
    peer.pid = credentials.pid;
  }
  return peer;
}

Peer network_peer(int descriptor) {
  Peer peer;
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return peer;
  }
  if (address.ss_family == AF_INET6) {
    sockaddr_in6 inet{};
    std::memcpy(&inet, &address, sizeof inet);
    inet_ntop(AF_INET6, &inet.sin6_addr, text.data(), text.size());
    peer.address = fmt::format("[{}]:{}", text.data(), ntohs(inet.sin6_port));
  } else {
    sockaddr_in inet{};
    std::memcpy(&inet, &address, sizeof inet);
    inet_ntop(AF_INET, &inet.sin_addr, text.data(), text.size());
    peer.address = fmt::format("{}:{}", text.data(), ntohs(inet.sin_port));
  }
  return peer;
}

timeval as_timeval(std::chrono::milliseconds time) {
  return {time.count() / 1'000, (time.count() % 1'000) * 1'000};
}

}  // namespace

ConnectionLoop::ConnectionLoop(const ExchangePlace& place,
                               const HttpExchange& exchange,
                               FileHandle socket,
                               bool is_unix)
    : place_(place),
      exchange_(exchange),
      connection_(std::move(socket)),
      peer_(is_unix ? local_peer(descriptor()) : network_peer(descriptor())) {
  const timeval idle = as_timeval(place.settings.keep_alive);
  ::setsockopt(descriptor(), SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof idle);
  if (!is_unix) {
    const int on = 1;
    ::setsockopt(descriptor(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
}

std::optional<FeedStart> ConnectionLoop::run() {
  if (!is_allowed()) {
    connection_.send(closing_response(problem_response(
                         Error(ErrorCode::peer_refused, "this daemon serves its own user only"))),
                     {},
                     k_refusal_patience);
    connection_.linger();
    return std::nullopt;
  }
  std::optional<FeedStart> feed;
  auto next = HttpExchange::Next::keep;
  while (next == HttpExchange::Next::keep) {
    idle_ = true;
    if (place_.stopping) {
      return std::nullopt;
    }
    if (read_head() != HeadRead::complete) {
      return std::nullopt;
    }
    next = exchange_.answer(connection_, head_, peer_, feed);
    connection_.shrink();
  }
  return feed;
}

bool ConnectionLoop::is_allowed() const {
  const auto& others = place_.settings.uids;
  return !peer_.uid || *peer_.uid == 0 || *peer_.uid == ::geteuid() ||
         std::find(others.begin(), others.end(), *peer_.uid) != others.end();
}

ConnectionLoop::HeadRead ConnectionLoop::read_head() {
  // Nearly every head comes in one piece: one system call.
  if (connection_.pending().empty() &&
      connection_.receive_blocking(k_first_piece_bytes) != ConnectionSocket::Received::bytes) {
    return HeadRead::gone;
  }
  const auto deadline = ConnectionSocket::Clock::now() + place_.settings.head_deadline;
  std::size_t searched = 0;
  while (true) {
    while (searched == 0 && connection_.pending().substr(0, 2) == "\r\n") {
      connection_.consume(2);  // some clients end a body with a line break too many
    }
    const auto bytes = connection_.pending();
    const auto end = bytes.find("\r\n\r\n", searched - std::min<std::size_t>(searched, 3));
    const bool is_complete = end != std::string_view::npos;
    const auto head = is_complete ? bytes.substr(0, end + 4) : bytes;
    if (const auto refusal = check_size(head)) {
      return refuse(*refusal);
    }
    if (is_complete) {
      idle_ = false;
      const auto refusal = head_.parse(head, place_.settings);
      connection_.consume(head.size());
      return refusal ? refuse(*refusal) : HeadRead::complete;
    }
    searched = bytes.size();
    const auto received = connection_.receive(k_piece_bytes, deadline);
    if (received == ConnectionSocket::Received::late) {
      return refuse({408, "The request's head took too long."});
    }
    if (received == ConnectionSocket::Received::end) {
      return HeadRead::gone;
    }
  }
}

std::optional<Refusal> ConnectionLoop::check_size(std::string_view bytes) const {
  const auto& settings = place_.settings;
  const auto line = bytes.substr(0, settings.request_line_bytes + 2);
  if (line.size() > settings.request_line_bytes && line.find("\r\n") == std::string_view::npos) {
    return Refusal{414, "The request line is too long."};
  }
  if (bytes.size() > settings.head_bytes) {
    return Refusal{431, "The request's head is too large."};
  }
  if (bytes.find("\n\n") != std::string_view::npos) {
    return Refusal{400, "The lines of the request's head do not end in CRLF."};
  }
  return std::nullopt;
}

ConnectionLoop::HeadRead ConnectionLoop::refuse(const Refusal& refusal) {
  const Error error(ErrorCode::usage, std::string(refusal.reason));
  connection_.send(
      closing_response(problem_response(error, refusal.status)), {}, k_refusal_patience);
  connection_.linger();
  return HeadRead::refused;
}

}  // namespace batchllm::daemon

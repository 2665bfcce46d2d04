// SPDX-License-Identifier: Apache-2.0
#include "tests/support/raw_http_server.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

namespace batchllm {
namespace {

constexpr int k_poll_ms = 20;

// Reads on until `buffer` is long enough; false when the peer or the test ends.
template <typename Enough>
bool read_until(int descriptor,
                std::string& buffer,
                const std::atomic<bool>& stopping,
                Enough enough) {
  while (!enough()) {
    pollfd event{descriptor, POLLIN, 0};
    if (poll(&event, 1, k_poll_ms) < 0 || stopping) {
      return false;
    }
    if (event.revents == 0) {
      continue;
    }
    char block[16384];
    const ssize_t got = recv(descriptor, block, sizeof block, 0);
    if (got <= 0) {
      return false;
    }
    buffer.append(block, static_cast<std::size_t>(got));
  }
  return true;
}

std::optional<RawRequest> read_request(int descriptor,
                                       std::string& buffer,
                                       const std::atomic<bool>& stopping) {
  if (!read_until(descriptor, buffer, stopping, [&] {
        return buffer.find("\r\n\r\n") != std::string::npos;
      })) {
    return std::nullopt;
  }
  RawRequest request;
  request.head = buffer.substr(0, buffer.find("\r\n\r\n") + 4);
  buffer.erase(0, request.head.size());
  if (request.head.find("Transfer-Encoding: chunked\r\n") != std::string::npos) {
    // As it came over the wire, sizes and all.
    constexpr std::string_view k_end = "0\r\n\r\n";
    if (!read_until(descriptor, buffer, stopping, [&] { return buffer.ends_with(k_end); })) {
      return std::nullopt;
    }
    request.body = std::exchange(buffer, {});
    return request;
  }
  const auto at = request.head.find("Content-Length: ");
  const std::size_t length = at == std::string::npos ? 0 : std::stoul(request.head.substr(at + 16));
  if (!read_until(descriptor, buffer, stopping, [&] { return buffer.size() >= length; })) {
    return std::nullopt;
  }
  request.body = buffer.substr(0, length);
  buffer.erase(0, length);
  return request;
}

void send_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

}  // namespace

RawHttpServer::RawHttpServer(Script script, const std::string& socket_path)
    : script_(std::move(script)) {
  bool bound = false;
  if (socket_path.empty()) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    bound = bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  } else {
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket_path.copy(address.sun_path, sizeof address.sun_path - 1);
    bound = bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  if (!bound || listen(listener_, 128) != 0) {
    throw std::runtime_error("no server");
  }
  thread_ = std::thread([this] { serve(); });
}

RawHttpServer::~RawHttpServer() {
  stopping_ = true;
  thread_.join();
  close(listener_);
}

std::string RawHttpServer::url() const {
  return "http://127.0.0.1:" + std::to_string(port_) + "/";
}

std::string RawHttpServer::ok(std::string_view body, std::string_view headers) {
  std::string text = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  return text.append(headers).append("\r\n").append(body);
}

void RawHttpServer::serve() {
  std::vector<std::thread> talks;
  while (!stopping_) {
    pollfd event{listener_, POLLIN, 0};
    if (poll(&event, 1, k_poll_ms) <= 0) {
      continue;
    }
    const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor >= 0) {
      ++connections_;
      talks.emplace_back([this, descriptor] { talk(descriptor); });
    }
  }
  for (auto& talk : talks) {
    talk.join();
  }
}

void RawHttpServer::talk(int descriptor) {
  static std::mutex one_at_a_time;
  std::string buffer;
  std::size_t on_connection = 0;
  while (auto request = read_request(descriptor, buffer, stopping_)) {
    RawReply reply;
    {
      const std::lock_guard lock(one_at_a_time);
      request->number = ++requests_;
      request->on_connection = ++on_connection;
      reply = script_(*request);
    }
    send_all(descriptor, reply.bytes);
    if (reply.then == RawReply::Then::hang) {
      std::string ignored;
      read_until(descriptor, ignored, stopping_, [] { return false; });
    }
    if (reply.then == RawReply::Then::reset) {
      const linger now{1, 0};
      setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    if (reply.then != RawReply::Then::keep) {
      break;
    }
  }
  close(descriptor);
}

}  // namespace batchllm

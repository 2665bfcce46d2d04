// SPDX-License-Identifier: Apache-2.0
#include "tests/support/raw_http_client.h"

#include "core/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstring>
#include <stdexcept>

namespace batchllm {
namespace {

constexpr int k_patience_ms = 20'000;

FileHandle connect_to(const sockaddr* address, socklen_t size, int family) {
  FileHandle socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(socket.get(), address, size) != 0) {
    throw std::runtime_error("cannot connect to the server");
  }
  return socket;
}

// The value of a header in lower-case `head`, or nothing.
std::string header_value(const std::string& head, const std::string& name) {
  const auto begin = head.find("\r\n" + name + ":");
  if (begin == std::string::npos) {
    return {};
  }
  const auto value = begin + name.size() + 3;
  return std::string(trim(std::string_view(head).substr(value, head.find("\r\n", value) - value)));
}

}  // namespace

RawHttpClient RawHttpClient::at_path(const std::string& path) {
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  std::strncpy(local.sun_path, path.c_str(), sizeof local.sun_path - 1);
  return RawHttpClient(
      connect_to(reinterpret_cast<const sockaddr*>(&local), sizeof local, AF_UNIX));
}

RawHttpClient RawHttpClient::at_port(int port) {
  sockaddr_in inet{};
  inet.sin_family = AF_INET;
  inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  inet.sin_port = htons(static_cast<std::uint16_t>(port));
  return RawHttpClient(connect_to(reinterpret_cast<const sockaddr*>(&inet), sizeof inet, AF_INET));
}

bool RawHttpClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    pollfd watched{socket_.get(), POLLOUT, 0};
    if (::poll(&watched, 1, k_patience_ms) <= 0) {
      return false;
    }
    const ssize_t sent =
        ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool RawHttpClient::fill() {
  std::array<char, 16'384> bytes{};
  pollfd watched{socket_.get(), POLLIN, 0};
  if (::poll(&watched, 1, k_patience_ms) <= 0) {
    return false;
  }
  const ssize_t count = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
  if (count <= 0) {
    return false;
  }
  pending_.append(bytes.data(), static_cast<std::size_t>(count));
  return true;
}

std::string RawHttpClient::take(std::size_t bytes) {
  while (pending_.size() < bytes && fill()) {
  }
  std::string taken = pending_.substr(0, bytes);
  pending_.erase(0, taken.size());
  return taken;
}

std::string RawHttpClient::read_until(std::string_view mark) {
  while (pending_.find(mark) == std::string::npos) {
    if (!fill()) {
      return take(pending_.size());
    }
  }
  return take(pending_.find(mark) + mark.size());
}

std::string RawHttpClient::take_chunks() {
  std::string body;
  while (true) {
    const std::string line = read_until("\r\n");
    const auto size = line.empty() ? 0 : std::stoul(line, nullptr, 16);
    body += take(size);
    read_until("\r\n");
    if (size == 0) {
      return body;
    }
  }
}

RawResponse RawHttpClient::receive(bool is_for_head) {
  RawResponse response;
  response.head = read_until("\r\n\r\n");
  if (response.head.size() < 12) {
    return response;
  }
  response.status = std::stoi(response.head.substr(9, 3));
  if (response.status < 200 || is_for_head) {
    return response;
  }
  const std::string head = lowercase(response.head);
  const std::string length = header_value(head, "content-length");
  if (header_value(head, "transfer-encoding") == "chunked") {
    response.body = take_chunks();
  } else if (!length.empty()) {
    response.body = take(std::stoul(length));
  }
  return response;
}

RawResponse RawHttpClient::ask(std::string_view bytes) {
  send(bytes);
  return receive();
}

bool RawHttpClient::is_at_end() {
  return pending_.empty() && !fill();
}

}  // namespace batchllm

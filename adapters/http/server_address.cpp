// SPDX-License-Identifier: Apache-2.0
#include "adapters/http/server_address.h"

#include <algorithm>

namespace batchllm {

Result<ServerAddress> parse_server_address(std::string_view text) {
  constexpr std::size_t k_longest_socket_path = 107;  // sockaddr_un
  ServerAddress address;
  if (text.starts_with("unix:")) {
    text.remove_prefix(5);
    if (text.starts_with("//")) {
      text.remove_prefix(2);
    }
    if (text.empty() || text.find('\0') != std::string_view::npos) {
      return Failure{"expected the path of a socket behind unix:"};
    }
    if (text.size() > k_longest_socket_path) {
      return Failure{"the path of a socket has at most 107 bytes"};
    }
    address.origin = "http://localhost";
    address.unix_socket = text;
    return address;
  }
  if (!text.starts_with("http://") && !text.starts_with("https://")) {
    return Failure{"expected unix:PATH, http://HOST:PORT or https://HOST:PORT"};
  }
  const auto host = text.find("//") + 2;
  while (text.size() > host && text.ends_with('/')) {
    text.remove_suffix(1);
  }
  const std::string_view authority = text.substr(host);
  if (authority.find('@') != std::string_view::npos) {
    return Failure{"a user or password does not belong into an address"};
  }
  const bool is_plain = std::all_of(authority.begin(), authority.end(), [](char c) {
    return c > ' ' && c <= '~' && c != '/' && c != '?' && c != '#' && c != '\\';
  });
  if (authority.empty() || authority.front() == ':' || !is_plain) {
    return Failure{"expected a host and a port, and nothing behind them"};
  }
  address.origin = text;
  return address;
}

std::string shown_address(const ServerAddress& address) {
  return address.unix_socket.empty() ? address.origin : "unix:" + address.unix_socket;
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.h"

#include <string>
#include <string_view>

namespace batchllm {

// Where a server listens: "unix:/path/to.sock", "http://host:port" or "https://host".
struct ServerAddress {
  std::string origin;       // "http://host:port", without a slash at its end
  std::string unix_socket;  // path; empty for TCP
};

// The failure continues a sentence: "--host ftp://x: expected http://…".
Result<ServerAddress> parse_server_address(std::string_view text);

// For messages: the address as a person would write it.
std::string shown_address(const ServerAddress& address);

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>

namespace batchllm {

// Whether an address can be a server on the Internet: not of this machine (loopback, unspecified),
// of a local network (private, link-local, unique local, shared), a documentation, multicast or
// reserved range (IANA's special-purpose registries; RFC 6890). IPv4 addresses inside IPv6 ones
// (mapped, NAT64, 6to4) count as what they are; other families are not public.
bool is_public_address(const sockaddr& address) noexcept;

}  // namespace batchllm

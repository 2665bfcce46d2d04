// SPDX-License-Identifier: Apache-2.0
#include "adapters/http/public_address.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace batchllm {
namespace {

struct Range4 {
  std::uint32_t first;
  int bits;
};

constexpr std::array k_special_v4 = {
    Range4{0x00000000, 8},   // this network
    Range4{0x0A000000, 8},   // private
    Range4{0x64400000, 10},  // shared by a carrier's customers
    Range4{0x7F000000, 8},   // loopback
    Range4{0xA9FE0000, 16},  // link-local; where clouds keep their metadata
    Range4{0xAC100000, 12},  // private
    Range4{0xC0000000, 24},  // protocols
    Range4{0xC0000200, 24},  // documentation
    Range4{0xC0A80000, 16},  // private
    Range4{0xC6120000, 15},  // benchmarks
    Range4{0xC6336400, 24},  // documentation
    Range4{0xCB007100, 24},  // documentation
    Range4{0xE0000000, 3},   // multicast and reserved
};

bool is_public_v4(std::uint32_t address) noexcept {
  return std::none_of(k_special_v4.begin(), k_special_v4.end(), [address](const Range4& range) {
    return (address ^ range.first) >> static_cast<unsigned>(32 - range.bits) == 0;
  });
}

std::uint32_t v4_at(std::span<const std::uint8_t, 16> bytes, std::size_t at) noexcept {
  std::uint32_t address = 0;
  for (const std::uint8_t byte : bytes.subspan(at, 4)) {
    address = address << 8U | byte;
  }
  return address;
}

bool is_public_v6(std::span<const std::uint8_t, 16> bytes) noexcept {
  constexpr std::array<std::uint8_t, 12> k_mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  constexpr std::array<std::uint8_t, 12> k_nat64 = {0, 0x64, 0xff, 0x9b};
  constexpr std::array<std::uint8_t, 4> k_documentation = {0x20, 0x01, 0x0d, 0xb8};
  constexpr std::array<std::uint8_t, 4> k_teredo = {0x20, 0x01, 0, 0};
  const auto begins_with = [bytes](std::span<const std::uint8_t> prefix) {
    return std::equal(prefix.begin(), prefix.end(), bytes.begin());
  };
  if (begins_with(k_mapped) || begins_with(k_nat64)) {
    return is_public_v4(v4_at(bytes, 12));
  }
  if (bytes[0] == 0x20 && bytes[1] == 0x02) {
    return is_public_v4(v4_at(bytes, 2));
  }
  // What is given out for the Internet is 2000::/3; everything special lies outside of it but
  // these.
  return bytes[0] >> 5U == 1 && !begins_with(k_documentation) && !begins_with(k_teredo);
}

}  // namespace

bool is_public_address(const sockaddr& address) noexcept {
  if (address.sa_family == AF_INET) {
    sockaddr_in ipv4{};
    std::memcpy(&ipv4, &address, sizeof ipv4);
    return is_public_v4(ntohl(ipv4.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 ipv6{};
    std::memcpy(&ipv6, &address, sizeof ipv6);
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &ipv6.sin6_addr, bytes.size());
    return is_public_v6(bytes);
  }
  return false;
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "adapters/http/public_address.h"

#include "tests/support/catch.h"

#include <arpa/inet.h>

#include <cstring>
#include <string>

using namespace batchllm;

namespace {

bool is_public(const std::string& text) {
  sockaddr_storage address{};
  auto& ipv4 = reinterpret_cast<sockaddr_in&>(address);
  auto& ipv6 = reinterpret_cast<sockaddr_in6&>(address);
  if (inet_pton(AF_INET, text.c_str(), &ipv4.sin_addr) == 1) {
    address.ss_family = AF_INET;
  } else {
    REQUIRE(inet_pton(AF_INET6, text.c_str(), &ipv6.sin6_addr) == 1);
    address.ss_family = AF_INET6;
  }
  return is_public_address(reinterpret_cast<const sockaddr&>(address));
}

}  // namespace

TEST_CASE("servers on the Internet have public addresses", "[http][address]") {
  const auto* text = GENERATE("1.1.1.1",
                              "8.8.8.8",
                              "9.255.255.255",
                              "11.0.0.0",
                              "100.63.255.255",
                              "100.128.0.0",
                              "172.15.255.255",
                              "172.32.0.0",
                              "192.167.255.255",
                              "223.255.255.255",
                              "2606:4700::1111",
                              "2a00:1450::200e",
                              "::ffff:8.8.8.8",
                              "64:ff9b::808:808",
                              "2002:808:808::1");
  CAPTURE(text);
  CHECK(is_public(text));
}

TEST_CASE("this machine, local networks and reserved ranges are not public", "[http][address]") {
  const auto* text = GENERATE("0.0.0.0",
                              "10.0.0.1",
                              "100.64.0.1",
                              "127.0.0.1",
                              "127.255.255.255",
                              "169.254.169.254",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.168.1.1",
                              "192.0.2.1",
                              "198.18.0.1",
                              "224.0.0.1",
                              "255.255.255.255",
                              "::",
                              "::1",
                              "::127.0.0.1",
                              "::ffff:127.0.0.1",
                              "::ffff:10.0.0.1",
                              "64:ff9b::7f00:1",
                              "2002:7f00:1::1",
                              "fc00::1",
                              "fd12:3456::1",
                              "fe80::1",
                              "fec0::1",
                              "ff02::1",
                              "2001:db8::1");
  CAPTURE(text);
  CHECK_FALSE(is_public(text));
}

TEST_CASE("a UNIX socket is not public", "[http][address]") {
  sockaddr address{};
  address.sa_family = AF_UNIX;
  CHECK_FALSE(is_public_address(address));
}

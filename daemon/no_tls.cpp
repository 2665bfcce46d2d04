// SPDX-License-Identifier: Apache-2.0
// cpp-httplib, where it is built with TLS, sets up all of OpenSSL as soon as it is loaded: 1.7 MB
// of a service that waits. This service never speaks TLS. As a symbol of the program this comes
// before the one of libssl; what the service does use, hashes, sets itself up when it is needed.
#include <cstdint>

extern "C" [[gnu::used, gnu::visibility("default")]] int OPENSSL_init_ssl(
    std::uint64_t /*options*/, const void* /*settings*/) {
  return 1;
}

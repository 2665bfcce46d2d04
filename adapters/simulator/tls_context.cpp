// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/tls_context.h"

#include "core/error.h"

#include <fmt/format.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>

namespace batchllm::simulator {
namespace {

[[noreturn]] void fail(const char* flag, const std::string& path) {
  std::array<char, 256> reason{};
  ERR_error_string_n(ERR_get_error(), reason.data(), reason.size());
  ERR_clear_error();
  throw Error(ErrorCode::input_unreadable,
              fmt::format("{} {}: {}", flag, path, reason.data()),
              "both files must be PEM, the key without a passphrase and made for the certificate");
}

}  // namespace

TlsContext make_tls_context(const std::string& certificate_path, const std::string& key_path) {
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  if (!context) {
    fail("TLS", "");
  }
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // Idle connections give their record buffers back: 4,096 of them would hold 130 MiB.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_path.c_str()) != 1) {
    fail("--tls-cert", certificate_path);
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_path.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    fail("--tls-key", key_path);
  }
  return context;
}

}  // namespace batchllm::simulator

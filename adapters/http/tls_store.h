// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

namespace batchllm {

// The certificates that connections are verified against, parsed once and shared by all of them:
// libcurl alone would parse the whole bundle for every connection (20 ms and 0.8 MB each).
class TlsStore {
 public:
  // `ca_file`: PEM; empty: SSL_CERT_FILE, CURL_CA_BUNDLE, or the system's store. Throws
  // Error(usage) when the file cannot be read.
  explicit TlsStore(const std::string& ca_file);
  ~TlsStore();
  TlsStore(const TlsStore&) = delete;
  TlsStore& operator=(const TlsStore&) = delete;

  // Makes `easy` verify with this store.
  void apply(CURL* easy);

 private:
  static CURLcode set_store(CURL* easy, void* ssl_context, void* self) noexcept;

  struct Store;
  std::unique_ptr<Store>
      store_;  // null until it is needed, and when libcurl was built without OpenSSL
  std::string ca_file_;
};

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "adapters/http/tls_store.h"

#include "core/error.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cstdlib>
#include <string_view>

namespace batchllm {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing sets it
  return value == nullptr ? std::string() : value;
}

bool curl_uses_openssl() {
  const curl_version_info_data* info = curl_version_info(CURLVERSION_NOW);
  return info->ssl_version != nullptr && std::string_view(info->ssl_version).starts_with("OpenSSL");
}

}  // namespace

struct TlsStore::Store {
  struct Free {
    void operator()(X509_STORE* store) const noexcept { X509_STORE_free(store); }
  };

  std::unique_ptr<X509_STORE, Free> x509{X509_STORE_new()};
};

TlsStore::TlsStore(const std::string& ca_file) : ca_file_(ca_file) {
  for (const char* name : {"SSL_CERT_FILE", "CURL_CA_BUNDLE"}) {
    if (ca_file_.empty()) {
      ca_file_ = environment(name);
    }
  }
  if (!curl_uses_openssl() || ca_file_.empty()) {
    return;
  }
  store_ = std::make_unique<Store>();
  if (X509_STORE_load_file(store_->x509.get(), ca_file_.c_str()) != 1) {
    ERR_clear_error();
    throw Error(ErrorCode::usage,
                "cannot read certificates from " + ca_file_,
                "give a PEM file with the certificate of the authority by --ca-file");
  }
}

TlsStore::~TlsStore() = default;

void TlsStore::apply(CURL* easy) {
  if (store_ == nullptr && curl_uses_openssl()) {
    // Only now: reading the system's certificates takes longer than all else at the start of a run.
    store_ = std::make_unique<Store>();
    X509_STORE_set_default_paths(store_->x509.get());
  }
  // Debian's libcurl has a built-in CAPATH that switches its own certificate cache off.
  curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  if (store_ == nullptr) {
    if (!ca_file_.empty()) {
      curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file_.c_str());
    }
    return;
  }
  curl_easy_setopt(easy, CURLOPT_CAINFO, nullptr);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, &TlsStore::set_store);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, this);
}

CURLcode TlsStore::set_store(CURL* /*easy*/, void* ssl_context, void* self) noexcept {
  const auto* store = static_cast<const TlsStore*>(self);
  SSL_CTX_set1_cert_store(static_cast<SSL_CTX*>(ssl_context), store->store_->x509.get());
  return CURLE_OK;
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "adapters/http/curl_handle.h"

#include <mutex>
#include <new>

namespace batchllm {

void use_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_ALL); });
}

void append_header(HeaderList& list, const std::string& header) {
  curl_slist* longer = curl_slist_append(list.get(), header.c_str());
  if (longer == nullptr) {
    throw std::bad_alloc();
  }
  (void)list.release();
  list.reset(longer);
}

TransportFailure transport_failure(CURLcode code, bool was_connected) noexcept {
  switch (code) {
    case CURLE_OK:
      return TransportFailure::none;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
      return TransportFailure::not_connected;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
      return TransportFailure::tls;
    case CURLE_SSL_CONNECT_ERROR:
      return TransportFailure::not_connected;
    case CURLE_OPERATION_TIMEDOUT:
      return was_connected ? TransportFailure::timeout : TransportFailure::not_connected;
    case CURLE_WRITE_ERROR:
    case CURLE_FILESIZE_EXCEEDED:
      return TransportFailure::too_large;
    default:
      return was_connected ? TransportFailure::broken : TransportFailure::not_connected;
  }
}

}  // namespace batchllm

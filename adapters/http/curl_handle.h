// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/transport.h"

#include <curl/curl.h>

#include <memory>
#include <string>

namespace batchllm {

struct CleanUpEasy {
  void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
};

struct CleanUpMulti {
  void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
};

struct CleanUpShare {
  void operator()(CURLSH* share) const noexcept { curl_share_cleanup(share); }
};

struct FreeList {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};

using EasyHandle = std::unique_ptr<CURL, CleanUpEasy>;
using MultiHandle = std::unique_ptr<CURLM, CleanUpMulti>;
using ShareHandle = std::unique_ptr<CURLSH, CleanUpShare>;
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

// Initialises libcurl once for the process. Thread-safe.
void use_curl();

// Appends one header; throws std::bad_alloc.
void append_header(HeaderList& list, const std::string& header);

// What a failed transfer means. `was_connected`: the request may have left.
TransportFailure transport_failure(CURLcode code, bool was_connected) noexcept;

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "adapters/http/http_facts.h"

#include <curl/curl.h>

#include <ctime>

namespace batchllm {

HttpFacts http_facts() {
  const curl_version_info_data* data = curl_version_info(CURLVERSION_NOW);
  return {data->version == nullptr ? "" : data->version,
          data->ssl_version == nullptr ? "" : data->ssl_version,
          (data->features & CURL_VERSION_HTTP2) != 0};
}

std::optional<std::int64_t> http_date_ms(const std::string& text) {
  constexpr std::int64_t k_second_ms = 1000;
  const std::time_t at = curl_getdate(text.c_str(), nullptr);
  return at < 0 ? std::nullopt : std::optional<std::int64_t>(at * k_second_ms);
}

}  // namespace batchllm

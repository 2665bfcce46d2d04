// SPDX-License-Identifier: Apache-2.0
#include "adapters/aws/metadata_server.h"

#include "adapters/http/http_client.h"

namespace batchllm::aws {
namespace {

constexpr Milliseconds k_patience{1'000};
constexpr std::size_t k_largest_answer = std::size_t{1} << 20;

}  // namespace

std::string ask_metadata_server(const std::string& origin,
                                const std::string& method,
                                const std::string& target,
                                const MetadataHeaders& headers) {
  HttpClientSettings settings;
  settings.server.origin = origin;
  settings.connect_timeout = k_patience;
  settings.without_proxy = true;
  HttpClientRequest request;
  request.method = method;
  request.target = target;
  request.headers = headers;
  request.timeout = k_patience;
  request.max_body_bytes = k_largest_answer;
  HttpClientResponse response = HttpClient(settings).send(request);
  return response.is_ok() ? response.body : "";
}

}  // namespace batchllm::aws

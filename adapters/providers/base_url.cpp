// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/base_url.h"

#include "core/error.h"
#include "core/percent_decoding.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

namespace batchllm {
namespace {

[[noreturn]] void refuse_base_url(const std::string& base_url, std::string_view why) {
  throw Error(
      ErrorCode::usage,
      fmt::format("--base-url {}: {}", printable(base_url), why),
      "examples: https://api.openai.com/v1, http://127.0.0.1:8080/v1, unix:/run/llm.sock:/v1");
}

std::string without_slashes_at_end(std::string text) {
  while (text.ends_with('/')) {
    text.pop_back();
  }
  return text;
}

// The value of the first of the variables "A|B" that is set.
std::string value_of(const std::string& names, const EnvironmentLookup& environment) {
  const std::vector<std::string> variables = split(names, '|');
  for (const std::string& variable : variables) {
    if (const auto value = environment ? environment(variable) : std::nullopt;
        value && !value->empty()) {
      return without_slashes_at_end(std::string(trim(*value)));
    }
  }
  throw Error(ErrorCode::usage,
              fmt::format("this provider's address needs {}, which is not set",
                          fmt::join(variables, " or ")),
              fmt::format("export {}=…, or give --base-url", variables.front()));
}

}  // namespace

std::string expand_base_url(const std::string& base_url, const EnvironmentLookup& environment) {
  std::string expanded;
  std::size_t at = 0;
  while (at < base_url.size()) {
    const auto open = std::min(base_url.find('{', at), base_url.size());
    const auto close = base_url.find('}', open);
    if (close == std::string::npos) {
      break;
    }
    expanded += base_url.substr(at, open - at);
    expanded += value_of(base_url.substr(open + 1, close - open - 1), environment);
    at = close + 1;
  }
  return expanded + base_url.substr(at);
}

HttpEndpoint parse_base_url(const std::string& base_url) {
  constexpr std::size_t k_longest_socket_path = 107;  // sockaddr_un
  HttpEndpoint endpoint;
  std::string path = "/v1";
  if (base_url.starts_with("unix:")) {
    std::string rest = base_url.substr(5);
    if (rest.starts_with("//")) {
      rest.erase(0, 2);
    }
    const auto colon = rest.rfind(":/");
    if (colon != std::string::npos && colon != 0) {
      path = rest.substr(colon + 1);
      rest.erase(colon);
    }
    endpoint.unix_socket = rest;
  } else if (base_url.starts_with("http+unix://")) {
    const std::string rest = base_url.substr(12);
    const auto slash = rest.find('/');
    endpoint.unix_socket = percent_decoded(rest.substr(0, slash));
    if (slash != std::string::npos) {
      path = rest.substr(slash);
    }
  } else if (base_url.starts_with("http://") || base_url.starts_with("https://")) {
    const auto host = base_url.find("//") + 2;
    const std::string authority = base_url.substr(host, base_url.find('/', host) - host);
    if (authority.empty()) {
      refuse_base_url(base_url, "no host in it");
    }
    if (authority.find('@') != std::string::npos) {
      refuse_base_url(base_url.substr(0, host) + "…",
                      "a user or password does not belong into a URL");
    }
    endpoint.url = without_slashes_at_end(base_url);
    return endpoint;
  } else {
    refuse_base_url(base_url, "expected an http, https or unix URL");
  }
  if (endpoint.unix_socket.empty() || endpoint.unix_socket.size() > k_longest_socket_path) {
    refuse_base_url(base_url, "no usable socket path in it");
  }
  endpoint.url = "http://localhost" + without_slashes_at_end(path);
  return endpoint;
}

}  // namespace batchllm

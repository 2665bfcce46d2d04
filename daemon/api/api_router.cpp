// SPDX-License-Identifier: Apache-2.0
#include "daemon/api/api_router.h"

#include "core/error.h"
#include "core/text.h"
#include "daemon/http/problem.h"

#include <fmt/format.h>

#include <openssl/crypto.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace batchllm::daemon {
namespace {

constexpr std::string_view k_base = "/api/v1";

// What stands in the path for the {…} of the pattern; nullopt when it does not fit.
std::optional<std::vector<std::string>> match(std::string_view pattern, std::string_view path) {
  std::vector<std::string> parts;
  while (!pattern.empty() && !path.empty()) {
    if (pattern.front() != '{') {
      if (pattern.front() != path.front()) {
        return std::nullopt;
      }
      pattern.remove_prefix(1);
      path.remove_prefix(1);
      continue;
    }
    pattern.remove_prefix(pattern.find('}') + 1);
    const auto end = std::min(path.find('/'), path.size());
    if (end == 0) {
      return std::nullopt;
    }
    parts.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return pattern.empty() && path.empty() ? std::optional(std::move(parts)) : std::nullopt;
}

// The service's own pages are at the root, and below /api/v1 as well.
bool is_open_page(std::string_view path) noexcept {
  return path == "/health" || path == "/ready" || path == "/version" || path == "/openapi.json" ||
         path == "/docs";
}

std::string_view routed_path(std::string_view path) noexcept {
  if (path.starts_with(k_base) && is_open_page(path.substr(k_base.size()))) {
    path.remove_prefix(k_base.size());
  }
  return path;
}

std::string actor_of(const Peer& peer) {
  return peer.uid ? fmt::format("user:{}", *peer.uid) : "token";
}

bool is_equal(std::string_view given, std::string_view expected) noexcept {
  return given.size() == expected.size() &&
         CRYPTO_memcmp(given.data(), expected.data(), given.size()) == 0;
}

HttpResponse unauthorized() {
  HttpResponse response = problem_response(Error(ErrorCode::auth_required,
                                                 "the token is missing or wrong",
                                                 "send it as Authorization: Bearer …"));
  response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

}  // namespace

ApiRouter::ApiRouter(ApiContext& context, std::string token)
    : context_(context),
      token_(std::move(token)) {}

HttpResponse ApiRouter::handle(HttpRequest& request) {
  const std::string_view path = routed_path(request.path);
  if (!is_open_page(path) && !is_known(request)) {
    return unauthorized();
  }
  std::string allowed;
  const bool is_head = request.method == "HEAD";
  for (const ApiRoute& route : api_routes()) {
    auto parts = match(route.path, path);
    if (!parts) {
      continue;
    }
    if (route.method == request.method || (is_head && route.method == "GET")) {
      ApiCall call{request, *std::move(parts), actor_of(request.peer), {}};
      return route.handle(context_, call);
    }
    allowed += allowed.empty() ? "" : ", ";
    allowed += route.method;
  }
  if (allowed.empty()) {
    return problem_response(Error(ErrorCode::path_unknown,
                                  fmt::format("there is nothing at {}", printable(request.path)),
                                  "the operations are listed at /docs"));
  }
  HttpResponse response = problem_response(
      Error(ErrorCode::method_not_allowed,
            fmt::format("{} is not possible at {}", printable(request.method), request.path)));
  response.headers.emplace_back("Allow", allowed);
  return response;
}

// The kernel says who is at the other end of a UNIX socket, and the server let nobody else in.
bool ApiRouter::is_known(const HttpRequest& request) const {
  if (request.peer.uid) {
    return true;
  }
  constexpr std::string_view k_scheme = "Bearer ";
  const auto header = request.header("authorization");
  return !token_.empty() && header && header->starts_with(k_scheme) &&
         is_equal(header->substr(k_scheme.size()), token_);
}

}  // namespace batchllm::daemon

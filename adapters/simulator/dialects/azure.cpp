// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/dialects/dialect_list.h"
#include "adapters/simulator/dialects/dialect_parts.h"
#include "adapters/simulator/dialects/openai_form.h"
#include "core/json_text.h"

#include <array>

namespace batchllm::simulator {
namespace {

constexpr OpenAiForm k_form{
    .head = R"(,"system_fingerprint":"fp_simulator","prompt_filter_results":[])"};

constexpr std::array<std::string_view, 3> k_models = {
    "gpt-4o-mini", "gpt-4o", "text-embedding-3-small"};

// "/openai/v1/…", where a body names the deployment, or "/openai/deployments/NAME/…".
std::optional<Route> find(const SimulatedRequest& request, std::string_view path) {
  if (!take_prefix(path, "/openai")) {
    return std::nullopt;
  }
  if (take_prefix(path, "/v1")) {
    return find_openai_route(path).value_or(Route{.endpoint = Endpoint::nothing});
  }
  if (!take_prefix(path, "/deployments/") || query_value(request.query, "api-version").empty()) {
    return Route{.endpoint = Endpoint::nothing};
  }
  const std::size_t slash = path.find('/');
  auto route =
      slash == std::string_view::npos ? std::nullopt : find_openai_route(path.substr(slash));
  if (!route || route->endpoint == Endpoint::page) {
    return Route{.endpoint = Endpoint::nothing};
  }
  route->model = path.substr(0, slash);
  return route;
}

std::string_view key(const SimulatedRequest& request) {
  const std::string_view key = request.header("api-key");
  return key.empty() ? bearer_key(request) : key;
}

bool write_page(const Route& route, std::string_view /*body*/, SimulatedReply& reply) {
  return write_openai_page(k_models, route, reply);
}

// {"error":{"code":"401","message":…}} where the gateway answers, OpenAI's errors behind it.
void write_error(const SimulatedError& error, SimulatedReply& reply) {
  const bool by_key =
      error.cause == ErrorCause::key_missing || error.cause == ErrorCause::key_wrong;
  if (!by_key && error.cause != ErrorCause::path) {
    write_openai_error(error, reply);
    return;
  }
  std::string& out = reply.body;
  out.append(R"({"error":{"code":")");
  append_integer(out, static_cast<std::int64_t>(error.status));
  out.append(R"(","message":)");
  append_json_string(out,
                     by_key ? "Access denied due to invalid subscription key or wrong API "
                              "endpoint. Make sure to provide a valid key for an active "
                              "subscription and use a correct regional API endpoint for your "
                              "resource."
                            : "Resource not found");
  out.append("}}");
}

// In whole seconds, unlike OpenAI's.
std::string seconds_text(std::int64_t us) {
  return std::to_string((us + 999'999) / 1'000'000);
}

void add_headers(const ReplyFacts& facts, SimulatedReply& reply) {
  add_header(reply, "x-request-id", request_id("", facts));
  add_header(reply, "apim-request-id", request_id("", facts));
  add_openai_limits(facts.limits, &seconds_text, reply);
}

}  // namespace

const Dialect k_azure = {
    .find = &find,
    .key = &key,
    .check = nullptr,
    .read_chat = &read_openai_chat<k_form>,
    .read_embeddings = &read_openai_embeddings,
    .write_answer = &write_openai_answer<k_form>,
    .write_embeddings = &write_openai_embeddings<k_form>,
    .write_page = &write_page,
    .write_error = &write_error,
    .add_headers = &add_headers,
};

}  // namespace batchllm::simulator

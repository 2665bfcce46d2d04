// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/dialects/dialect_list.h"
#include "adapters/simulator/dialects/dialect_parts.h"
#include "adapters/simulator/dialects/openai_form.h"

#include <array>

namespace batchllm::simulator {
namespace {

constexpr OpenAiForm k_form{.head =
                                R"(,"service_tier":"default","system_fingerprint":"fp_simulator")"};

constexpr std::array<std::string_view, 8> k_models = {
    "gpt-4o-mini",
    "gpt-4o",
    "gpt-4.1-mini",
    "gpt-4.1",
    "gpt-5.4-mini",
    "gpt-3.5-turbo",
    "text-embedding-3-small",
    "text-embedding-3-large",
};

std::optional<Route> find(const SimulatedRequest& /*request*/, std::string_view path) {
  if (path == "/health") {
    return Route{.endpoint = Endpoint::page, .name = "health", .method = "GET", .needs_key = false};
  }
  return find_openai_route(path);
}

bool write_page(const Route& route, std::string_view /*body*/, SimulatedReply& reply) {
  if (route.name == "health") {
    reply.body = R"({"status":"ok"})";
    return true;
  }
  return write_openai_page(k_models, route, reply);
}

}  // namespace

void add_openai_headers(const ReplyFacts& facts, SimulatedReply& reply) {
  add_header(reply, "x-request-id", request_id("req_", facts));
  add_header(reply, "openai-processing-ms", std::to_string(reply.delay_us / 1000));
  add_openai_limits(facts.limits, &reset_text, reply);
}

const Dialect k_openai = {
    .find = &find,
    .key = &bearer_key,
    .check = nullptr,
    .read_chat = &read_openai_chat<k_form>,
    .read_embeddings = &read_openai_embeddings,
    .write_answer = &write_openai_answer<k_form>,
    .write_embeddings = &write_openai_embeddings<k_form>,
    .write_page = &write_page,
    .write_error = &write_openai_error,
    .add_headers = &add_openai_headers,
};

}  // namespace batchllm::simulator

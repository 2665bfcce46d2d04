// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/dialects/dialect_list.h"
#include "adapters/simulator/dialects/dialect_parts.h"
#include "adapters/simulator/dialects/openai_form.h"
#include "adapters/simulator/request_reader.h"
#include "core/json_text.h"

#include <fmt/format.h>

#include <array>

namespace batchllm::simulator {
namespace {

// Members of OpenAI's that it refuses, as it does all that it does not know.
constexpr std::array<std::string_view, 7> k_refused = {
    "seed", "max_completion_tokens", "stream_options", "logit_bias", "store", "user", "verbosity"};

// OpenAI's form with another seed, its own limits and errors. It shares OpenAI's paths, which is
// why its own stand below "/mistral".
constexpr OpenAiForm k_form{.head = {},
                            .seed = "random_seed",
                            .refused = k_refused,
                            .has_refusal = false,
                            .has_details = false,
                            .usage_ends_stream = true,
                            .dimensions = 1024,
                            .large_dimensions = 1024,
                            .words = {"stop", "length", "error", "tool_calls"}};

constexpr std::array<std::string_view, 3> k_models = {
    "mistral-small-latest", "mistral-large-latest", "mistral-embed"};

std::optional<Route> find(const SimulatedRequest& /*request*/, std::string_view path) {
  if (!take_prefix(path, "/mistral/v1")) {
    return std::nullopt;
  }
  return find_openai_route(path).value_or(Route{.endpoint = Endpoint::nothing});
}

void write_answer(const ChatRequest& chat, const Completion& completion, SimulatedReply& reply) {
  Completion said = completion;
  said.content = completion.spoken();
  write_openai_answer(k_form, chat, said, reply);
}

bool write_page(const Route& route, std::string_view /*body*/, SimulatedReply& reply) {
  return write_openai_page(k_models, route, reply);
}

struct Words {
  std::string_view type;
  std::string_view code;
  std::string message;
};

Words words_of(const SimulatedError& error) {
  switch (error.cause) {
    case ErrorCause::key_missing:
    case ErrorCause::key_wrong:
      return {"unauthorized", "401", "Unauthorized"};
    case ErrorCause::requests:
    case ErrorCause::tokens:
    case ErrorCause::too_large:
      return {"rate_limited", "1300", "Rate limit exceeded"};
    case ErrorCause::quota:
      return {"payment_required", "402", "Payment required"};
    case ErrorCause::context:
      return {"context_length",
              "3051",
              "Prompt contains 131073 tokens, too large for model with 131072 maximum context "
              "length"};
    case ErrorCause::status:
      return error.status == 429
                 ? Words{"rate_limited", "1300", "Rate limit exceeded"}
                 : Words{"error", "", fmt::format("Simulated fault: status {}", error.status)};
    default:
      return {"invalid_request_error", "", error.what.message};
  }
}

// A body of the wrong form is told in another way than all else.
void write_detail(const SimulatedError& error, SimulatedReply& reply) {
  reply.status = 422;
  reply.body.append(R"({"detail":[{"type":"value_error","loc":["body",)");
  append_json_string(reply.body, error.what.param);
  reply.body.append(R"(],"msg":)");
  append_json_string(reply.body, error.what.message);
  reply.body.append("}]}");
}

void write_error(const SimulatedError& error, SimulatedReply& reply) {
  if (error.cause == ErrorCause::request) {
    write_detail(error, reply);
    return;
  }
  reply.status = error.cause == ErrorCause::quota ? 402 : error.status;
  const Words words = words_of(error);
  std::string& out = reply.body;
  out.append(R"({"object":"error","message":)");
  append_json_string(out, words.message);
  out.append(R"(,"type":)");
  append_json_string(out, words.type);
  out.append(R"(,"param":null,"code":)");
  append_json_string(out, words.code.empty() ? std::string_view{} : words.code);
  out.append(R"(,"raw_status_code":)");
  append_integer(out, static_cast<std::int64_t>(reply.status));
  out.push_back('}');
  add_retry_after(error, reply);
}

void add_headers(const ReplyFacts& facts, SimulatedReply& reply) {
  add_header(reply, "x-request-id", request_id("", facts));
  const auto add = [&](const std::optional<LimitState>& state, std::string_view name) {
    if (state) {
      add_header(reply, fmt::format("x-ratelimit-limit-{}", name), std::to_string(state->limit));
      add_header(
          reply, fmt::format("x-ratelimit-remaining-{}", name), std::to_string(state->remaining));
    }
  };
  add(facts.limits.requests, "req-minute");
  add(facts.limits.tokens, "tokens-minute");
}

}  // namespace

const Dialect k_mistral = {
    .find = &find,
    .key = &bearer_key,
    .check = nullptr,
    .read_chat = &read_openai_chat<k_form>,
    .read_embeddings = &read_openai_embeddings,
    .write_answer = &write_answer,
    .write_embeddings = &write_openai_embeddings<k_form>,
    .write_page = &write_page,
    .write_error = &write_error,
    .add_headers = &add_headers,
};

}  // namespace batchllm::simulator

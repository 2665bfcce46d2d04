// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/anthropic.h"

#include "adapters/providers/chat_provider.h"
#include "core/error.h"
#include "core/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace batchllm {
namespace {

namespace ondemand = wire::ondemand;

constexpr std::int64_t k_smallest_budget = 1024;  // that the API takes

class AnthropicProvider final : public ChatProvider {
 public:
  explicit AnthropicProvider(ModelRequest request);

 private:
  static constexpr std::array<FinishWord, 5> k_finish = {{
      {"max_tokens", RowFailure::truncated},
      {"refusal", RowFailure::refused},
      {"model_context_window_exceeded", RowFailure::context_too_long},
      {"pause_turn", RowFailure::truncated},
      {"error", RowFailure::server_error},
  }};

  void write_messages(const Prompt& prompt, std::string& body) const override;
  void write_parts(std::string_view text,
                   Attachments attachments,
                   std::string& body) const override;
  bool read_member(std::string_view key, ondemand::value value, Reply& reply) override;
  RowFailure failure_of(int status, const ErrorReply& reply) const override;
  int status_of(const wire::ErrorBody& error) const override;

  RowFailure meaning_of(std::string_view finish) const override {
    return find_finish(k_finish, finish);
  }

  void add_output_config();
  void add_thinking();
  void add_tool();
  void read_block(ondemand::value value, Reply& reply);
};

// What an error's type says when no HTTP status does.
constexpr std::array<std::pair<std::string_view, int>, 9> k_statuses = {{
    {"invalid_request_error", 400},
    {"authentication_error", 401},
    {"billing_error", 402},
    {"permission_error", 403},
    {"not_found_error", 404},
    {"request_too_large", 413},
    {"rate_limit_error", 429},
    {"timeout_error", 504},
    {"overloaded_error", 529},
}};

// Limits that no waiting within a run lifts.
constexpr std::array<std::string_view, 2> k_spent_codes = {"enforced_spend_limit_reached",
                                                           "contract_spend_limit_reached"};
constexpr std::array<std::string_view, 2> k_spent_words = {"specified API usage limits",
                                                           "credit balance is too low"};

// Input tokens come in three counts that do not overlap.
void read_usage(ondemand::value value, Usage& usage) {
  (void)wire::for_each_member(value, [&](std::string_view key, ondemand::value member) {
    if (key == "input_tokens" || key == "cache_creation_input_tokens") {
      usage.input_tokens += wire::count_of(member);
    } else if (key == "cache_read_input_tokens") {
      usage.cached_tokens = wire::count_of(member);
      usage.input_tokens += usage.cached_tokens;
    } else if (key == "output_tokens") {
      usage.output_tokens = wire::count_of(member);
    }
  });
}

void read_error_with_details(ondemand::value value, wire::ErrorBody& error) {
  (void)wire::for_each_member(value, [&](std::string_view key, ondemand::value member) {
    if (key == "type") {
      error.type = wire::text_of(member);
    } else if (key == "message") {
      error.message = wire::text_of(member);
    } else if (key == "details") {
      (void)wire::for_each_member(member, [&](std::string_view name, ondemand::value code) {
        if (name == "error_code") {
          error.code = wire::text_of(code);
        }
      });
    }
  });
}

AnthropicProvider::AnthropicProvider(ModelRequest given) : ChatProvider(std::move(given)) {
  const ModelRequest& model = request();
  send_to("/v1", "/messages");
  add_key("x-api-key");
  add_header("anthropic-version", "2023-06-01");
  if (!model.max_tokens && parameter("max_tokens") == nullptr) {
    throw Error(ErrorCode::usage,
                "this model is not asked without a limit for the answer's tokens",
                "give --max-tokens N");
  }
  head_ = R"({"model":)" + json_string(model.model);
  if (model.max_tokens) {
    append_member(head_, "max_tokens", std::to_string(*model.max_tokens));
  }
  if (model.temperature && model.traits.takes_temperature) {
    append_member(head_, "temperature", fmt::format("{}", *model.temperature));
  }
  add_output_config();
  add_thinking();
  add_tool();
  add_extras(head_);
  tail_ = "]}";
}

void AnthropicProvider::add_output_config() {
  const ModelRequest& model = request();
  std::string config;
  if (model.schema && model.traits.schema_mode == SchemaMode::native) {
    append_member(config,
                  "format",
                  fmt::format(R"({{"type":"json_schema","schema":{}}})", model.schema->json));
  }
  if (!model.effort.empty() && model.traits.effort == "output_config.effort") {
    append_member(config, "effort", json_string(model.effort));
  }
  if (!config.empty()) {
    append_member(head_, "output_config", "{" + config + "}");
  }
}

void AnthropicProvider::add_thinking() {
  const ModelRequest& model = request();
  const auto budget = thinking_tokens(model.effort);
  if (model.traits.effort != "thinking.budget_tokens" || !budget || *budget == 0) {
    return;
  }
  // Thoughts count towards the limit: a quarter of it is left for the answer.
  const std::int64_t most = model.max_tokens.value_or(0) / 4 * 3;
  if (most < k_smallest_budget) {
    throw Error(ErrorCode::usage,
                "this model thinks with 1024 tokens at least, which the limit leaves no room for",
                "give --max-tokens 1400 or more");
  }
  append_member(
      head_,
      "thinking",
      fmt::format(R"({{"type":"enabled","budget_tokens":{}}})",
                  std::clamp(*budget, k_smallest_budget, std::max(most, k_smallest_budget))));
}

// Older models do not know a schema; they fill in the arguments of a tool that they must call.
void AnthropicProvider::add_tool() {
  const auto& schema = request().schema;
  if (!schema || request().traits.schema_mode != SchemaMode::tool) {
    return;
  }
  const std::string name = json_string(schema->name);
  append_member(
      head_, "tools", fmt::format(R"([{{"name":{},"input_schema":{}}}])", name, schema->json));
  append_member(head_, "tool_choice", fmt::format(R"({{"type":"tool","name":{}}})", name));
}

void AnthropicProvider::write_messages(const Prompt& prompt, std::string& body) const {
  write_instructions(prompt, R"(,"system":")", "\"", body);
  body += R"(,"messages":[)";
  write_turns(prompt, Instructions::apart, body);
}

void AnthropicProvider::write_parts(std::string_view text,
                                    Attachments attachments,
                                    std::string& body) const {
  bool is_first = true;
  for (const Attachment& attachment : attachments) {
    body += is_first ? R"({"type":")" : R"(,{"type":")";
    is_first = false;
    body += attachment.kind == Attachment::Kind::image ? "image" : "document";
    if (const auto data = split_data_url(attachment.url)) {
      body += R"(","source":{"type":"base64","media_type":")";
      append_json_escaped(body, data->media_type);
      body += R"(","data":")";
      append_json_escaped(body, data->base64);
    } else {
      body += R"(","source":{"type":"url","url":")";
      append_json_escaped(body, attachment.url);
    }
    body += "\"}}";
  }
  if (!text.empty()) {  // which the API refuses
    body += is_first ? R"({"type":"text","text":")" : R"(,{"type":"text","text":")";
    append_json_escaped(body, text);
    body += "\"}";
  }
}

bool AnthropicProvider::read_member(std::string_view key, ondemand::value value, Reply& reply) {
  if (key == "content") {
    reply.has_answer = true;
    return wire::for_each_element(value, [&](ondemand::value block) { read_block(block, reply); });
  }
  if (key == "stop_reason") {
    reply.finish = wire::string_or_empty(value);
  } else if (key == "usage") {
    read_usage(value, reply.usage);
  } else if (key == "error") {
    read_error_with_details(value, reply.error);
  } else if (key == "stop_details") {  // of a refusal, else null
    (void)wire::for_each_member(value, [&reply](std::string_view name, ondemand::value member) {
      if (name == "category") {
        reply.refusal = wire::string_or_empty(member);
      }
    });
  }
  return true;
}

// Blocks of other types (thoughts) have no `text`.
void AnthropicProvider::read_block(ondemand::value value, Reply& reply) {
  (void)wire::for_each_member(value, [&](std::string_view key, ondemand::value member) {
    if (key == "text") {
      add_text(wire::string_or_empty(member), reply);
    } else if (key == "input" && request().traits.schema_mode == SchemaMode::tool) {
      reply.text = wire::raw_json(member);
    }
  });
}

RowFailure AnthropicProvider::failure_of(int status, const ErrorReply& reply) const {
  const wire::ErrorBody& error = reply.error;
  const bool is_spent =
      std::find(k_spent_codes.begin(), k_spent_codes.end(), error.code) != k_spent_codes.end() ||
      std::any_of(k_spent_words.begin(), k_spent_words.end(), [&error](std::string_view words) {
        return error.message.find(words) != std::string::npos;
      });
  if (is_spent) {
    return RowFailure::quota_exhausted;
  }
  if (error.type == "overloaded_error") {
    return RowFailure::overloaded;
  }
  return ChatProvider::failure_of(status, reply);
}

int AnthropicProvider::status_of(const wire::ErrorBody& error) const {
  for (const auto& [type, status] : k_statuses) {
    if (type == error.type) {
      return status;
    }
  }
  return 500;
}

}  // namespace

std::unique_ptr<Provider> make_anthropic_provider(ModelRequest request) {
  return std::make_unique<AnthropicProvider>(std::move(request));
}

}  // namespace batchllm

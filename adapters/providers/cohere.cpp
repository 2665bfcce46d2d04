// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/cohere.h"

#include "adapters/providers/chat_provider.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <array>

namespace batchllm {
namespace {

namespace ondemand = wire::ondemand;

class CohereProvider final : public ChatProvider {
 public:
  explicit CohereProvider(ModelRequest request);

 private:
  static constexpr std::array<FinishWord, 5> k_finish = {{
      {"MAX_TOKENS", RowFailure::truncated},
      {"ERROR_TOXIC", RowFailure::content_filtered},
      {"ERROR_LIMIT", RowFailure::context_too_long},
      {"ERROR", RowFailure::server_error},
      {"TIMEOUT", RowFailure::server_error},
  }};

  void write_messages(const Prompt& prompt, std::string& body) const override {
    write_turns(prompt, Instructions::among_turns, body);
  }

  bool read_member(std::string_view key, ondemand::value value, Reply& reply) override;

  RowFailure failure_of(int status, const ErrorReply& reply) const override {
    return cohere_failure(status, reply.error).value_or(ChatProvider::failure_of(status, reply));
  }

  RowFailure meaning_of(std::string_view finish) const override {
    return find_finish(k_finish, finish);
  }

  void add_format();
  void add_thinking();
  void read_message(ondemand::value value, Reply& reply);
};

// `tokens` are those of the model, with its own instructions; `billed_units` those that cost.
void read_usage(ondemand::value value, Usage& usage) {
  (void)wire::for_each_member(value, [&](std::string_view key, ondemand::value member) {
    if (key == "cached_tokens") {
      usage.cached_tokens = wire::count_of(member);
    } else if (key == "billed_units") {
      (void)wire::for_each_member(member, [&](std::string_view name, ondemand::value count) {
        if (name == "input_tokens") {
          usage.input_tokens = wire::count_of(count);
        } else if (name == "output_tokens") {
          usage.output_tokens = wire::count_of(count);
        }
      });
    }
  });
}

CohereProvider::CohereProvider(ModelRequest given) : ChatProvider(std::move(given)) {
  const ModelRequest& model = request();
  send_to("/v2", "/chat");
  add_key("Authorization");
  head_ = R"({"model":)" + json_string(model.model) + R"(,"messages":[)";
  tail_ = "]";
  if (model.temperature && model.traits.takes_temperature) {
    append_member(tail_, "temperature", fmt::format("{}", *model.temperature));
  }
  if (model.max_tokens) {
    append_member(tail_, "max_tokens", std::to_string(*model.max_tokens));
  }
  add_thinking();
  add_format();
  add_extras(tail_);
  tail_ += '}';
}

void CohereProvider::add_thinking() {
  const ModelRequest& model = request();
  const auto budget = thinking_tokens(model.effort);
  if (model.traits.effort != "thinking.token_budget" || !budget) {
    return;
  }
  append_member(tail_,
                "thinking",
                *budget == 0 ? R"({"type":"disabled"})"
                             : fmt::format(R"({{"type":"enabled","token_budget":{}}})", *budget));
}

void CohereProvider::add_format() {
  const auto& schema = request().schema;
  if (!schema) {
    return;
  }
  if (request().traits.schema_mode == SchemaMode::native) {
    append_member(tail_,
                  "response_format",
                  fmt::format(R"({{"type":"json_object","json_schema":{}}})", schema->json));
  } else if (request().traits.schema_mode == SchemaMode::json_object) {
    append_member(tail_, "response_format", R"({"type":"json_object"})");
  }
}

bool CohereProvider::read_member(std::string_view key, ondemand::value value, Reply& reply) {
  if (key == "message") {  // the answer, or what went wrong
    std::string_view text;
    if (value.get_string().get(text) == simdjson::SUCCESS) {
      reply.error.message = text;
    } else {
      read_message(value, reply);
    }
  } else if (key == "finish_reason") {
    reply.finish = wire::string_or_empty(value);
  } else if (key == "usage") {
    read_usage(value, reply.usage);
  } else if (key == "error") {
    wire::read_error(value, reply.error);
  }
  return true;
}

// Parts of other types (thoughts) have no `text`.
void CohereProvider::read_message(ondemand::value value, Reply& reply) {
  (void)wire::for_each_member(value, [&](std::string_view key, ondemand::value member) {
    if (key != "content") {
      return;
    }
    reply.has_answer = true;
    (void)wire::for_each_element(member, [&](ondemand::value part) {
      (void)wire::for_each_member(part, [&](std::string_view name, ondemand::value text) {
        if (name == "text") {
          add_text(wire::string_or_empty(text), reply);
        }
      });
    });
  });
}

}  // namespace

std::optional<RowFailure> cohere_failure(int status, const wire::ErrorBody& error) {
  const std::string message = lowercase(error.message);
  if (status == 498) {  // a word that is on a list of theirs
    return RowFailure::content_filtered;
  }
  if (status == 400 && message.starts_with("too many tokens") &&
      message.find("max tokens must be") == std::string::npos) {
    return RowFailure::context_too_long;
  }
  // A trial key's calls of the month are not of the minute.
  if (status == 429 && message.find("/ month") != std::string::npos) {
    return RowFailure::quota_exhausted;
  }
  return std::nullopt;
}

std::unique_ptr<Provider> make_cohere_provider(ModelRequest request) {
  return std::make_unique<CohereProvider>(std::move(request));
}

}  // namespace batchllm

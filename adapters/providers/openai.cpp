// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/openai.h"

#include "adapters/providers/chat_provider.h"
#include "core/json_text.h"

#include <fmt/format.h>

#include <array>

namespace batchllm {
namespace {

namespace ondemand = wire::ondemand;

class OpenAiProvider final : public ChatProvider {
 public:
  explicit OpenAiProvider(ModelRequest request);

 private:
  static constexpr std::array<FinishWord, 6> k_finish = {{
      {"content_filter", RowFailure::content_filtered},
      {"length", RowFailure::truncated},
      {"model_length", RowFailure::context_too_long},            // Mistral
      {"insufficient_system_resource", RowFailure::overloaded},  // DeepSeek
      {"error", RowFailure::server_error},                       // OpenRouter, Mistral
      {"abort", RowFailure::server_error},                       // vLLM
  }};

  void write_messages(const Prompt& prompt, std::string& body) const override {
    write_turns(prompt, Instructions::among_turns, body);
  }

  bool read_member(std::string_view key, ondemand::value value, Reply& reply) override;

  RowFailure meaning_of(std::string_view finish) const override {
    return find_finish(k_finish, finish);
  }

  void add_schema();
  bool read_choices(ondemand::value value, Reply& reply);
  void read_choice(ondemand::value value, Reply& reply);
  void read_message(ondemand::value value, Reply& reply);
  void read_content(ondemand::value value, Reply& reply);
  static void read_tool_call(ondemand::value value, Reply& reply);
};

void read_usage(ondemand::value value, Usage& usage) {
  (void)wire::for_each_member(value, [&](std::string_view key, ondemand::value member) {
    if (key == "prompt_tokens") {
      usage.input_tokens = wire::count_of(member);
    } else if (key == "completion_tokens") {
      usage.output_tokens = wire::count_of(member);
    } else if (key == "prompt_cache_hit_tokens") {  // DeepSeek
      usage.cached_tokens = wire::count_of(member);
    } else if (key == "prompt_tokens_details") {
      (void)wire::for_each_member(member, [&](std::string_view name, ondemand::value count) {
        if (name == "cached_tokens") {
          usage.cached_tokens = wire::count_of(count);
        }
      });
    }
  });
}

OpenAiProvider::OpenAiProvider(ModelRequest given) : ChatProvider(std::move(given)) {
  const ModelRequest& model = request();
  send_to("/chat/completions");
  add_key("Authorization");
  head_ = R"({"model":)" + json_string(model.model) + R"(,"messages":[)";
  tail_ = "]";
  add_sampling(model.traits.token_limit);
  add_schema();
  add_extras(tail_);
  tail_ += '}';
}

void OpenAiProvider::add_schema() {
  const auto& schema = request().schema;
  if (!schema) {
    return;
  }
  const std::string name = json_string(schema->name);
  switch (request().traits.schema_mode) {
    case SchemaMode::native:
      append_member(
          tail_,
          "response_format",
          fmt::format(R"({{"type":"json_schema","json_schema":{{"name":{},"schema":{}}}}})",
                      name,
                      schema->json));
      return;
    case SchemaMode::json_object:
      append_member(tail_, "response_format", R"({"type":"json_object"})");
      return;
    case SchemaMode::tool:
      append_member(
          tail_,
          "tools",
          fmt::format(R"([{{"type":"function","function":{{"name":{},"parameters":{}}}}}])",
                      name,
                      schema->json));
      append_member(tail_,
                    "tool_choice",
                    fmt::format(R"({{"type":"function","function":{{"name":{}}}}})", name));
      return;
    case SchemaMode::instructions:
      return;
  }
}

bool OpenAiProvider::read_member(std::string_view key, ondemand::value value, Reply& reply) {
  if (key == "choices") {
    return read_choices(value, reply);
  }
  if (key == "usage") {
    read_usage(value, reply.usage);
  } else if (key == "error") {
    wire::read_error(value, reply.error);
  } else if (key == "message") {  // Mistral, older vLLM: no object around the error's members
    reply.error.message = wire::text_of(value);
  } else if (key == "type") {
    reply.error.type = wire::text_of(value);
  } else if (key == "code") {
    reply.error.code = wire::text_of(value);
  }
  return true;
}

bool OpenAiProvider::read_choices(ondemand::value value, Reply& reply) {
  bool is_first = true;
  return wire::for_each_element(value, [&](ondemand::value choice) {
    if (is_first) {
      read_choice(choice, reply);
    }
    is_first = false;
  });
}

void OpenAiProvider::read_choice(ondemand::value value, Reply& reply) {
  (void)wire::for_each_member(value, [&](std::string_view key, ondemand::value member) {
    if (key == "message") {
      reply.has_answer = true;
      read_message(member, reply);
    } else if (key == "finish_reason") {
      reply.finish = wire::string_or_empty(member);
    } else if (key == "error") {  // OpenRouter, in a response of status 200
      wire::read_error(member, reply.error);
    }
  });
}

void OpenAiProvider::read_message(ondemand::value value, Reply& reply) {
  (void)wire::for_each_member(value, [&](std::string_view key, ondemand::value member) {
    if (key == "content") {
      read_content(member, reply);
    } else if (key == "refusal") {
      reply.refusal = wire::string_or_empty(member);
    } else if (key == "tool_calls" && request().traits.schema_mode == SchemaMode::tool) {
      (void)wire::for_each_element(member,
                                   [&reply](ondemand::value call) { read_tool_call(call, reply); });
    }
  });
}

void OpenAiProvider::read_tool_call(ondemand::value value, Reply& reply) {
  (void)wire::for_each_member(value, [&](std::string_view key, ondemand::value member) {
    if (key != "function") {
      return;
    }
    (void)wire::for_each_member(member, [&](std::string_view name, ondemand::value arguments) {
      if (name == "arguments") {
        reply.text = wire::string_or_empty(arguments);
      }
    });
  });
}

// A string, null, or (some servers) a list of parts whose texts belong together.
void OpenAiProvider::read_content(ondemand::value value, Reply& reply) {
  ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) {
    return;
  }
  if (type == ondemand::json_type::string) {
    reply.text = wire::string_or_empty(value);
    return;
  }
  if (type != ondemand::json_type::array) {
    return;
  }
  (void)wire::for_each_element(value, [&](ondemand::value part) {
    (void)wire::for_each_member(part, [&](std::string_view key, ondemand::value member) {
      if (key == "text") {
        add_text(wire::string_or_empty(member), reply);
      }
    });
  });
}

}  // namespace

std::unique_ptr<Provider> make_openai_provider(ModelRequest request) {
  return std::make_unique<OpenAiProvider>(std::move(request));
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/gemini.h"

#include "adapters/providers/chat_provider.h"
#include "adapters/providers/gemini_wire.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace batchllm {
namespace {

namespace ondemand = wire::ondemand;

// Parameters that stand beside generationConfig.
constexpr std::array<std::string_view, 6> k_outside = {
    "safetySettings", "tools", "toolConfig", "cachedContent", "labels", "serviceTier"};

bool is_outside(std::string_view name) {
  return std::find(k_outside.begin(), k_outside.end(), name) != k_outside.end();
}

class GeminiProvider final : public ChatProvider {
 public:
  explicit GeminiProvider(ModelRequest request);

 private:
  // Words of which nothing is known end an answer that cannot be trusted to be whole.
  static constexpr std::array<FinishWord, 6> k_finish = {{
      {"", RowFailure::none},
      {"STOP", RowFailure::none},
      {"MAX_TOKENS", RowFailure::truncated},
      {"CONTINUATION", RowFailure::truncated},
      {"MALFORMED_FUNCTION_CALL", RowFailure::server_error},
      {"MALFORMED_RESPONSE", RowFailure::server_error},
  }};
  static constexpr std::array<std::string_view, 12> k_filtered = {"SAFETY",
                                                                  "RECITATION",
                                                                  "LANGUAGE",
                                                                  "BLOCKLIST",
                                                                  "PROHIBITED_CONTENT",
                                                                  "SPII",
                                                                  "MODEL_ARMOR",
                                                                  "IMAGE_SAFETY",
                                                                  "IMAGE_PROHIBITED_CONTENT",
                                                                  "IMAGE_RECITATION",
                                                                  "IMAGE_OTHER",
                                                                  "OTHER"};

  void write_messages(const Prompt& prompt, std::string& body) const override;
  void write_turn(std::string_view role,
                  std::string_view text,
                  Attachments attachments,
                  std::string& body) const override;

  std::string_view role_of(std::string_view role) const override {
    return role == "assistant" ? "model" : ChatProvider::role_of(role);
  }

  bool read_member(std::string_view key, ondemand::value value, Reply& reply) override;
  RowFailure meaning_of(std::string_view finish) const override;

  RowFailure failure_of(int status, const ErrorReply& reply) const override {
    return gemini::failure_of(status, reply.error)
        .value_or(ChatProvider::failure_of(status, reply));
  }

  std::string generation_config() const;
  void add_thinking(std::string& config) const;
  void read_candidate(ondemand::value value, Reply& reply);
  void read_part(ondemand::value value, Reply& reply);
};

// Thoughts are counted apart from the answer; both are billed as output.
void read_usage(ondemand::value value, Usage& usage) {
  (void)wire::for_each_member(value, [&](std::string_view key, ondemand::value member) {
    if (key == "promptTokenCount" || key == "toolUsePromptTokenCount") {
      usage.input_tokens += wire::count_of(member);
    } else if (key == "cachedContentTokenCount") {
      usage.cached_tokens = wire::count_of(member);
    } else if (key == "candidatesTokenCount" || key == "thoughtsTokenCount") {
      usage.output_tokens += wire::count_of(member);
    }
  });
}

GeminiProvider::GeminiProvider(ModelRequest given) : ChatProvider(std::move(given)) {
  const ModelRequest& model = request();
  send_to("/v1beta", "/" + gemini::path_of(model.model) + ":generateContent");
  add_key("x-goog-api-key");
  head_ = "{";
  tail_ = "]";
  if (const std::string config = generation_config(); !config.empty()) {
    append_member(tail_, "generationConfig", "{" + config + "}");
  }
  if (!model.traits.extra.empty()) {
    tail_ += "," + model.traits.extra;
  }
  add_parameters(tail_, is_outside);
  tail_ += '}';
}

std::string GeminiProvider::generation_config() const {
  const ModelRequest& model = request();
  std::string config;
  if (model.max_tokens) {
    append_member(config, "maxOutputTokens", std::to_string(*model.max_tokens));
  }
  if (model.temperature && model.traits.takes_temperature) {
    append_member(config, "temperature", fmt::format("{}", *model.temperature));
  }
  if (model.schema && model.traits.schema_mode != SchemaMode::instructions) {
    append_member(config, "responseMimeType", R"("application/json")");
    if (model.traits.schema_mode != SchemaMode::json_object) {
      append_member(config, "responseJsonSchema", model.schema->json);
    }
  }
  add_thinking(config);
  add_parameters(config, [](std::string_view name) { return !is_outside(name); });
  return config;
}

void GeminiProvider::add_thinking(std::string& config) const {
  const ModelRequest& model = request();
  if (model.effort.empty() || model.traits.effort.empty()) {
    return;
  }
  if (model.traits.effort.ends_with("thinkingBudget")) {
    if (const auto tokens = thinking_tokens(model.effort)) {
      append_nested(config, model.traits.effort, std::to_string(*tokens));
    }
    return;
  }
  std::string level = model.effort;
  std::transform(level.begin(), level.end(), level.begin(), [](unsigned char letter) {
    return static_cast<char>(std::toupper(letter));
  });
  // There is no level for "not at all".
  append_nested(config, model.traits.effort, json_string(level == "NONE" ? "MINIMAL" : level));
}

void GeminiProvider::write_messages(const Prompt& prompt, std::string& body) const {
  write_instructions(prompt, R"("systemInstruction":{"parts":[{"text":")", R"("}]},)", body);
  body += R"("contents":[)";
  write_turns(prompt, Instructions::apart, body);
}

void GeminiProvider::write_turn(std::string_view role,
                                std::string_view text,
                                Attachments attachments,
                                std::string& body) const {
  body += R"({"role":")";
  append_json_escaped(body, role);
  body += R"(","parts":[)";
  for (const Attachment& attachment : attachments) {
    if (const auto data = split_data_url(attachment.url)) {
      body += R"({"inlineData":{"mimeType":")";
      append_json_escaped(body, data->media_type);
      body += R"(","data":")";
      append_json_escaped(body, data->base64);
    } else {
      body += R"({"fileData":{"fileUri":")";
      append_json_escaped(body, attachment.url);
    }
    body += R"("}},)";
  }
  body += R"({"text":")";
  append_json_escaped(body, text);
  body += R"("}]})";
}

bool GeminiProvider::read_member(std::string_view key, ondemand::value value, Reply& reply) {
  if (key == "candidates") {
    bool is_first = true;
    return wire::for_each_element(value, [&](ondemand::value candidate) {
      if (is_first) {
        read_candidate(candidate, reply);
      }
      is_first = false;
    });
  }
  if (key == "usageMetadata") {
    read_usage(value, reply.usage);
  } else if (key == "error") {
    gemini::read_error(value, reply);
  } else if (key == "promptFeedback") {
    (void)wire::for_each_member(value, [&reply](std::string_view name, ondemand::value member) {
      if (name == "blockReason" && !reply.has_answer) {
        reply.finish = wire::string_or_empty(member);
      }
    });
  }
  return true;
}

void GeminiProvider::read_candidate(ondemand::value value, Reply& reply) {
  (void)wire::for_each_member(value, [&](std::string_view key, ondemand::value member) {
    if (key == "content") {
      (void)wire::for_each_member(member, [&](std::string_view name, ondemand::value parts) {
        if (name == "parts") {
          (void)wire::for_each_element(parts,
                                       [&](ondemand::value part) { read_part(part, reply); });
        }
      });
    } else if (key == "finishReason") {
      reply.finish = wire::string_or_empty(member);
    }
    reply.has_answer = true;
  });
}

void GeminiProvider::read_part(ondemand::value value, Reply& reply) {
  std::string_view text;
  bool is_thought = false;
  (void)wire::for_each_member(value, [&](std::string_view key, ondemand::value member) {
    if (key == "text") {
      text = wire::string_or_empty(member);
    } else if (key == "thought") {
      is_thought = member.get_bool().get(is_thought) == simdjson::SUCCESS && is_thought;
    }
  });
  if (!is_thought && !text.empty()) {
    add_text(text, reply);
  }
}

RowFailure GeminiProvider::meaning_of(std::string_view finish) const {
  for (const auto& [word, failure] : k_finish) {
    if (word == finish) {
      return failure;
    }
  }
  return std::find(k_filtered.begin(), k_filtered.end(), finish) != k_filtered.end()
             ? RowFailure::content_filtered
             : RowFailure::protocol_error;
}

}  // namespace

std::unique_ptr<Provider> make_gemini_provider(ModelRequest request) {
  return std::make_unique<GeminiProvider>(std::move(request));
}

}  // namespace batchllm

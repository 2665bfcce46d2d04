// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/responses.h"

#include "adapters/providers/chat_provider.h"
#include "core/json_text.h"

#include <fmt/format.h>

#include <array>

namespace batchllm {
namespace {

namespace ondemand = wire::ondemand;

class ResponsesProvider final : public ChatProvider {
 public:
  explicit ResponsesProvider(ModelRequest request);

 private:
  // Of `status` and of incomplete_details.reason, which says more.
  static constexpr std::array<FinishWord, 9> k_finish = {{
      {"incomplete", RowFailure::truncated},
      {"max_output_tokens", RowFailure::truncated},
      {"max_messages", RowFailure::truncated},
      {"steered", RowFailure::truncated},
      {"content_filter", RowFailure::content_filtered},
      {"failed", RowFailure::server_error},
      {"cancelled", RowFailure::server_error},
      {"queued", RowFailure::protocol_error},
      {"in_progress", RowFailure::protocol_error},
  }};

  // What the code of an error in a response of status 200 would have been as a status; other codes
  // say that the prompt is to blame.
  static constexpr std::array<std::pair<std::string_view, int>, 4> k_statuses = {{
      {"server_error", 500},
      {"vector_store_timeout", 504},
      {"rate_limit_exceeded", 429},
      {"insufficient_quota", 429},
  }};

  void write_messages(const Prompt& prompt, std::string& body) const override;
  void write_parts(std::string_view text,
                   Attachments attachments,
                   std::string& body) const override;
  bool read_member(std::string_view key, ondemand::value value, Reply& reply) override;
  int status_of(const wire::ErrorBody& error) const override;

  RowFailure meaning_of(std::string_view finish) const override {
    return find_finish(k_finish, finish);
  }

  void add_text_format();
  void add_tool();
  void read_item(ondemand::value value, Reply& reply);
  void read_part(ondemand::value value, Reply& reply);
};

void read_usage(ondemand::value value, Usage& usage) {
  (void)wire::for_each_member(value, [&](std::string_view key, ondemand::value member) {
    if (key == "input_tokens") {
      usage.input_tokens = wire::count_of(member);
    } else if (key == "output_tokens") {
      usage.output_tokens = wire::count_of(member);
    } else if (key == "input_tokens_details") {
      (void)wire::for_each_member(member, [&](std::string_view name, ondemand::value count) {
        if (name == "cached_tokens") {
          usage.cached_tokens = wire::count_of(count);
        }
      });
    }
  });
}

ResponsesProvider::ResponsesProvider(ModelRequest given) : ChatProvider(std::move(given)) {
  const ModelRequest& model = request();
  send_to("/responses");
  add_key("Authorization");
  head_ = R"({"model":)" + json_string(model.model);
  tail_ = "]";
  if (parameter("store") == nullptr) {
    append_member(tail_, "store", "false");
  }
  add_sampling("max_output_tokens");
  add_text_format();
  add_tool();
  add_extras(tail_);
  tail_ += '}';
}

void ResponsesProvider::add_text_format() {
  const auto& schema = request().schema;
  if (!schema) {
    return;
  }
  if (request().traits.schema_mode == SchemaMode::native) {
    append_member(tail_,
                  "text",
                  fmt::format(R"({{"format":{{"type":"json_schema","name":{},"schema":{}}}}})",
                              json_string(schema->name),
                              schema->json));
  } else if (request().traits.schema_mode == SchemaMode::json_object) {
    append_member(tail_, "text", R"({"format":{"type":"json_object"}})");
  }
}

void ResponsesProvider::add_tool() {
  const auto& schema = request().schema;
  if (!schema || request().traits.schema_mode != SchemaMode::tool) {
    return;
  }
  const std::string name = json_string(schema->name);
  append_member(
      tail_,
      "tools",
      fmt::format(R"([{{"type":"function","name":{},"parameters":{}}}])", name, schema->json));
  append_member(tail_, "tool_choice", fmt::format(R"({{"type":"function","name":{}}})", name));
}

void ResponsesProvider::write_messages(const Prompt& prompt, std::string& body) const {
  write_instructions(prompt, R"(,"instructions":")", "\"", body);
  body += R"(,"input":[)";
  write_turns(prompt, Instructions::apart, body);
}

void ResponsesProvider::write_parts(std::string_view text,
                                    Attachments attachments,
                                    std::string& body) const {
  body += R"({"type":"input_text","text":")";
  append_json_escaped(body, text);
  body += "\"}";
  for (const Attachment& attachment : attachments) {
    if (attachment.kind == Attachment::Kind::image) {
      body += R"(,{"type":"input_image","image_url":")";
    } else {
      body += R"(,{"type":"input_file","filename":")";
      append_json_escaped(body, attachment.name);
      body += R"(","file_data":")";
    }
    append_json_escaped(body, attachment.url);
    body += "\"}";
  }
}

bool ResponsesProvider::read_member(std::string_view key, ondemand::value value, Reply& reply) {
  if (key == "output") {
    return wire::for_each_element(value, [&](ondemand::value item) { read_item(item, reply); });
  }
  if (key == "status") {
    if (reply.finish.empty()) {
      reply.finish = wire::string_or_empty(value);
    }
  } else if (key == "incomplete_details") {
    (void)wire::for_each_member(value, [&reply](std::string_view name, ondemand::value member) {
      if (name == "reason") {
        const std::string_view reason = wire::string_or_empty(member);
        reply.finish = reason.empty() ? reply.finish : reason;
      }
    });
  } else if (key == "usage") {
    read_usage(value, reply.usage);
  } else if (key == "error") {
    wire::read_error(value, reply.error);
  }
  return true;
}

// A message, or the call of the tool that stands for one; thoughts and calls of other kinds are
// passed over.
void ResponsesProvider::read_item(ondemand::value value, Reply& reply) {
  const bool has_tool = request().traits.schema_mode == SchemaMode::tool;
  (void)wire::for_each_member(value, [&](std::string_view key, ondemand::value member) {
    if (key == "content") {
      (void)wire::for_each_element(member, [&](ondemand::value part) { read_part(part, reply); });
    } else if (key == "arguments" && has_tool) {
      reply.text = wire::string_or_empty(member);
      reply.has_answer = true;
    }
  });
}

void ResponsesProvider::read_part(ondemand::value value, Reply& reply) {
  std::string_view type;
  std::string_view text;
  (void)wire::for_each_member(value, [&](std::string_view key, ondemand::value member) {
    if (key == "type") {
      type = wire::string_or_empty(member);
    } else if (key == "text" || key == "refusal") {
      text = wire::string_or_empty(member);
    }
  });
  if (type == "output_text") {
    add_text(text, reply);
    reply.has_answer = true;
  } else if (type == "refusal") {
    reply.refusal = text;
    reply.has_answer = true;
  }
}

int ResponsesProvider::status_of(const wire::ErrorBody& error) const {
  for (const auto& [code, status] : k_statuses) {
    if (code == error.code) {
      return status;
    }
  }
  return error.code.empty() ? 500 : 400;
}

}  // namespace

std::unique_ptr<Provider> make_responses_provider(ModelRequest request) {
  return std::make_unique<ResponsesProvider>(std::move(request));
}

}  // namespace batchllm

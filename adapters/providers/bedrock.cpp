// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/bedrock.h"

#include "adapters/aws/credentials.h"
#include "adapters/aws/sigv4.h"
#include "adapters/providers/chat_provider.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace batchllm {
namespace {

namespace ondemand = wire::ondemand;

// Parameters that are members of a request.
constexpr std::array<std::string_view, 9> k_members = {"additionalModelRequestFields",
                                                       "additionalModelResponseFieldPaths",
                                                       "guardrailConfig",
                                                       "outputConfig",
                                                       "performanceConfig",
                                                       "promptVariables",
                                                       "requestMetadata",
                                                       "serviceTier",
                                                       "toolConfig"};
constexpr std::array<std::string_view, 4> k_inference = {
    "maxTokens", "temperature", "topP", "stopSequences"};

template <typename Names>
bool is_among(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Signs the requests to one address. Network thread, once it is made.
class RequestSigner {
 public:
  RequestSigner(const std::string& url,
                const EnvironmentLookup& environment,
                const aws::AskMetadata& ask_metadata)
      : chain_(environment, ask_metadata) {
    const std::string_view rest = std::string_view(url).substr(url.find("//") + 2);
    const auto path = std::min(rest.find('/'), rest.size());
    const auto query = std::min(rest.find('?', path), rest.size());
    host_ = rest.substr(0, path);
    path_ = rest.substr(path, query - path);
    query_ = rest.substr(std::min(query + 1, rest.size()));
    signer_ = aws::Signer({.region = region_of(environment), .service = "bedrock"});
    static_cast<void>(chain_.current(clock_.wall_ms()));  // says now that there are none
  }

  HeaderFields sign(std::string_view body) {
    const std::string payload = aws::sha256_hex(body);
    aws::SignableRequest request;
    request.method = "POST";
    request.path = path_;
    request.query = query_;
    request.headers = {{"Host", host_}};
    request.payload_sha256 = payload;
    const std::int64_t now_ms = clock_.wall_ms();
    return signer_.sign(request, chain_.current(now_ms), now_ms).headers;
  }

  std::string_view session_token() const { return chain_.last().session_token; }

 private:
  // That of the address, for it is the one that is asked.
  std::string region_of(const EnvironmentLookup& environment) const {
    constexpr std::string_view k_service = "bedrock-runtime.";
    const auto at = host_.find(k_service);
    if (at != std::string::npos) {
      const std::string rest = host_.substr(at + k_service.size());
      return rest.substr(0, rest.find('.'));
    }
    return aws::find_region(environment).value_or("us-east-1");
  }

  SystemClock clock_;
  aws::CredentialChain chain_;
  aws::Signer signer_{aws::SigningRules{}};
  std::string host_;
  std::string path_;
  std::string query_;
};

class BedrockProvider final : public ChatProvider {
 public:
  explicit BedrockProvider(ModelRequest request);

 private:
  static constexpr std::array<FinishWord, 6> k_finish = {{
      {"max_tokens", RowFailure::truncated},
      {"guardrail_intervened", RowFailure::content_filtered},
      {"content_filtered", RowFailure::content_filtered},
      {"malformed_model_output", RowFailure::server_error},
      {"malformed_tool_use", RowFailure::server_error},
      {"model_context_window_exceeded", RowFailure::context_too_long},
  }};

  void write_messages(const Prompt& prompt, std::string& body) const override;
  void write_turn(std::string_view role,
                  std::string_view text,
                  Attachments attachments,
                  std::string& body) const override;
  bool read_member(std::string_view key, ondemand::value value, Reply& reply) override;
  RowFailure failure_of(int status, const ErrorReply& reply) const override;

  RowFailure meaning_of(std::string_view finish) const override {
    return find_finish(k_finish, finish);
  }

  std::string_view secret() const override {
    return signer_ == nullptr ? ChatProvider::secret() : signer_->session_token();
  }

  void add_inference();
  void add_schema();
  void add_fields();
  void read_block(ondemand::value value, Reply& reply);

  // Shared with the endpoint's copies, which sign with it.
  std::shared_ptr<RequestSigner> signer_;
};

// Input tokens come in three counts that do not overlap.
void read_usage(ondemand::value value, Usage& usage) {
  (void)wire::for_each_member(value, [&](std::string_view key, ondemand::value member) {
    if (key == "inputTokens" || key == "cacheWriteInputTokens") {
      usage.input_tokens += wire::count_of(member);
    } else if (key == "cacheReadInputTokens") {
      usage.cached_tokens = wire::count_of(member);
      usage.input_tokens += usage.cached_tokens;
    } else if (key == "outputTokens") {
      usage.output_tokens = wire::count_of(member);
    }
  });
}

BedrockProvider::BedrockProvider(ModelRequest given) : ChatProvider(std::move(given)) {
  const ModelRequest& model = request();
  send_to(fmt::format("/model/{}/converse", percent_encoded(model.model)));
  if (!model.key.empty()) {
    add_key("Authorization");
  } else if (model.is_sent) {
    signer_ =
        std::make_shared<RequestSigner>(endpoint().url, model.environment, model.ask_metadata);
    sign_with([signer = signer_](std::string_view body) { return signer->sign(body); });
  }
  head_ = "{";
  tail_ = "]";
  add_inference();
  add_schema();
  add_fields();
  if (!model.traits.extra.empty()) {
    tail_ += "," + model.traits.extra;
  }
  add_parameters(tail_, [](std::string_view name) { return is_among(k_members, name); });
  tail_ += '}';
}

void BedrockProvider::add_inference() {
  const ModelRequest& model = request();
  std::string config;
  if (model.max_tokens) {
    append_member(config, "maxTokens", std::to_string(*model.max_tokens));
  }
  if (model.temperature && model.traits.takes_temperature) {
    append_member(config, "temperature", fmt::format("{}", *model.temperature));
  }
  add_parameters(config, [](std::string_view name) { return is_among(k_inference, name); });
  if (!config.empty()) {
    append_member(tail_, "inferenceConfig", "{" + config + "}");
  }
}

void BedrockProvider::add_schema() {
  const auto& schema = request().schema;
  if (!schema) {
    return;
  }
  const std::string name = json_string(schema->name);
  if (request().traits.schema_mode == SchemaMode::native) {
    // A schema as a string, not as an object.
    append_member(
        tail_,
        "outputConfig",
        fmt::format(
            R"({{"textFormat":{{"type":"json_schema","structure":{{"jsonSchema":{{"name":{},"schema":{}}}}}}}}})",
            name,
            json_string(schema->json)));
  } else if (request().traits.schema_mode == SchemaMode::tool) {
    append_member(
        tail_,
        "toolConfig",
        fmt::format(
            R"({{"tools":[{{"toolSpec":{{"name":{},"inputSchema":{{"json":{}}}}}}}],"toolChoice":{{"tool":{{"name":{}}}}}}})",
            name,
            schema->json,
            name));
  }
}

void BedrockProvider::add_fields() {
  const ModelRequest& model = request();
  std::string fields;
  if (!model.effort.empty() && !model.traits.effort.empty()) {
    append_nested(fields, model.traits.effort, json_string(model.effort));
  }
  add_parameters(fields, [](std::string_view name) {
    return !is_among(k_members, name) && !is_among(k_inference, name);
  });
  if (!fields.empty()) {
    append_member(tail_, "additionalModelRequestFields", "{" + fields + "}");
  }
}

// Names of files are not for the model to read, and its API takes few characters in them.
void write_document(std::string_view url, std::size_t number, std::string& body) {
  const auto data = split_data_url(url);
  body += fmt::format(R"({{"document":{{"format":"pdf","name":"document {}","source":{{"bytes":")",
                      number);
  append_json_escaped(body, data ? data->base64 : url);
  body += "\"}}}";
}

// Bytes, or an object of S3; another address is for the server to refuse.
void write_image(std::string_view url, std::string& body) {
  constexpr std::string_view k_image = "image/";
  const auto data = split_data_url(url);
  std::string_view format = "png";
  if (data && data->media_type.starts_with(k_image)) {
    format = data->media_type.substr(k_image.size());
  } else if (const auto dot = url.rfind('.'); !data && dot != std::string_view::npos) {
    format = url.substr(dot + 1);
  }
  body += R"({"image":{"format":")";
  append_json_escaped(body, format == "jpg" ? "jpeg" : format);
  body += url.starts_with("s3://") ? R"(","source":{"s3Location":{"uri":")"
                                   : R"(","source":{"bytes":")";
  append_json_escaped(body, data ? data->base64 : url);
  body += url.starts_with("s3://") ? "\"}}}}" : "\"}}}";
}

void BedrockProvider::write_messages(const Prompt& prompt, std::string& body) const {
  write_instructions(prompt, R"("system":[{"text":")", R"("}],)", body);
  body += R"("messages":[)";
  write_turns(prompt, Instructions::apart, body);
}

void BedrockProvider::write_turn(std::string_view role,
                                 std::string_view text,
                                 Attachments attachments,
                                 std::string& body) const {
  body += R"({"role":")";
  append_json_escaped(body, role);
  body += R"(","content":[)";
  for (std::size_t i = 0; i < attachments.size(); ++i) {
    body += i == 0 ? "" : ",";
    if (attachments[i].kind == Attachment::Kind::image) {
      write_image(attachments[i].url, body);
    } else {
      write_document(attachments[i].url, i + 1, body);
    }
  }
  body += attachments.empty() || text.empty() ? "" : ",";
  if (attachments.empty() || !text.empty()) {
    body += R"({"text":")";
    append_json_escaped(body, text);
    body += "\"}";
  }
  body += "]}";
}

bool BedrockProvider::read_member(std::string_view key, ondemand::value value, Reply& reply) {
  if (key == "output") {
    (void)wire::for_each_member(value, [&](std::string_view, ondemand::value message) {
      (void)wire::for_each_member(message, [&](std::string_view name, ondemand::value content) {
        if (name == "content") {
          reply.has_answer = true;
          (void)wire::for_each_element(content,
                                       [&](ondemand::value block) { read_block(block, reply); });
        }
      });
    });
  } else if (key == "stopReason") {
    reply.finish = wire::string_or_empty(value);
  } else if (key == "usage") {
    read_usage(value, reply.usage);
  } else if (key == "message" || key == "Message") {
    reply.error.message = wire::text_of(value);
  } else if (key == "__type") {
    reply.error.type = wire::text_of(value);
  }
  return true;
}

// {"text":…}, {"toolUse":{"input":…}}; thoughts are {"reasoningContent":…}.
void BedrockProvider::read_block(ondemand::value value, Reply& reply) {
  (void)wire::for_each_member(value, [&](std::string_view key, ondemand::value member) {
    if (key == "text") {
      add_text(wire::string_or_empty(member), reply);
    } else if (key == "toolUse" && request().traits.schema_mode == SchemaMode::tool) {
      (void)wire::for_each_member(member, [&reply](std::string_view name, ondemand::value input) {
        if (name == "input") {
          reply.text = wire::raw_json(input);
        }
      });
    }
  });
}

RowFailure BedrockProvider::failure_of(int status, const ErrorReply& reply) const {
  const wire::ErrorBody& error = reply.error;
  if (error.type == "ThrottlingException" || status == 429) {
    // "Too many tokens, please wait" is throttling, too.
    return lowercase(error.message).find("per day") != std::string::npos
               ? RowFailure::quota_exhausted
           : error.type == "ModelNotReadyException" ? RowFailure::overloaded
                                                    : RowFailure::rate_limited;
  }
  if (error.type == "ServiceQuotaExceededException") {
    return RowFailure::rate_limited;
  }
  if (status == 424) {  // the model failed
    return RowFailure::server_error;
  }
  return ChatProvider::failure_of(status, reply);
}

}  // namespace

EnvironmentLookup with_aws_region(const EnvironmentLookup& environment) {
  return [environment](const std::string& name) {
    auto value = environment(name);
    return value || name != "AWS_REGION" ? value : aws::find_region(environment);
  };
}

std::unique_ptr<Provider> make_bedrock_provider(ModelRequest request) {
  return std::make_unique<BedrockProvider>(std::move(request));
}

}  // namespace batchllm

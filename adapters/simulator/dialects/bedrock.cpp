// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/dialects/dialect_list.h"
#include "adapters/simulator/dialects/dialect_parts.h"
#include "adapters/simulator/random_draw.h"
#include "adapters/simulator/request_reader.h"
#include "core/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace batchllm::simulator {
namespace {

constexpr MessageForm k_messages{.takes_text = false};
constexpr ToolForm k_tools{.wrapper = "toolSpec", .schema = "inputSchema", .inner = "json"};
constexpr FinishWords k_words = {"end_turn", "max_tokens", "content_filtered", "tool_use"};

constexpr std::string_view k_algorithm = "AWS4-HMAC-SHA256 ";

std::optional<Route> find(const SimulatedRequest& /*request*/, std::string_view path) {
  if (!take_prefix(path, "/model/")) {
    return std::nullopt;
  }
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || path.substr(slash) != "/converse") {
    return Route{.endpoint = Endpoint::nothing};
  }
  return Route{.endpoint = Endpoint::chat, .model = path.substr(0, slash)};
}

// The value of "Name=value" in a signature's parts; empty: none.
std::string_view signature_part(std::string_view authorization, std::string_view name) {
  const std::size_t at = authorization.find(name);
  if (at == std::string_view::npos || !authorization.starts_with(k_algorithm)) {
    return {};
  }
  const std::string_view rest = authorization.substr(at + name.size());
  return rest.substr(0, rest.find_first_of(", "));
}

// The id of the access key where the request is signed.
std::string_view key(const SimulatedRequest& request) {
  const std::string_view scope = signature_part(request.header("Authorization"), "Credential=");
  return scope.empty() ? bearer_key(request) : scope.substr(0, scope.find('/'));
}

// ID/DATE/REGION/bedrock/aws4_request, the headers that matter, and 64 digits. The signature itself
// is not checked: the simulator knows no secrets.
bool is_signed(const SimulatedRequest& request) {
  const std::string_view authorization = request.header("Authorization");
  const std::string_view scope = signature_part(authorization, "Credential=");
  const std::string_view headers = signature_part(authorization, "SignedHeaders=");
  const std::string_view signature = signature_part(authorization, "Signature=");
  constexpr std::size_t k_digits = 64;
  return std::count(scope.begin(), scope.end(), '/') == 4 &&
         scope.ends_with("/bedrock/aws4_request") && headers.find("host") != headers.npos &&
         headers.find("x-amz-date") != headers.npos && !request.header("X-Amz-Date").empty() &&
         signature.size() == k_digits &&
         signature.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::optional<SimulatedError> check(const SimulatedRequest& request, const Route& /*route*/) {
  if (request.header("Authorization").empty()) {
    return SimulatedError{.cause = ErrorCause::key_missing, .status = 403};
  }
  if (!bearer_key(request).empty() || is_signed(request)) {
    return std::nullopt;
  }
  return SimulatedError{
      .cause = ErrorCause::key_wrong,
      .status = 403,
      .what = {"Authorization header requires Credential, SignedHeaders and Signature parameters "
               "of AWS4-HMAC-SHA256, and X-Amz-Date.",
               "",
               "IncompleteSignatureException"}};
}

// A schema is a string, not an object.
void read_output_config(ondemand::value& value, RequestReader& reader, ChatRequest& chat) {
  const auto read_json_schema = [&](std::string_view key, ondemand::value& member) {
    if (key == "schema" && reader.read(member, "jsonSchema.schema", "a string", chat.schema)) {
      chat.format = AnswerFormat::json_schema;
    }
  };
  const auto read_structure = [&](std::string_view key, ondemand::value& member) {
    if (key == "jsonSchema") {
      reader.read_object(member, "jsonSchema", read_json_schema);
    }
  };
  const auto read_format = [&](std::string_view key, ondemand::value& member) {
    if (key == "structure") {
      reader.read_object(member, "structure", read_structure);
    }
  };
  reader.read_object(value, "outputConfig", [&](std::string_view key, ondemand::value& member) {
    if (key == "textFormat") {
      reader.read_object(member, "textFormat", read_format);
    }
  });
}

// {"tool":{"name":…}}, {"any":{}}, {"auto":{}}
void read_tool_choice(ondemand::value& value, RequestReader& reader) {
  reader.read_object(value, "toolChoice", [&](std::string_view key, ondemand::value& member) {
    if (key == "any") {
      reader.force_tool({});
    } else if (key == "tool") {
      reader.read_object(member, "toolChoice.tool", [&](std::string_view, ondemand::value& name) {
        std::string_view tool;
        if (reader.read(name, "toolChoice.tool.name", "a string", tool)) {
          reader.force_tool(tool);
        }
      });
    }
  });
}

void read_tool_config(ondemand::value& value, RequestReader& reader) {
  reader.read_object(value, "toolConfig", [&](std::string_view key, ondemand::value& member) {
    if (key == "tools") {
      reader.read_tools(member, k_tools);
    } else if (key == "toolChoice") {
      read_tool_choice(member, reader);
    }
  });
}

void read_chat(const Route& /*route*/,
               std::string_view body,
               RequestReader& reader,
               ChatRequest& chat) {
  reader.read_body(body, [&](std::string_view key, ondemand::value& value) {
    if (key == "messages") {
      reader.read_messages(value, k_messages, chat);
    } else if (key == "system") {
      reader.read_instructions(value, key, chat);
    } else if (key == "inferenceConfig") {
      reader.read_object(value, key, [&](std::string_view name, ondemand::value& member) {
        if (name == "maxTokens") {
          reader.read_max_tokens(member, "inferenceConfig.maxTokens", chat);
        }
      });
    } else if (key == "outputConfig") {
      read_output_config(value, reader, chat);
    } else if (key == "toolConfig") {
      read_tool_config(value, reader);
    }
  });
  reader.finish_chat("messages", chat);
}

void write_answer(const ChatRequest& /*chat*/,
                  const Completion& completion,
                  SimulatedReply& reply) {
  std::string& out = reply.body;
  out.append(R"({"metrics":{"latencyMs":)");
  append_integer(out, reply.delay_us / 1000);
  out.append(R"(},"output":{"message":{"content":[)");
  if (!completion.tool.empty()) {
    out.append(R"({"toolUse":{"input":)");
    append_arguments(out, completion.content);
    out.append(R"(,"name":)");
    append_json_string(out, completion.tool);
    out.append(R"(,"toolUseId":"tooluse_)");
    append_hex(out, completion.identity);
    out.append("\"}}");
  } else if (!completion.spoken().empty()) {
    out.append(R"({"text":)");
    append_json_string(out, completion.spoken());
    out.push_back('}');
  }
  out.append(R"(],"role":"assistant"}},"stopReason":)");
  append_json_string(out, k_words.of(completion));
  out.append(R"(,"usage":{"cacheReadInputTokens":0,"cacheWriteInputTokens":0,"inputTokens":)");
  append_integer(out, completion.prompt_tokens);
  out.append(R"(,"outputTokens":)");
  append_integer(out, completion.completion_tokens);
  out.append(R"(,"totalTokens":)");
  append_integer(out, completion.prompt_tokens + completion.completion_tokens);
  out.append("}}");
}

struct Words {
  std::string_view type;
  std::string_view message;
};

constexpr std::array<std::pair<int, Words>, 8> k_statuses = {{
    {400, {"ValidationException", "Simulated fault: the request was not accepted."}},
    {403, {"AccessDeniedException", "You don't have access to the model."}},
    {404, {"ResourceNotFoundException", "Could not resolve the foundation model."}},
    {408, {"ModelTimeoutException", "Model has timed out in processing the request."}},
    {424, {"ModelErrorException", "The model returned an error."}},
    {429, {"ThrottlingException", "Too many requests, please wait before trying again."}},
    {500, {"InternalServerException", "The system encountered an unexpected error."}},
    {503, {"ServiceUnavailableException", "Bedrock is unable to process your request."}},
}};

Words words_of(const SimulatedError& error) {
  switch (error.cause) {
    case ErrorCause::key_missing:
      return {"MissingAuthenticationTokenException", "Missing Authentication Token"};
    case ErrorCause::key_wrong:
      return error.what.code == "IncompleteSignatureException"
                 ? Words{error.what.code, error.what.message}
                 : Words{"UnrecognizedClientException",
                         "The security token included in the request is invalid."};
    case ErrorCause::tokens:
    case ErrorCause::too_large:
      return {"ThrottlingException", "Too many tokens, please wait before trying again."};
    case ErrorCause::quota:
      return {"ThrottlingException", "Too many tokens per day, please wait before trying again."};
    case ErrorCause::context:
      return {"ValidationException", "Input is too long for requested model."};
    default:
      break;
  }
  const auto* found = std::find_if(k_statuses.begin(), k_statuses.end(), [&](const auto& entry) {
    return entry.first == error.status;
  });
  Words words = found != k_statuses.end() ? found->second
                : error.status < 500      ? Words{"ValidationException", "Simulated fault."}
                                          : Words{"InternalServerException", "Simulated fault."};
  words.message = error.what.message.empty() ? words.message : error.what.message;
  return words;
}

// The type is in a header only.
void write_error(const SimulatedError& error, SimulatedReply& reply) {
  if (error.cause == ErrorCause::key_missing || error.cause == ErrorCause::key_wrong) {
    reply.status = 403;
  }
  const Words words = words_of(error);
  add_header(reply, "x-amzn-errortype", std::string(words.type));
  reply.body.append(R"({"message":)");
  append_json_string(reply.body, words.message);
  reply.body.push_back('}');
}

void add_headers(const ReplyFacts& facts, SimulatedReply& reply) {
  const std::uint64_t rest = mix(facts.request_id, 0);
  add_header(reply,
             "x-amzn-requestid",
             fmt::format("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
                         facts.request_id >> 32U,
                         (facts.request_id >> 16U) & 0xFFFFU,
                         facts.request_id & 0xFFFU,
                         rest >> 52U,
                         rest & 0xFFFF'FFFF'FFFFULL));
}

}  // namespace

const Dialect k_bedrock = {
    .find = &find,
    .key = &key,
    .check = &check,
    .read_chat = &read_chat,
    .read_embeddings = nullptr,
    .write_answer = &write_answer,
    .write_embeddings = nullptr,
    .write_page = nullptr,
    .write_error = &write_error,
    .add_headers = &add_headers,
};

}  // namespace batchllm::simulator

// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/dialects/dialect_list.h"
#include "adapters/simulator/dialects/dialect_parts.h"
#include "adapters/simulator/request_reader.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace batchllm::simulator {
namespace {

constexpr std::array<std::string_view, 4> k_models = {
    "gemini-2.5-flash", "gemini-2.5-pro", "gemini-3-flash", "gemini-embedding-001"};

constexpr MessageForm k_contents{.content_key = "parts",
                                 .messages = "contents",
                                 .role = "contents.role",
                                 .content = "contents.parts",
                                 .text = "contents.parts.text",
                                 .usual_role = "user",
                                 .takes_text = false};
constexpr FinishWords k_words = {"STOP", "MAX_TOKENS", "SAFETY", "STOP"};
constexpr std::int64_t k_dimensions = 3072;
constexpr std::size_t k_usual_part = 50;  // of a list

// Its members; others are refused, as protobuf does.
constexpr std::array<std::string_view, 8> k_others = {"model",
                                                      "safetySettings",
                                                      "tools",
                                                      "toolConfig",
                                                      "cachedContent",
                                                      "labels",
                                                      "serviceTier",
                                                      "store"};

// "models/NAME:verb"
std::optional<Route> find(const SimulatedRequest& request, std::string_view path) {
  if (!take_prefix(path, "/v1beta/")) {
    return std::nullopt;
  }
  const std::size_t colon = path.rfind(':');
  std::string_view model = path.substr(0, colon);
  const bool is_model = take_prefix(model, "models/") || take_prefix(model, "tunedModels/");
  if (colon == std::string_view::npos) {
    if (path == "models") {
      return Route{
          .endpoint = Endpoint::page, .name = path, .method = "GET", .query = request.query};
    }
    return is_model
               ? Route{.endpoint = Endpoint::page, .name = "model", .model = model, .method = "GET"}
               : Route{.endpoint = Endpoint::nothing};
  }
  const std::string_view verb = path.substr(colon + 1);
  Route route{.endpoint = Endpoint::nothing, .name = verb, .model = model};
  if (is_model && verb == "streamGenerateContent") {
    route.endpoint = Endpoint::chat;
    route.name = query_value(request.query, "alt") == "sse" ? "events" : "array";
  } else if (is_model && verb == "generateContent") {
    route.endpoint = Endpoint::chat;
  } else if (is_model && (verb == "embedContent" || verb == "batchEmbedContents")) {
    route.endpoint = Endpoint::embeddings;
  }
  return route;
}

std::string_view key(const SimulatedRequest& request) {
  const std::string_view key = request.header("x-goog-api-key");
  return key.empty() ? query_value(request.query, "key") : key;
}

void fail_unknown(std::string_view key, RequestReader& reader) {
  reader.fail({fmt::format("Invalid JSON payload received. Unknown name \"{}\": Cannot find field.",
                           one_line(key, 60)),
               std::string(key),
               ""});
}

// {"parts":[{"text":…}]}
void read_instructions(ondemand::value& value, RequestReader& reader, ChatRequest& chat) {
  reader.read_object(value, "systemInstruction", [&](std::string_view key, ondemand::value& parts) {
    if (key == "parts") {
      reader.read_instructions(parts, "systemInstruction.parts", chat);
    }
  });
}

void read_config(ondemand::value& value, RequestReader& reader, ChatRequest& chat) {
  std::string_view media_type;
  reader.read_object(value, "generationConfig", [&](std::string_view key, ondemand::value& member) {
    if (key == "maxOutputTokens") {
      reader.read_max_tokens(member, "generationConfig.maxOutputTokens", chat);
    } else if (key == "responseMimeType") {
      reader.read(member, "generationConfig.responseMimeType", "a string", media_type);
    } else if (key == "responseSchema" || key == "responseJsonSchema") {
      reader.read_schema(member, "generationConfig.responseSchema", chat);
    } else if (key == "seed") {
      reader.read_seed(member, "generationConfig.seed");
    }
  });
  if (reader.failed()) {
    return;
  }
  if (media_type == "application/json") {
    chat.format = chat.schema.empty() ? AnswerFormat::json_object : AnswerFormat::json_schema;
  } else if (!chat.schema.empty()) {
    reader.fail({"A response schema needs the response MIME type application/json",
                 "generationConfig.responseMimeType",
                 ""});
  }
}

void read_chat(const Route& route,
               std::string_view body,
               RequestReader& reader,
               ChatRequest& chat) {
  chat.stream = route.name == "events" || route.name == "array";
  chat.stream_is_array = route.name == "array";
  reader.read_body(body, [&](std::string_view key, ondemand::value& value) {
    if (key == "contents") {
      reader.read_messages(value, k_contents, chat);
    } else if (key == "systemInstruction" || key == "system_instruction") {
      read_instructions(value, reader, chat);
    } else if (key == "generationConfig" || key == "generation_config") {
      read_config(value, reader, chat);
    } else if (std::find(k_others.begin(), k_others.end(), key) == k_others.end()) {
      fail_unknown(key, reader);
    }
  });
  reader.finish_chat("contents", chat);
}

// {"content":{"parts":[{"text":…}]},"outputDimensionality":…}
void read_embed_member(std::string_view key,
                       ondemand::value& value,
                       RequestReader& reader,
                       EmbeddingsRequest& embeddings) {
  if (key == "outputDimensionality") {
    reader.read_dimensions(value, key, embeddings);
  } else if (key == "content") {
    reader.read_object(value, "content", [&](std::string_view name, ondemand::value& parts) {
      std::string text;
      std::uint64_t hash = 0;
      if (name == "parts") {
        reader.read_parts(parts, "content.parts", "content.parts.text", text, hash);
        reader.read_input(text, "content", embeddings);
      }
    });
  }
}

void read_embeddings(const Route& route,
                     std::string_view body,
                     RequestReader& reader,
                     EmbeddingsRequest& embeddings) {
  embeddings.is_single = route.name == "embedContent";
  reader.read_body(body, [&](std::string_view key, ondemand::value& value) {
    if (embeddings.is_single) {
      read_embed_member(key, value, reader, embeddings);
    } else if (key == "requests") {
      reader.read_array(value, "requests", "an array of objects", [&](ondemand::value& one) {
        reader.read_object(one, "requests", [&](std::string_view name, ondemand::value& member) {
          read_embed_member(name, member, reader, embeddings);
        });
      });
    }
  });
  reader.finish_embeddings(embeddings.is_single ? "content" : "requests", embeddings);
}

// The response with that text; an empty `finish` is the middle of a stream.
void append_response(std::string& out,
                     const Completion& completion,
                     std::string_view text,
                     std::string_view finish) {
  out.append(R"({"candidates":[{)");
  if (completion.finish != Finish::content_filter) {
    out.append(R"("content":{)");
    if (!text.empty()) {
      out.append(R"("parts":[{"text":)");
      append_json_string(out, text);
      out.append("}],");
    }
    out.append(R"("role":"model"},)");
  }
  if (!finish.empty()) {
    out.append(R"("finishReason":)");
    append_json_string(out, finish);
    out.push_back(',');
  }
  out.append(R"("index":0}],"usageMetadata":{"promptTokenCount":)");
  append_integer(out, completion.prompt_tokens);
  out.append(R"(,"candidatesTokenCount":)");
  append_integer(out, completion.completion_tokens);
  out.append(R"(,"totalTokenCount":)");
  append_integer(out, completion.prompt_tokens + completion.completion_tokens);
  out.append(R"(,"promptTokensDetails":[{"modality":"TEXT","tokenCount":)");
  append_integer(out, completion.prompt_tokens);
  out.append(R"(}]},"modelVersion":)");
  append_json_string(out, completion.model);
  out.append(R"(,"responseId":")");
  append_hex(out, completion.identity);
  out.append("\"}");
}

void write_events(const Completion& completion, SimulatedReply& reply) {
  EventStream events(reply, "text/event-stream", "\r\n\r\n");
  for_each_piece(completion.spoken(), [&](std::string_view piece) {
    append_response(events.begin(), completion, piece, {});
    events.end();
  });
  append_response(events.begin(), completion, {}, k_words.of(completion));
  events.end();
}

void write_array(const Completion& completion, SimulatedReply& reply) {
  EventStream pieces(reply, "application/json; charset=UTF-8", "");
  reply.body.push_back('[');
  for_each_piece(completion.spoken(), [&](std::string_view piece) {
    append_response(reply.body, completion, piece, {});
    reply.body.append(",\r\n");
    pieces.end();
  });
  append_response(reply.body, completion, {}, k_words.of(completion));
  reply.body.push_back(']');
  pieces.end();
}

void write_answer(const ChatRequest& chat, const Completion& completion, SimulatedReply& reply) {
  if (!chat.stream) {
    append_response(reply.body, completion, completion.spoken(), k_words.of(completion));
  } else if (chat.stream_is_array) {
    write_array(completion, reply);
  } else {
    write_events(completion, reply);
  }
}

void write_embeddings(const EmbeddingsRequest& embeddings, SimulatedReply& reply) {
  std::string& out = reply.body;
  out.append(embeddings.is_single ? R"({"embedding":)" : R"({"embeddings":[)");
  for (std::size_t i = 0; i < embeddings.inputs.size(); ++i) {
    out.append(i == 0 ? R"({"values":)" : R"(,{"values":)");
    append_vector(out, embeddings.inputs[i], embeddings.dimensions.value_or(k_dimensions), false);
    out.push_back('}');
  }
  out.append(embeddings.is_single ? "}" : "]}");
}

bool write_page(const Route& route, std::string_view /*body*/, SimulatedReply& reply) {
  std::string& out = reply.body;
  const auto append_model = [&out](std::string_view id) {
    const bool embeds = id.find("embedding") != std::string_view::npos;
    out.append(R"({"name":"models/)").append(id).append(R"(","version":"001","displayName":)");
    append_json_string(out, id);
    out.append(R"(,"inputTokenLimit":1048576,"outputTokenLimit":65536,)");
    out.append(R"("supportedGenerationMethods":[)");
    out.append(embeds ? R"("embedContent"]})" : R"("generateContent","countTokens"]})");
  };
  if (route.name == "model") {
    if (std::find(k_models.begin(), k_models.end(), route.model) == k_models.end()) {
      return false;
    }
    append_model(route.model);
    return true;
  }
  const auto begin = part_begin(query_value(route.query, "pageToken"), k_models.size());
  if (!begin) {
    return false;
  }
  const ListPart part =
      list_part(k_models.size(), *begin, query_value(route.query, "pageSize"), k_usual_part);
  out.append(R"({"models":[)");
  for (std::size_t i = part.begin; i < part.end; ++i) {
    out.append(i == part.begin ? "" : ",");
    append_model(k_models[i]);
  }
  out.push_back(']');
  if (part.end < k_models.size()) {
    out.append(R"(,"nextPageToken":)");
    append_json_string(out, part_token(part.end));
  }
  out.push_back('}');
  return true;
}

constexpr std::array<std::pair<int, std::string_view>, 13> k_statuses = {{
    {400, "INVALID_ARGUMENT"},
    {401, "UNAUTHENTICATED"},
    {403, "PERMISSION_DENIED"},
    {404, "NOT_FOUND"},
    {408, "DEADLINE_EXCEEDED"},
    {409, "ABORTED"},
    {413, "INVALID_ARGUMENT"},
    {429, "RESOURCE_EXHAUSTED"},
    {499, "CANCELLED"},
    {500, "INTERNAL"},
    {501, "UNIMPLEMENTED"},
    {503, "UNAVAILABLE"},
    {504, "DEADLINE_EXCEEDED"},
}};

std::string_view status_of(int code) {
  const auto* found = std::find_if(k_statuses.begin(), k_statuses.end(), [code](const auto& entry) {
    return entry.first == code;
  });
  return found == k_statuses.end() ? "UNKNOWN" : found->second;
}

std::string message_of(const SimulatedError& error) {
  switch (error.cause) {
    case ErrorCause::key_missing:
      return "Method doesn't allow unregistered callers (callers without established identity). "
             "Please use API Key or other form of API consumer identity to call this API.";
    case ErrorCause::key_wrong:
      return "API key not valid. Please pass a valid API key.";
    case ErrorCause::requests:
    case ErrorCause::tokens:
    case ErrorCause::too_large:
      return fmt::format(
          "You exceeded your current quota, please check your plan and billing details.{}",
          error.wait_us > 0 ? " Please retry in " + reset_text(error.wait_us) + "." : "");
    case ErrorCause::quota:
      return "You exceeded your current quota, please check your plan and billing details.";
    case ErrorCause::context:
      return "The input token count (1048577) exceeds the maximum number of tokens allowed "
             "(1048576).";
    case ErrorCause::status:
      return error.status == 503 ? "The model is overloaded. Please try again later."
                                 : "Simulated fault.";
    default:
      return error.what.message;
  }
}

// Which quota was used up, and how long to wait.
void append_quota(std::string& out, const SimulatedError& error) {
  const std::string_view quota =
      error.cause == ErrorCause::quota ? "GenerateRequestsPerDayPerProjectPerModel"
      : error.cause == ErrorCause::tokens || error.cause == ErrorCause::too_large
          ? "GenerateContentInputTokensPerModelPerMinute"
          : "GenerateRequestsPerMinutePerProjectPerModel";
  fmt::format_to(std::back_inserter(out),
                 R"({{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":)"
                 R"([{{"quotaMetric":"generativelanguage.googleapis.com/generate_content",)"
                 R"("quotaId":"{}"}}]}})",
                 quota);
  if (error.wait_us > 0) {
    fmt::format_to(std::back_inserter(out),
                   R"(,{{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"{}s"}})",
                   static_cast<double>((error.wait_us + 999) / 1000) / 1000.0);
  }
}

// A wrong key is no 401.
int code_of(const SimulatedError& error) {
  return error.cause == ErrorCause::key_wrong     ? 400
         : error.cause == ErrorCause::key_missing ? 403
                                                  : error.status;
}

void write_error(const SimulatedError& error, SimulatedReply& reply) {
  reply.status = code_of(error);
  std::string& out = reply.body;
  out.append(R"({"error":{"code":)");
  append_integer(out, static_cast<std::int64_t>(reply.status));
  out.append(R"(,"message":)");
  append_json_string(out, message_of(error));
  out.append(R"(,"status":)");
  append_json_string(out, status_of(reply.status));
  if (reply.status == 429) {
    out.append(R"(,"details":[)");
    append_quota(out, error);
    out.push_back(']');
  } else if (error.cause == ErrorCause::key_wrong) {
    out.append(R"(,"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo",)"
               R"("reason":"API_KEY_INVALID","domain":"googleapis.com",)"
               R"("metadata":{"service":"generativelanguage.googleapis.com"}}])");
  }
  out.append("}}");
}

// It tells nothing about its limits, and names no request.
void add_headers(const ReplyFacts& /*facts*/, SimulatedReply& /*reply*/) {}

}  // namespace

const Dialect k_gemini = {
    .find = &find,
    .key = &key,
    .check = nullptr,
    .read_chat = &read_chat,
    .read_embeddings = &read_embeddings,
    .write_answer = &write_answer,
    .write_embeddings = &write_embeddings,
    .write_page = &write_page,
    .write_error = &write_error,
    .add_headers = &add_headers,
};

}  // namespace batchllm::simulator

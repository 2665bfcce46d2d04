// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/dialects/dialect_list.h"
#include "adapters/simulator/dialects/dialect_parts.h"
#include "adapters/simulator/request_reader.h"
#include "core/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

namespace batchllm::simulator {
namespace {

constexpr MessageForm k_messages;
constexpr FinishWords k_words = {"COMPLETE", "MAX_TOKENS", "ERROR_TOXIC", "TOOL_CALL"};
constexpr std::int64_t k_dimensions = 1536;
constexpr std::size_t k_usual_part = 20;  // of a list

struct Model {
  std::string_view name;
  std::string_view endpoint;  // that it serves
  std::string_view context_length;
};

constexpr std::array<Model, 4> k_models = {{
    {"command-a-03-2025", "chat", "288000"},
    {"command-r7b-12-2024", "chat", "132000"},
    {"command-r-08-2024", "chat", "132000"},
    {"embed-v4.0", "embed", "128000"},
}};

// The address of its models is OpenAI's, which knows none of these parameters.
bool asks_for_models(const SimulatedRequest& request, std::string_view path) {
  take_prefix(path, "/v1");
  constexpr std::array<std::string_view, 3> k_parameters = {"endpoint", "page_size", "page_token"};
  return path == "/models" &&
         std::any_of(k_parameters.begin(), k_parameters.end(), [&request](std::string_view name) {
           return !query_value(request.query, name).empty();
         });
}

std::optional<Route> find(const SimulatedRequest& request, std::string_view path) {
  if (asks_for_models(request, path)) {
    return Route{
        .endpoint = Endpoint::page, .name = "models", .method = "GET", .query = request.query};
  }
  if (!take_prefix(path, "/v2/")) {
    return std::nullopt;
  }
  return Route{.endpoint = path == "chat"    ? Endpoint::chat
                           : path == "embed" ? Endpoint::embeddings
                                             : Endpoint::nothing};
}

// {"type":"json_object","json_schema":{…}}; `schema` is an older name.
void read_format(ondemand::value& value, RequestReader& reader, ChatRequest& chat) {
  std::string_view type;
  reader.read_object(value, "response_format", [&](std::string_view key, ondemand::value& member) {
    if (key == "type") {
      reader.read(member, "response_format.type", "a string", type);
    } else if (key == "json_schema" || key == "schema") {
      reader.read_schema(member, "response_format.json_schema", chat);
    }
  });
  if (type == "json_object") {
    chat.format = chat.schema.empty() ? AnswerFormat::json_object : AnswerFormat::json_schema;
  } else if (!reader.failed() && type != "text") {
    reader.fail({"invalid request: response_format.type must be one of text, json_object",
                 "response_format.type",
                 ""});
  }
}

void read_chat(const Route& /*route*/,
               std::string_view body,
               RequestReader& reader,
               ChatRequest& chat) {
  reader.read_body(body, [&](std::string_view key, ondemand::value& value) {
    if (reader.read_usual(key, value, chat)) {
      return;
    }
    if (key == "messages") {
      reader.read_messages(value, k_messages, chat);
    } else if (key == "max_tokens") {
      reader.read_max_tokens(value, key, chat);
    } else if (key == "response_format") {
      read_format(value, reader, chat);
    } else if (key == "seed") {
      reader.read_seed(value, key);
    }
  });
  reader.finish_chat("messages", chat);
}

// What vectors are wanted: the first of the types that is known here.
void read_types(ondemand::value& value, RequestReader& reader, EmbeddingsRequest& embeddings) {
  reader.read_array(value, "embedding_types", "an array of strings", [&](ondemand::value& item) {
    std::string_view type;
    if (reader.read(item, "embedding_types", "an array of strings", type)) {
      embeddings.base64 = type == "base64";
      if (!embeddings.base64 && type != "float") {
        reader.fail(
            {"the simulator knows the embedding types float and base64", "embedding_types", ""});
      }
    }
  });
}

void read_embeddings(const Route& /*route*/,
                     std::string_view body,
                     RequestReader& reader,
                     EmbeddingsRequest& embeddings) {
  std::string_view purpose;
  reader.read_body(body, [&](std::string_view key, ondemand::value& value) {
    if (key == "model") {
      reader.read(value, key, "a string", embeddings.model);
    } else if (key == "texts") {
      reader.read_inputs(value, key, embeddings);
    } else if (key == "input_type") {
      reader.read(value, key, "a string", purpose);
    } else if (key == "embedding_types") {
      read_types(value, reader, embeddings);
    } else if (key == "output_dimension") {
      reader.read_dimensions(value, key, embeddings);
    }
  });
  if (!reader.failed() && purpose.empty()) {
    reader.fail({"invalid request: input_type is required", "input_type", ""});
  }
  reader.finish_embeddings("texts", embeddings);
}

void append_id(std::string& out, std::uint64_t identity) {
  out.append(R"("id":")");
  append_hex_id(out, identity);
  out.push_back('"');
}

void append_usage(std::string& out, const Completion& completion) {
  const auto append_tokens = [&] {
    out.append(R"({"input_tokens":)");
    append_integer(out, completion.prompt_tokens);
    out.append(R"(,"output_tokens":)");
    append_integer(out, completion.completion_tokens);
    out.push_back('}');
  };
  out.append(R"("usage":{"billed_units":)");
  append_tokens();
  out.append(R"(,"tokens":)");
  append_tokens();
  out.append(R"(,"cached_tokens":0})");
}

void write_events(const Completion& completion, SimulatedReply& reply) {
  EventStream events(reply);
  std::string& out = events.begin("message-start");
  out.push_back('{');
  append_id(out, completion.identity);
  out.append(R"(,"type":"message-start","delta":{"message":{"role":"assistant","content":[],)"
             R"("tool_plan":"","tool_calls":[],"citations":[]}}})");
  events.end();
  events.begin("content-start")
      .append(R"({"type":"content-start","index":0,)"
              R"("delta":{"message":{"content":{"type":"text","text":""}}}})");
  events.end();
  for_each_piece(completion.spoken(), [&](std::string_view piece) {
    events.begin("content-delta")
        .append(R"({"type":"content-delta","index":0,"delta":{"message":{"content":{"text":)");
    append_json_string(out, piece);
    out.append("}}}}");
    events.end();
  });
  events.begin("content-end").append(R"({"type":"content-end","index":0})");
  events.end();
  events.begin("message-end").append(R"({"type":"message-end","delta":{"finish_reason":)");
  append_json_string(out, k_words.of(completion));
  out.push_back(',');
  append_usage(out, completion);
  out.append("}}");
  events.end();
}

void write_answer(const ChatRequest& chat, const Completion& completion, SimulatedReply& reply) {
  if (chat.stream) {
    write_events(completion, reply);
    return;
  }
  std::string& out = reply.body;
  out.push_back('{');
  append_id(out, completion.identity);
  out.append(R"(,"finish_reason":)");
  append_json_string(out, k_words.of(completion));
  out.append(R"(,"message":{"role":"assistant","content":[)");
  if (!completion.spoken().empty()) {
    out.append(R"({"type":"text","text":)");
    append_json_string(out, completion.spoken());
    out.push_back('}');
  }
  out.append("]},");
  append_usage(out, completion);
  out.push_back('}');
}

void write_embeddings(const EmbeddingsRequest& embeddings, SimulatedReply& reply) {
  std::string& out = reply.body;
  out.push_back('{');
  append_id(out, embeddings.identity);
  out.append(embeddings.base64 ? R"(,"embeddings":{"base64":[)" : R"(,"embeddings":{"float":[)");
  for (std::size_t i = 0; i < embeddings.inputs.size(); ++i) {
    out.append(i == 0 ? "" : ",");
    append_vector(
        out, embeddings.inputs[i], embeddings.dimensions.value_or(k_dimensions), embeddings.base64);
  }
  out.append(R"(]},"meta":{"api_version":{"version":"2"},"billed_units":{"input_tokens":)");
  append_integer(out, tokens_of_bytes(embeddings.prompt_bytes));
  out.append(R"(}},"response_type":"embeddings_by_type"})");
}

bool write_page(const Route& route, std::string_view /*body*/, SimulatedReply& reply) {
  const std::string_view endpoint = query_value(route.query, "endpoint");
  std::vector<Model> models;
  std::copy_if(
      k_models.begin(), k_models.end(), std::back_inserter(models), [endpoint](const Model& model) {
        return endpoint.empty() || model.endpoint == endpoint;
      });
  const auto begin = part_begin(query_value(route.query, "page_token"), models.size());
  if (!begin) {
    return false;
  }
  const ListPart part =
      list_part(models.size(), *begin, query_value(route.query, "page_size"), k_usual_part);
  std::string& out = reply.body;
  out.append(R"({"models":[)");
  for (std::size_t i = part.begin; i < part.end; ++i) {
    const Model& model = models[i];
    out.append(i == part.begin ? R"({"name":")" : R"(,{"name":")").append(model.name);
    out.append(R"(","endpoints":[")").append(model.endpoint);
    out.append(R"("],"finetuned":false,"context_length":)").append(model.context_length);
    out.append(R"(,"default_endpoints":[]})");
  }
  out.push_back(']');
  if (part.end < models.size()) {
    out.append(R"(,"next_page_token":)");
    append_json_string(out, part_token(part.end));
  }
  out.push_back('}');
  return true;
}

std::string message_of(const SimulatedError& error) {
  switch (error.cause) {
    case ErrorCause::key_missing:
      return "no api key supplied";
    case ErrorCause::key_wrong:
      return "invalid api token";
    case ErrorCause::requests:
      return "You are using a Trial key, which is limited to a number of API calls / minute. "
             "Please wait and try again.";
    case ErrorCause::tokens:
    case ErrorCause::too_large:
      return "trial token rate limit exceeded, limit is a number of tokens per minute";
    case ErrorCause::quota:
      return "You are using a Trial key, which is limited to 1000 API calls / month.";
    case ErrorCause::context:
      return "too many tokens: total number of tokens in the prompt cannot exceed 128000";
    case ErrorCause::status:
      return fmt::format("simulated fault: status {}", error.status);
    default:
      return error.what.message;
  }
}

void write_error(const SimulatedError& error, SimulatedReply& reply) {
  reply.body.push_back('{');
  append_id(reply.body, error.request_id);
  reply.body.append(R"(,"message":)");
  append_json_string(reply.body, message_of(error));
  reply.body.push_back('}');
}

void add_headers(const ReplyFacts& facts, SimulatedReply& reply) {
  add_header(reply, "x-debug-trace-id", request_id("", facts));
  if (const auto& requests = facts.limits.requests) {
    add_header(reply, "x-trial-endpoint-call-limit", std::to_string(requests->limit));
    add_header(reply, "x-trial-endpoint-call-remaining", std::to_string(requests->remaining));
  }
}

}  // namespace

const Dialect k_cohere = {
    .find = &find,
    .key = &bearer_key,
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

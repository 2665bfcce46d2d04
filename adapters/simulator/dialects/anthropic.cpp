// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/dialects/dialect_list.h"
#include "adapters/simulator/dialects/dialect_parts.h"
#include "adapters/simulator/request_reader.h"
#include "core/json_text.h"
#include "core/time_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace batchllm::simulator {
namespace {

constexpr std::array<std::string_view, 4> k_models = {
    "claude-opus-4-6", "claude-sonnet-5", "claude-haiku-4-5", "claude-3-5-haiku-20241022"};

constexpr MessageForm k_messages;
constexpr ToolForm k_tools{.wrapper = {}, .schema = "input_schema", .inner = {}};
constexpr FinishWords k_words = {"end_turn", "max_tokens", "refusal", "tool_use"};

constexpr std::size_t k_usual_part = 20;  // of a list

constexpr std::string_view k_version_header = "anthropic-version";

bool has_version(const SimulatedRequest& request) {
  return !request.header(k_version_header.data()).empty();
}

// Models have OpenAI's address.
std::optional<Route> find(const SimulatedRequest& request, std::string_view path) {
  if (path == "/messages") {
    return Route{.endpoint = Endpoint::chat};
  }
  if (!path.starts_with("/models") || !has_version(request)) {
    return std::nullopt;
  }
  if (path == "/models") {
    return Route{
        .endpoint = Endpoint::page, .name = "models", .method = "GET", .query = request.query};
  }
  return take_prefix(path, "/models/")
             ? std::optional(Route{
                   .endpoint = Endpoint::page, .name = "model", .model = path, .method = "GET"})
             : std::nullopt;
}

std::string_view key(const SimulatedRequest& request) {
  const std::string_view key = request.header("x-api-key");
  return key.empty() ? bearer_key(request) : key;
}

std::optional<SimulatedError> check(const SimulatedRequest& request, const Route& /*route*/) {
  if (has_version(request)) {
    return std::nullopt;
  }
  return SimulatedError{.what = {"anthropic-version: header is required", "", ""}};
}

// {"format":{"type":"json_schema","schema":…}}
void read_output_config(ondemand::value& value, RequestReader& reader, ChatRequest& chat) {
  std::string_view type;
  reader.read_object(value, "output_config", [&](std::string_view key, ondemand::value& format) {
    if (key != "format") {
      return;
    }
    reader.read_object(
        format, "output_config.format", [&](std::string_view name, ondemand::value& member) {
          if (name == "type") {
            reader.read(member, "output_config.format.type", "a string", type);
          } else if (name == "schema") {
            reader.read_schema(member, "output_config.format.schema", chat);
          }
        });
    if (!reader.failed() && (type != "json_schema" || chat.schema.empty())) {
      reader.fail({"output_config.format: Input should be a 'json_schema' with a 'schema'",
                   "output_config.format",
                   ""});
    }
    chat.format = AnswerFormat::json_schema;
  });
}

// {"type":"tool","name":…}, {"type":"any"}, {"type":"auto"}
void read_tool_choice(ondemand::value& value, RequestReader& reader) {
  std::string_view type;
  std::string_view tool;
  reader.read_object(value, "tool_choice", [&](std::string_view key, ondemand::value& member) {
    if (key == "type") {
      reader.read(member, "tool_choice.type", "a string", type);
    } else if (key == "name") {
      reader.read(member, "tool_choice.name", "a string", tool);
    }
  });
  if (type == "tool" || type == "any") {
    reader.force_tool(type == "any" ? std::string_view{} : tool);
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
    } else if (key == "system") {
      reader.read_instructions(value, key, chat);
    } else if (key == "max_tokens") {
      reader.read_max_tokens(value, key, chat);
    } else if (key == "output_config") {
      read_output_config(value, reader, chat);
    } else if (key == "tools") {
      reader.read_tools(value, k_tools);
    } else if (key == "tool_choice") {
      read_tool_choice(value, reader);
    } else if (key == "seed" || key == "n" || key == "response_format") {
      reader.fail({std::string(key) + ": Extra inputs are not permitted", std::string(key), ""});
    }
  });
  reader.finish_chat("messages", chat);
  if (!reader.failed() && !chat.max_tokens) {
    reader.fail({"max_tokens: Field required", "max_tokens", ""});
  }
}

bool is_refused(const Completion& completion) {
  return !completion.refusal.empty() || completion.finish == Finish::content_filter;
}

void append_stop(std::string& out, const Completion& completion) {
  out.append(R"("stop_reason":)");
  append_json_string(out, is_refused(completion) ? "refusal" : k_words.of(completion));
  out.append(R"(,"stop_sequence":null)");
  if (is_refused(completion)) {
    out.append(R"(,"stop_details":{"type":"refusal","category":"general_harms"})");
  }
}

void append_tool_use(std::string& out, const Completion& completion, std::string_view input) {
  out.append(R"({"type":"tool_use","id":"toolu_)");
  append_hex_id(out, completion.identity);
  out.append(R"(","name":)");
  append_json_string(out, completion.tool);
  out.append(R"(,"input":)");
  append_arguments(out, input);
  out.push_back('}');
}

// The message with its content, or as it is when a stream begins.
void append_message(std::string& out, const Completion& completion, bool is_whole) {
  out.append(R"({"id":"msg_)");
  append_hex_id(out, completion.identity);
  out.append(R"(","type":"message","role":"assistant","model":)");
  append_json_string(out, completion.model);
  out.append(R"(,"content":[)");
  if (is_whole && !completion.tool.empty()) {
    append_tool_use(out, completion, completion.content);
  } else if (is_whole && !completion.content.empty()) {
    out.append(R"({"type":"text","text":)");
    append_json_string(out, completion.content);
    out.push_back('}');
  }
  out.append("],");
  if (is_whole) {
    append_stop(out, completion);
  } else {
    out.append(R"("stop_reason":null,"stop_sequence":null)");
  }
  out.append(R"(,"usage":{"input_tokens":)");
  append_integer(out, completion.prompt_tokens);
  out.append(R"(,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":)"
             R"({"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":)");
  append_integer(out, is_whole ? completion.completion_tokens : 1);
  out.append(R"(,"service_tier":"standard"}})");
}

// The only block of the content.
void write_block(const Completion& completion, EventStream& events) {
  const bool is_tool = !completion.tool.empty();
  std::string& out = events.begin("content_block_start");
  out.append(R"({"type":"content_block_start","index":0,"content_block":)");
  if (is_tool) {
    append_tool_use(out, completion, {});
  } else {
    out.append(R"({"type":"text","text":""})");
  }
  out.push_back('}');
  events.end();
  for_each_piece(completion.content, [&](std::string_view piece) {
    events.begin("content_block_delta")
        .append(R"({"type":"content_block_delta","index":0,"delta":)")
        .append(is_tool ? R"({"type":"input_json_delta","partial_json":)"
                        : R"({"type":"text_delta","text":)");
    append_json_string(out, piece);
    out.append("}}");
    events.end();
  });
  events.begin("content_block_stop").append(R"({"type":"content_block_stop","index":0})");
  events.end();
}

void write_events(const Completion& completion, SimulatedReply& reply) {
  EventStream events(reply);
  std::string& out = events.begin("message_start");
  out.append(R"({"type":"message_start","message":)");
  append_message(out, completion, false);
  out.push_back('}');
  events.end();
  events.begin("ping").append(R"({"type":"ping"})");
  events.end();
  if (!completion.content.empty()) {
    write_block(completion, events);
  }
  events.begin("message_delta").append(R"({"type":"message_delta","delta":{)");
  append_stop(out, completion);
  out.append(R"(},"usage":{"output_tokens":)");
  append_integer(out, completion.completion_tokens);
  out.append("}}");
  events.end();
  events.begin("message_stop").append(R"({"type":"message_stop"})");
  events.end();
}

void write_answer(const ChatRequest& chat, const Completion& completion, SimulatedReply& reply) {
  if (chat.stream) {
    write_events(completion, reply);
  } else {
    append_message(reply.body, completion, true);
  }
}

bool write_page(const Route& route, std::string_view /*body*/, SimulatedReply& reply) {
  std::string& out = reply.body;
  const auto append_model = [&out](std::string_view id) {
    out.append(R"({"type":"model","id":)");
    append_json_string(out, id);
    out.append(R"(,"display_name":)");
    append_json_string(out, id);
    out.append(R"(,"created_at":"2026-01-01T00:00:00Z","lifecycle":"active",)"
               R"("max_input_tokens":200000,"max_tokens":64000})");
  };
  if (route.name == "model") {
    if (std::find(k_models.begin(), k_models.end(), route.model) == k_models.end()) {
      return false;
    }
    append_model(route.model);
    return true;
  }
  const std::string_view after = query_value(route.query, "after_id");
  const auto* begin = k_models.begin();
  if (!after.empty()) {
    begin = std::find(begin, k_models.end(), after);
    if (begin == k_models.end()) {
      return false;
    }
    ++begin;
  }
  const auto first = static_cast<std::size_t>(begin - k_models.begin());
  const ListPart part =
      list_part(k_models.size(), first, query_value(route.query, "limit"), k_usual_part);
  const auto append_id = [&out, part](std::size_t at) {
    if (part.begin == part.end) {
      out.append("null");
    } else {
      append_json_string(out, k_models[at]);
    }
  };
  out.append(R"({"data":[)");
  for (std::size_t i = part.begin; i < part.end; ++i) {
    out.append(i == part.begin ? "" : ",");
    append_model(k_models[i]);
  }
  out.append(part.end < k_models.size() ? R"(],"has_more":true,"first_id":)"
                                        : R"(],"has_more":false,"first_id":)");
  append_id(part.begin);
  out.append(R"(,"last_id":)");
  append_id(part.end - 1);
  out.push_back('}');
  return true;
}

constexpr std::array<std::pair<int, std::string_view>, 12> k_types = {{
    {400, "invalid_request_error"},
    {401, "authentication_error"},
    {402, "billing_error"},
    {403, "permission_error"},
    {404, "not_found_error"},
    {409, "conflict_error"},
    {413, "request_too_large"},
    {422, "invalid_request_error"},
    {429, "rate_limit_error"},
    {500, "api_error"},
    {504, "timeout_error"},
    {529, "overloaded_error"},
}};

std::string_view type_of(int status) {
  const auto* found = std::find_if(k_types.begin(), k_types.end(), [status](const auto& entry) {
    return entry.first == status;
  });
  return found != k_types.end() ? found->second
         : status < 500         ? "invalid_request_error"
                                : "api_error";
}

std::string message_of(const SimulatedError& error) {
  switch (error.cause) {
    case ErrorCause::key_missing:
      return "x-api-key header is required";
    case ErrorCause::key_wrong:
      return "invalid x-api-key";
    case ErrorCause::requests:
      return "This request would exceed your organization's rate limit of requests per minute.";
    case ErrorCause::tokens:
    case ErrorCause::too_large:
      return "This request would exceed your organization's rate limit of tokens per minute.";
    case ErrorCause::quota:
      return "Your organization has reached its spend limit.";
    case ErrorCause::context:
      return "prompt is too long: 200001 tokens > 200000 maximum";
    case ErrorCause::status:
      return error.status == 529 ? "Overloaded" : "Simulated fault.";
    default:
      return error.what.message;
  }
}

void write_error(const SimulatedError& error, SimulatedReply& reply) {
  std::string& out = reply.body;
  out.append(R"({"type":"error","error":{"type":)");
  append_json_string(out, type_of(error.status));
  out.append(R"(,"message":)");
  append_json_string(out, message_of(error));
  if (error.cause == ErrorCause::quota) {
    out.append(R"(,"details":{"error_code":"enforced_spend_limit_reached"})");
  }
  out.append(R"(},"request_id":"req_)");
  append_hex(out, error.request_id);
  out.append("\"}");
  add_retry_after(error, reply);
}

// To the second, as theirs are.
std::string time_text(std::int64_t ms) {
  constexpr std::size_t k_to_seconds = 19;
  return rfc3339_text((ms + 999) / 1000 * 1000).substr(0, k_to_seconds) + "Z";
}

void add_headers(const ReplyFacts& facts, SimulatedReply& reply) {
  add_header(reply, "request-id", request_id("req_", facts));
  const auto add = [&](const std::optional<LimitState>& state, std::string_view name) {
    if (state) {
      add_header(
          reply, fmt::format("anthropic-ratelimit-{}-limit", name), std::to_string(state->limit));
      add_header(reply,
                 fmt::format("anthropic-ratelimit-{}-remaining", name),
                 std::to_string(state->remaining));
      add_header(reply,
                 fmt::format("anthropic-ratelimit-{}-reset", name),
                 time_text(facts.wall_ms + state->full_in_us / 1000));
    }
  };
  add(facts.limits.requests, "requests");
  add(facts.limits.tokens, "tokens");
}

}  // namespace

const Dialect k_anthropic = {
    .find = &find,
    .key = &key,
    .check = &check,
    .read_chat = &read_chat,
    .read_embeddings = nullptr,
    .write_answer = &write_answer,
    .write_embeddings = nullptr,
    .write_page = &write_page,
    .write_error = &write_error,
    .add_headers = &add_headers,
};

}  // namespace batchllm::simulator

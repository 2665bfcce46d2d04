// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/dialects/dialect_list.h"
#include "adapters/simulator/dialects/dialect_parts.h"
#include "adapters/simulator/random_draw.h"
#include "adapters/simulator/request_reader.h"
#include "core/json_text.h"
#include "core/time_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace batchllm::simulator {
namespace {

constexpr std::array<std::string_view, 4> k_models = {
    "llama3.2:latest", "gemma3:4b", "qwen3:8b", "nomic-embed-text:latest"};

constexpr MessageForm k_messages;
// Words for a filter it does not have.
constexpr FinishWords k_words = {"stop", "length", "stop", "stop"};
constexpr std::int64_t k_dimensions = 768;

struct Place {
  std::string_view path;
  Endpoint endpoint;
  std::string_view name;
  std::string_view method;
};

constexpr std::array<Place, 7> k_places = {{
    {"chat", Endpoint::chat, "chat", "POST"},
    {"generate", Endpoint::chat, "generate", "POST"},
    {"embed", Endpoint::embeddings, "embed", "POST"},
    {"tags", Endpoint::page, "tags", "GET"},
    {"show", Endpoint::page, "show", "POST"},
    {"ps", Endpoint::page, "ps", "GET"},
    {"version", Endpoint::page, "version", "GET"},
}};

std::optional<Route> find(const SimulatedRequest& /*request*/, std::string_view path) {
  if (!take_prefix(path, "/api/")) {
    return std::nullopt;
  }
  const auto* found = std::find_if(
      k_places.begin(), k_places.end(), [path](const Place& place) { return place.path == path; });
  if (found == k_places.end()) {
    return Route{.endpoint = Endpoint::nothing};
  }
  return Route{.endpoint = found->endpoint,
               .name = found->name,
               .method = found->method,
               .needs_key = found->name != "version"};
}

// "json", or a schema.
void read_format(ondemand::value& value, RequestReader& reader, ChatRequest& chat) {
  ondemand::json_type type{};
  if (value.type().get(type) == simdjson::SUCCESS && type == ondemand::json_type::object) {
    reader.read_schema(value, "format", chat);
    chat.format = AnswerFormat::json_schema;
    return;
  }
  std::string_view word;
  if (!reader.read(value, "format", "\"json\" or a schema", word)) {
    return;
  }
  if (word == "json") {
    chat.format = AnswerFormat::json_object;
  } else if (!word.empty()) {
    reader.fail({"invalid format: expected \"json\" or a JSON Schema object", "format", ""});
  }
}

void read_options(ondemand::value& value, RequestReader& reader, ChatRequest& chat) {
  reader.read_object(value, "options", [&](std::string_view key, ondemand::value& member) {
    std::int64_t tokens = 0;
    if (key == "num_predict" && reader.read(member, "options.num_predict", "an integer", tokens) &&
        tokens > 0) {
      chat.max_tokens = tokens;  // anything else is no limit
    } else if (key == "seed") {
      reader.read_seed(member, "options.seed");
    }
  });
}

void read_chat(const Route& route,
               std::string_view body,
               RequestReader& reader,
               ChatRequest& chat) {
  const bool generates = route.name == "generate";
  chat.stream = true;
  chat.is_completion = generates;
  reader.read_body(body, [&](std::string_view key, ondemand::value& value) {
    if (reader.read_usual(key, value, chat)) {
      return;
    }
    if (key == "messages" && !generates) {
      reader.read_messages(value, k_messages, chat);
    } else if (key == "prompt" && generates) {
      reader.read_prompt(value, key, chat);
    } else if (key == "system" && generates) {
      reader.read_instructions(value, key, chat);
    } else if (key == "format") {
      read_format(value, reader, chat);
    } else if (key == "options") {
      read_options(value, reader, chat);
    }
  });
  reader.finish_chat(generates ? "prompt" : "messages", chat);
}

void read_embeddings(const Route& /*route*/,
                     std::string_view body,
                     RequestReader& reader,
                     EmbeddingsRequest& embeddings) {
  reader.read_body(body, [&](std::string_view key, ondemand::value& value) {
    if (key == "model") {
      reader.read(value, key, "a string", embeddings.model);
    } else if (key == "input") {
      reader.read_inputs(value, key, embeddings);
    } else if (key == "dimensions") {
      reader.read_dimensions(value, key, embeddings);
    }
  });
  reader.finish_embeddings("input", embeddings);
}

// `{"model":…,"created_at":…,"message":{…}`: a piece of an answer, or all of it.
void append_piece(std::string& out,
                  const ChatRequest& chat,
                  const Completion& completion,
                  std::string_view text) {
  out.append(R"({"model":)");
  append_json_string(out, completion.model);
  out.append(R"(,"created_at":")").append(rfc3339_text(created_s(completion.identity) * 1000));
  out.append(chat.is_completion ? R"(","response":)"
                                : R"(","message":{"role":"assistant","content":)");
  append_json_string(out, text.data() == nullptr ? std::string_view("") : text);
  out.append(chat.is_completion ? "" : "}");
}

// Durations are nanoseconds; they belong to the request, too.
void append_end(std::string& out, const Completion& completion) {
  constexpr std::int64_t k_load_ns = 20'000'000;
  constexpr std::int64_t k_prompt_token_ns = 100'000;
  constexpr std::int64_t k_token_ns = 10'000'000;
  const std::int64_t prompt_ns = completion.prompt_tokens * k_prompt_token_ns;
  const std::int64_t answer_ns = completion.completion_tokens * k_token_ns;
  out.append(R"(,"done":true,"done_reason":)");
  append_json_string(out, k_words.of(completion));
  out.append(R"(,"total_duration":)");
  append_integer(out, k_load_ns + prompt_ns + answer_ns);
  out.append(R"(,"load_duration":)");
  append_integer(out, k_load_ns);
  out.append(R"(,"prompt_eval_count":)");
  append_integer(out, completion.prompt_tokens);
  out.append(R"(,"prompt_eval_duration":)");
  append_integer(out, prompt_ns);
  out.append(R"(,"eval_count":)");
  append_integer(out, completion.completion_tokens);
  out.append(R"(,"eval_duration":)");
  append_integer(out, answer_ns);
  out.push_back('}');
}

void write_answer(const ChatRequest& chat, const Completion& completion, SimulatedReply& reply) {
  if (!chat.stream) {
    append_piece(reply.body, chat, completion, completion.spoken());
    append_end(reply.body, completion);
    return;
  }
  EventStream lines(reply, "application/x-ndjson", "\n");
  for_each_piece(completion.spoken(), [&](std::string_view piece) {
    append_piece(reply.body, chat, completion, piece);
    reply.body.append(R"(,"done":false})");
    lines.end();
  });
  append_piece(reply.body, chat, completion, {});
  append_end(reply.body, completion);
  lines.end();
}

void write_embeddings(const EmbeddingsRequest& embeddings, SimulatedReply& reply) {
  std::string& out = reply.body;
  out.append(R"({"model":)");
  append_json_string(out, embeddings.model);
  out.append(R"(,"embeddings":[)");
  for (std::size_t i = 0; i < embeddings.inputs.size(); ++i) {
    out.append(i == 0 ? "" : ",");
    append_vector(out, embeddings.inputs[i], embeddings.dimensions.value_or(k_dimensions), false);
  }
  out.append(R"(],"total_duration":20000000,"load_duration":10000000,"prompt_eval_count":)");
  append_integer(out, tokens_of_bytes(embeddings.prompt_bytes));
  out.push_back('}');
}

constexpr std::string_view k_details =
    R"("details":{"parent_model":"","format":"gguf","family":"simulated",)"
    R"("families":["simulated"],"parameter_size":"1B","quantization_level":"Q4_K_M"})";

// 64 digits that belong to the name.
void append_digest(std::string& out, std::string_view name) {
  std::uint64_t bits = name.size();
  for (const char letter : name) {
    bits = mix(bits, static_cast<unsigned char>(letter));
  }
  append_hex_id(out, bits);
  append_hex_id(out, mix(bits, 1));
}

void append_tags(std::string& out) {
  out.append(R"({"models":[)");
  for (const std::string_view name : k_models) {
    out.append(name == k_models.front() ? R"({"name":)" : R"(,{"name":)");
    append_json_string(out, name);
    out.append(R"(,"model":)");
    append_json_string(out, name);
    out.append(R"(,"modified_at":"2026-01-01T00:00:00Z","size":1000000000,"digest":")");
    append_digest(out, name);
    out.append("\",").append(k_details).append("}");
  }
  out.append("]}");
}

// "llama3.2" is "llama3.2:latest".
bool is_listed(std::string_view name) {
  return std::any_of(k_models.begin(), k_models.end(), [name](std::string_view model) {
    return take_prefix(model, name) && (model.empty() || model == ":latest");
  });
}

bool write_page(const Route& route, std::string_view body, SimulatedReply& reply) {
  std::string& out = reply.body;
  if (route.name == "version") {
    out.append(R"({"version":"0.13.0"})");
  } else if (route.name == "ps") {
    out.append(R"({"models":[]})");
  } else if (route.name == "tags") {
    append_tags(out);
  } else {
    const auto model = find_in_json(body, ".model");
    if (!model || !is_listed(model->text)) {
      return false;
    }
    out.append(R"({"modelfile":"","parameters":"","template":"{{ .Prompt }}",)").append(k_details);
    out.append(R"(,"model_info":{"general.architecture":"simulated",)"
               R"("simulated.context_length":131072},"capabilities":["completion","vision"],)"
               R"("modified_at":"2026-01-01T00:00:00Z"})");
  }
  return true;
}

std::string message_of(const SimulatedError& error) {
  switch (error.cause) {
    case ErrorCause::key_missing:
    case ErrorCause::key_wrong:
      return "unauthorized";
    case ErrorCause::requests:
    case ErrorCause::tokens:
    case ErrorCause::too_large:
      return "too many requests, please try again later";
    case ErrorCause::quota:
      return "you have used up what your plan includes, please upgrade to go on";
    case ErrorCause::context:
      return "prompt too long; exceeded max context length by 1 tokens";
    case ErrorCause::status:
      return error.status == 503
                 ? "server busy, please try again.  maximum pending requests exceeded"
                 : fmt::format("simulated fault: status {}", error.status);
    default:
      return error.what.message;
  }
}

// Only its cloud has quotas; there one must pay.
void write_error(const SimulatedError& error, SimulatedReply& reply) {
  reply.status = error.cause == ErrorCause::quota ? 402 : error.status;
  reply.body.append(R"({"error":)");
  append_json_string(reply.body, message_of(error));
  reply.body.push_back('}');
}

void add_headers(const ReplyFacts& /*facts*/, SimulatedReply& /*reply*/) {}

}  // namespace

const Dialect k_ollama = {
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

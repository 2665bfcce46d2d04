// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/dialects/openai_form.h"

#include "adapters/simulator/dialects/dialect_parts.h"
#include "adapters/simulator/request_reader.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace batchllm::simulator {
namespace {

constexpr MessageForm k_messages;
constexpr ToolForm k_tools{.wrapper = "function", .schema = "parameters", .inner = {}};

void read_stream_options(ondemand::value& value, RequestReader& reader, ChatRequest& chat) {
  reader.read_object(value, "stream_options", [&](std::string_view key, ondemand::value& member) {
    if (key == "include_usage") {
      reader.read(member, "stream_options.include_usage", "a boolean", chat.include_usage);
    }
  });
}

void read_json_schema(ondemand::value& value, RequestReader& reader, ChatRequest& chat) {
  reader.read_object(
      value, "response_format.json_schema", [&](std::string_view key, ondemand::value& member) {
        if (key == "schema") {
          reader.read_schema(member, "response_format.json_schema.schema", chat);
        }
      });
}

void read_format(ondemand::value& value, RequestReader& reader, ChatRequest& chat) {
  std::string_view type;
  reader.read_object(value, "response_format", [&](std::string_view key, ondemand::value& member) {
    if (key == "type") {
      reader.read(member, "response_format.type", "a string", type);
    } else if (key == "json_schema") {
      read_json_schema(member, reader, chat);
    }
  });
  if (reader.failed() || type == "text") {
    return;
  }
  if (type == "json_object") {
    chat.format = AnswerFormat::json_object;
  } else if (type == "json_schema") {
    chat.format = AnswerFormat::json_schema;
    if (chat.schema.empty()) {
      reader.fail(RequestReader::missing("response_format.json_schema.schema"));
    }
  } else {
    reader.fail({fmt::format("Invalid value: '{}'. Supported values are: 'text', 'json_object' and "
                             "'json_schema'.",
                             one_line(type, 40)),
                 "response_format.type",
                 "invalid_value"});
  }
}

void read_choice_count(ondemand::value& value, RequestReader& reader) {
  std::int64_t count = 0;
  if (reader.read(value, "n", "an integer", count) && count != 1) {
    reader.fail(
        {"The simulator gives one choice for a request: 'n' must be 1.", "n", "unsupported_value"});
  }
}

// A word, or {"type":"function","function":{"name":…}}.
void read_tool_choice(ondemand::value& value, RequestReader& reader) {
  ondemand::json_type type{};
  std::string_view word;
  if (value.type().get(type) == simdjson::SUCCESS && type == ondemand::json_type::string) {
    if (reader.read(value, "tool_choice", "a string", word) &&
        (word == "required" || word == "any")) {
      reader.force_tool({});
    }
    return;
  }
  reader.read_object(value, "tool_choice", [&](std::string_view key, ondemand::value& member) {
    if (key == "function") {
      reader.read_object(
          member, "tool_choice.function", [&](std::string_view name, ondemand::value& inner) {
            if (name == "name" &&
                reader.read(inner, "tool_choice.function.name", "a string", word)) {
              reader.force_tool(word);
            }
          });
    }
  });
}

// `{"id":…,"object":…,"created":…,"model":…`, which every answer and every event begins with.
void append_head(std::string& out,
                 const OpenAiForm& form,
                 const Completion& completion,
                 std::string_view object) {
  out.append(R"({"id":"chatcmpl-)");
  append_hex_id(out, completion.identity);
  out.append(R"(","object":")").append(object).append(R"(","created":)");
  append_integer(out, created_s(completion.identity));
  out.append(R"(,"model":)");
  append_json_string(out, completion.model);
  out.append(form.head);
}

void append_usage(std::string& out, const OpenAiForm& form, const Completion& completion) {
  out.append(R"("usage":{"prompt_tokens":)");
  append_integer(out, completion.prompt_tokens);
  out.append(R"(,"completion_tokens":)");
  append_integer(out, completion.completion_tokens);
  out.append(R"(,"total_tokens":)");
  append_integer(out, completion.prompt_tokens + completion.completion_tokens);
  out.append(form.has_details
                 ? R"(,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},)"
                   R"("completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,)"
                   R"("accepted_prediction_tokens":0,"rejected_prediction_tokens":0}})"
                 : "}");
}

// `[{"id":…,"type":"function","function":{"name":…,"arguments":…}}]`
void append_tool_call(std::string& out, const Completion& completion, bool is_event) {
  out.append(is_event ? R"([{"index":0,"id":"call_)" : R"([{"id":"call_)");
  append_hex(out, completion.identity);
  out.append(R"(","type":"function","function":{"name":)");
  append_json_string(out, completion.tool);
  out.append(R"(,"arguments":)");
  append_json_string(out, completion.content);
  out.append("}}]");
}

void append_message(std::string& out, const OpenAiForm& form, const Completion& completion) {
  const bool calls_tool = !completion.tool.empty();
  out.append(R"({"role":"assistant","content":)");
  append_json_string(out, calls_tool ? std::string_view{} : completion.content);
  if (form.has_refusal) {
    out.append(R"(,"refusal":)");
    append_json_string(out, completion.refusal);
    out.append(R"(,"annotations":[])");
  }
  if (calls_tool) {
    out.append(R"(,"tool_calls":)");
    append_tool_call(out, completion, false);
  }
  out.push_back('}');
}

class ChunkWriter {
 public:
  ChunkWriter(const OpenAiForm& form,
              const Completion& completion,
              bool null_usage,
              SimulatedReply& reply)
      : form_(form),
        completion_(completion),
        tail_(null_usage ? R"(}],"usage":null})" : "}]}"),
        events_(reply) {}

  // A piece whose delta has `name` (none when empty).
  void delta(std::string_view name, std::string_view text) {
    std::string& out = begin();
    if (name == "role") {
      out.append(form_.has_refusal ? R"("role":"assistant","content":"","refusal":null)"
                                   : R"("role":"assistant","content":"")");
    } else if (name == "tool_calls") {
      out.append(R"("tool_calls":)");
      append_tool_call(out, completion_, true);
    } else if (!name.empty()) {
      append_json_string(out, name);
      out.push_back(':');
      append_json_string(out, text);
    }
    end(out, {});
  }

  void finish(std::string_view reason) {
    std::string& out = begin();
    if (form_.usage_ends_stream) {
      out.append(R"(},"finish_reason":)");
      append_json_string(out, reason);
      out.append("}],");
      append_usage(out, form_, completion_);
      out.push_back('}');
      events_.end();
    } else {
      end(out, reason);
    }
  }

  void usage() {
    std::string& out = events_.begin();
    append_head(out, form_, completion_, "chat.completion.chunk");
    out.append(R"(,"choices":[],)");
    append_usage(out, form_, completion_);
    out.push_back('}');
    events_.end();
  }

  void done() {
    events_.begin().append("[DONE]");
    events_.end();
  }

 private:
  std::string& begin() {
    std::string& out = events_.begin();
    append_head(out, form_, completion_, "chat.completion.chunk");
    out.append(R"(,"choices":[{"index":0,"delta":{)");
    return out;
  }

  void end(std::string& out, std::string_view reason) {
    out.append(R"(},"logprobs":null,"finish_reason":)");
    append_json_string(out, reason);
    out.append(tail_);
    events_.end();
  }

  const OpenAiForm& form_;
  const Completion& completion_;
  std::string_view tail_;
  EventStream events_;
};

void write_chunks(const OpenAiForm& form,
                  const ChatRequest& chat,
                  const Completion& completion,
                  SimulatedReply& reply) {
  const bool has_usage = chat.include_usage && !form.usage_ends_stream;
  ChunkWriter chunks(form, completion, has_usage, reply);
  chunks.delta("role", "");
  if (completion.refusal.data() != nullptr && form.has_refusal) {
    chunks.delta("refusal", completion.refusal);
  }
  if (!completion.tool.empty()) {
    chunks.delta("tool_calls", "");
  } else {
    for_each_piece(completion.content,
                   [&chunks](std::string_view piece) { chunks.delta("content", piece); });
  }
  chunks.finish(form.words.of(completion));
  if (has_usage) {
    chunks.usage();
  }
  chunks.done();
}

}  // namespace

std::optional<Route> find_openai_route(std::string_view path) {
  if (path == "/chat/completions") {
    return Route{.endpoint = Endpoint::chat};
  }
  if (path == "/embeddings") {
    return Route{.endpoint = Endpoint::embeddings};
  }
  if (path == "/models") {
    return Route{.endpoint = Endpoint::page, .name = "models", .method = "GET"};
  }
  if (take_prefix(path, "/models/")) {
    return Route{.endpoint = Endpoint::page, .name = "model", .model = path, .method = "GET"};
  }
  return std::nullopt;
}

void read_openai_chat(const OpenAiForm& form,
                      std::string_view body,
                      RequestReader& reader,
                      ChatRequest& chat) {
  reader.read_body(body, [&](std::string_view key, ondemand::value& value) {
    if (reader.read_usual(key, value, chat)) {
      return;
    }
    if (key == "messages") {
      reader.read_messages(value, k_messages, chat);
    } else if (key == "stream_options") {
      read_stream_options(value, reader, chat);
    } else if (key == "max_tokens" || key == "max_completion_tokens") {
      reader.read_max_tokens(value, key, chat);
    } else if (key == "response_format") {
      read_format(value, reader, chat);
    } else if (key == "tools") {
      reader.read_tools(value, k_tools);
    } else if (key == "tool_choice") {
      read_tool_choice(value, reader);
    } else if (key == form.seed) {
      reader.read_seed(value, key);
    } else if (key == "n") {
      read_choice_count(value, reader);
    }
    if (std::find(form.refused.begin(), form.refused.end(), key) != form.refused.end()) {
      reader.fail({"Extra inputs are not permitted", std::string(key), ""});
    }
  });
  reader.finish_chat("messages", chat);
}

void write_openai_answer(const OpenAiForm& form,
                         const ChatRequest& chat,
                         const Completion& completion,
                         SimulatedReply& reply) {
  if (chat.stream) {
    write_chunks(form, chat, completion, reply);
    return;
  }
  std::string& out = reply.body;
  append_head(out, form, completion, "chat.completion");
  out.append(R"(,"choices":[{"index":0,"message":)");
  append_message(out, form, completion);
  out.append(R"(,"logprobs":null,"finish_reason":)");
  append_json_string(out, form.words.of(completion));
  out.append("}],");
  append_usage(out, form, completion);
  out.push_back('}');
}

void read_openai_embeddings(const Route& /*route*/,
                            std::string_view body,
                            RequestReader& reader,
                            EmbeddingsRequest& embeddings) {
  reader.read_body(body, [&](std::string_view key, ondemand::value& value) {
    std::string_view name;
    if (key == "model") {
      reader.read(value, key, "a string", embeddings.model);
    } else if (key == "input") {
      reader.read_inputs(value, key, embeddings);
    } else if (key == "dimensions") {
      reader.read_dimensions(value, key, embeddings);
    } else if (key == "encoding_format" && reader.read(value, key, "a string", name)) {
      embeddings.base64 = name == "base64";
      if (!embeddings.base64 && name != "float") {
        reader.fail({"Invalid 'encoding_format': must be 'float' or 'base64'.",
                     "encoding_format",
                     "invalid_value"});
      }
    }
  });
  reader.finish_embeddings("input", embeddings);
}

void write_openai_embeddings(const OpenAiForm& form,
                             const EmbeddingsRequest& embeddings,
                             SimulatedReply& reply) {
  const bool large = embeddings.model.find("large") != std::string_view::npos;
  const std::int64_t dimensions =
      embeddings.dimensions.value_or(large ? form.large_dimensions : form.dimensions);
  std::string& out = reply.body;
  out.append(R"({"object":"list","data":[)");
  for (std::size_t i = 0; i < embeddings.inputs.size(); ++i) {
    out.append(i == 0 ? "" : ",").append(R"({"object":"embedding","index":)");
    append_integer(out, static_cast<std::uint64_t>(i));
    out.append(R"(,"embedding":)");
    append_vector(out, embeddings.inputs[i], dimensions, embeddings.base64);
    out.push_back('}');
  }
  out.append(R"(],"model":)");
  append_json_string(out, embeddings.model);
  const std::int64_t tokens = tokens_of_bytes(embeddings.prompt_bytes);
  out.append(R"(,"usage":{"prompt_tokens":)");
  append_integer(out, tokens);
  out.append(R"(,"total_tokens":)");
  append_integer(out, tokens);
  out.append("}}");
}

bool write_openai_page(std::span<const std::string_view> models,
                       const Route& route,
                       SimulatedReply& reply) {
  std::string& out = reply.body;
  const auto append_model = [&out](std::string_view id) {
    out.append(R"({"id":)");
    append_json_string(out, id);
    out.append(R"(,"object":"model","created":)");
    append_integer(out, k_first_created_s);
    out.append(R"(,"owned_by":"batchllm-simulator"})");
  };
  if (route.name == "model") {
    if (std::find(models.begin(), models.end(), route.model) == models.end()) {
      return false;
    }
    append_model(route.model);
    return true;
  }
  out.append(R"({"object":"list","data":[)");
  for (std::size_t i = 0; i < models.size(); ++i) {
    out.append(i == 0 ? "" : ",");
    append_model(models[i]);
  }
  out.append("]}");
  return true;
}

void add_openai_limits(const RateVerdict& limits,
                       std::string (*reset)(std::int64_t us),
                       SimulatedReply& reply) {
  const auto add = [&](const std::optional<LimitState>& state, std::string_view name) {
    if (state) {
      add_header(reply, fmt::format("x-ratelimit-limit-{}", name), std::to_string(state->limit));
      add_header(
          reply, fmt::format("x-ratelimit-remaining-{}", name), std::to_string(state->remaining));
      add_header(reply, fmt::format("x-ratelimit-reset-{}", name), reset(state->full_in_us));
    }
  };
  add(limits.requests, "requests");
  add(limits.tokens, "tokens");
}

}  // namespace batchllm::simulator

// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/dialects/dialect_list.h"
#include "adapters/simulator/dialects/dialect_parts.h"
#include "adapters/simulator/dialects/openai_form.h"
#include "adapters/simulator/request_reader.h"
#include "core/json_text.h"

namespace batchllm::simulator {
namespace {

// Items without a role are calls of tools and what came of them.
constexpr MessageForm k_input{.messages = "input",
                              .role = "input.role",
                              .content = "input.content",
                              .text = "input.content.text",
                              .usual_role = "item"};
constexpr ToolForm k_tools{.wrapper = {}, .schema = "parameters", .inner = {}};

std::optional<Route> find(const SimulatedRequest& /*request*/, std::string_view path) {
  return path == "/responses" ? std::optional(Route{.endpoint = Endpoint::chat}) : std::nullopt;
}

void read_input(ondemand::value& value, RequestReader& reader, ChatRequest& chat) {
  ondemand::json_type type{};
  if (value.type().get(type) == simdjson::SUCCESS && type == ondemand::json_type::string) {
    reader.read_prompt(value, "input", chat);
  } else {
    reader.read_messages(value, k_input, chat);
  }
}

// {"format":{"type":"json_schema","name":…,"schema":…}}
void read_text(ondemand::value& value, RequestReader& reader, ChatRequest& chat) {
  std::string_view type;
  reader.read_object(value, "text", [&](std::string_view key, ondemand::value& format) {
    if (key != "format") {
      return;
    }
    reader.read_object(format, "text.format", [&](std::string_view name, ondemand::value& member) {
      if (name == "type") {
        reader.read(member, "text.format.type", "a string", type);
      } else if (name == "schema") {
        reader.read_schema(member, "text.format.schema", chat);
      }
    });
  });
  if (type == "json_object") {
    chat.format = AnswerFormat::json_object;
  } else if (type == "json_schema") {
    chat.format = AnswerFormat::json_schema;
    if (chat.schema.empty()) {
      reader.fail(RequestReader::missing("text.format.schema"));
    }
  } else if (!type.empty() && type != "text") {
    reader.fail({"Invalid value. Supported values are: 'text', 'json_object' and 'json_schema'.",
                 "text.format.type",
                 "invalid_value"});
  }
}

void read_tool_choice(ondemand::value& value, RequestReader& reader) {
  ondemand::json_type type{};
  std::string_view word;
  if (value.type().get(type) == simdjson::SUCCESS && type == ondemand::json_type::string) {
    if (reader.read(value, "tool_choice", "a string", word) && word == "required") {
      reader.force_tool({});
    }
    return;
  }
  reader.read_object(value, "tool_choice", [&](std::string_view key, ondemand::value& member) {
    if (key == "name" && reader.read(member, "tool_choice.name", "a string", word)) {
      reader.force_tool(word);
    }
  });
}

void read_chat(const Route& /*route*/,
               std::string_view body,
               RequestReader& reader,
               ChatRequest& chat) {
  reader.read_body(body, [&](std::string_view key, ondemand::value& value) {
    if (reader.read_usual(key, value, chat)) {
      return;
    }
    if (key == "input") {
      read_input(value, reader, chat);
    } else if (key == "instructions") {
      reader.read_instructions(value, key, chat);
    } else if (key == "max_output_tokens") {
      reader.read_max_tokens(value, key, chat);
    } else if (key == "text") {
      read_text(value, reader, chat);
    } else if (key == "tools") {
      reader.read_tools(value, k_tools);
    } else if (key == "tool_choice") {
      read_tool_choice(value, reader);
    } else if (key == "messages" || key == "seed" || key == "stop" || key == "n" ||
               key == "max_tokens" || key == "response_format") {
      reader.fail({"Unknown parameter: '" + std::string(key) + "'.",
                   std::string(key),
                   "unknown_parameter"});
    }
  });
  reader.finish_chat("input", chat);
}

// The only item of the output, a message or the call of a tool.
class ItemWriter {
 public:
  ItemWriter(std::string& out, const Completion& completion) : out_(out), completion_(completion) {}

  bool is_call() const noexcept { return !completion_.tool.empty(); }

  bool is_refusal() const noexcept { return !completion_.refusal.empty(); }

  std::string_view part_type() const noexcept { return is_refusal() ? "refusal" : "output_text"; }

  std::string_view part_text() const noexcept { return is_refusal() ? "refusal" : "text"; }

  // A part with that text of it.
  void part(std::string_view text) {
    out_.append(R"({"type":")").append(part_type()).append(R"(",")").append(part_text());
    out_.append("\":");
    append_json_string(out_, text);
    out_.append(is_refusal() ? "}" : R"(,"annotations":[],"logprobs":[]})");
  }

  // The item as it is when it begins, or when it is whole.
  void item(bool is_whole) {
    const std::string_view state = is_whole ? status() : "in_progress";
    if (is_call()) {
      out_.append(R"({"type":"function_call","id":"fc_)");
      append_hex_id(out_, completion_.identity);
      out_.append(R"(","call_id":"call_)");
      append_hex(out_, completion_.identity);
      out_.append(R"(","name":)");
      append_json_string(out_, completion_.tool);
      out_.append(R"(,"arguments":)");
      append_json_string(out_, is_whole ? completion_.content : std::string_view(""));
    } else {
      out_.append(R"({"type":"message","id":"msg_)");
      append_hex_id(out_, completion_.identity);
      out_.append(R"(","role":"assistant","content":[)");
      if (is_whole) {
        part(completion_.spoken());
      }
      out_.push_back(']');
    }
    out_.append(R"(,"status":")").append(state).append("\"}");
  }

  void item_id() {
    out_.append(is_call() ? R"("item_id":"fc_)" : R"("item_id":"msg_)");
    append_hex_id(out_, completion_.identity);
    out_.push_back('"');
  }

  // The whole response, with its output or as it begins.
  void response(bool is_whole) {
    out_.append(R"({"id":"resp_)");
    append_hex_id(out_, completion_.identity);
    out_.append(R"(","object":"response","created_at":)");
    append_integer(out_, created_s(completion_.identity));
    out_.append(R"(,"status":")").append(is_whole ? status() : "in_progress");
    out_.append(R"(","error":null,"incomplete_details":)");
    if (is_whole && status() == "incomplete") {
      out_.append(R"({"reason":)");
      append_json_string(out_, k_reasons.of(completion_));
      out_.push_back('}');
    } else {
      out_.append("null");
    }
    out_.append(R"(,"instructions":null,"max_output_tokens":null,"model":)");
    append_json_string(out_, completion_.model);
    out_.append(R"(,"output":[)");
    if (is_whole) {
      item(true);
    }
    out_.append(R"(],"parallel_tool_calls":true,"previous_response_id":null,)"
                R"("reasoning":{"effort":null,"summary":null},"service_tier":"default",)"
                R"("store":false,"temperature":1.0,"text":{"format":{"type":"text"}},)"
                R"("tool_choice":"auto","tools":[],"top_p":1.0,"truncation":"disabled","usage":)");
    usage(is_whole);
    out_.append(R"(,"user":null,"metadata":{}})");
  }

 private:
  static constexpr FinishWords k_reasons = {"", "max_output_tokens", "content_filter", ""};

  std::string_view status() const noexcept {
    return k_reasons.of(completion_).empty() ? "completed" : "incomplete";
  }

  void usage(bool is_whole) {
    if (!is_whole) {
      out_.append("null");
      return;
    }
    out_.append(R"({"input_tokens":)");
    append_integer(out_, completion_.prompt_tokens);
    out_.append(R"(,"input_tokens_details":{"cached_tokens":0},"output_tokens":)");
    append_integer(out_, completion_.completion_tokens);
    out_.append(R"(,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":)");
    append_integer(out_, completion_.prompt_tokens + completion_.completion_tokens);
    out_.push_back('}');
  }

  std::string& out_;
  const Completion& completion_;
};

class ResponseEvents {
 public:
  ResponseEvents(const Completion& completion, SimulatedReply& reply)
      : completion_(completion),
        out_(reply.body),
        items_(reply.body, completion),
        events_(reply) {}

  void write() {
    response("response.created", false);
    response("response.in_progress", false);
    item("response.output_item.added", false);
    if (items_.is_call()) {
      pieces("response.function_call_arguments", "arguments", false);
    } else {
      part("response.content_part.added", "");
      pieces(items_.is_refusal() ? "response.refusal" : "response.output_text",
             items_.part_text(),
             true);
      part("response.content_part.done", completion_.spoken());
    }
    item("response.output_item.done", true);
    response(completion_.finish == Finish::length || completion_.finish == Finish::content_filter
                 ? "response.incomplete"
                 : "response.completed",
             true);
  }

 private:
  void begin(std::string_view type) {
    events_.begin(type).append(R"({"type":")").append(type).append(R"(","sequence_number":)");
    append_integer(out_, number_++);
    out_.push_back(',');
  }

  void end() {
    out_.push_back('}');
    events_.end();
  }

  void response(std::string_view type, bool is_whole) {
    begin(type);
    out_.append(R"("response":)");
    items_.response(is_whole);
    end();
  }

  void item(std::string_view type, bool is_whole) {
    begin(type);
    out_.append(R"("output_index":0,"item":)");
    items_.item(is_whole);
    end();
  }

  void place(bool has_parts) {
    items_.item_id();
    out_.append(has_parts ? R"(,"output_index":0,"content_index":0)" : R"(,"output_index":0)");
  }

  void part(std::string_view type, std::string_view text) {
    begin(type);
    place(true);
    out_.append(R"(,"part":)");
    items_.part(text);
    end();
  }

  // The text piece by piece, then once more as a whole, in the member `name`.
  void pieces(std::string_view type, std::string_view name, bool has_parts) {
    const std::string delta = std::string(type) + ".delta";
    const std::string_view whole = items_.is_call() ? completion_.content : completion_.spoken();
    for_each_piece(whole, [&](std::string_view piece) {
      begin(delta);
      place(has_parts);
      out_.append(R"(,"delta":)");
      append_json_string(out_, piece);
      out_.append(has_parts && name == "text" ? R"(,"logprobs":[])" : "");
      end();
    });
    begin(std::string(type) + ".done");
    place(has_parts);
    out_.append(",\"").append(name).append("\":");
    append_json_string(out_, whole);
    out_.append(has_parts && name == "text" ? R"(,"logprobs":[])" : "");
    end();
  }

  const Completion& completion_;
  std::string& out_;
  ItemWriter items_;
  EventStream events_;
  std::int64_t number_ = 0;
};

void write_answer(const ChatRequest& chat, const Completion& completion, SimulatedReply& reply) {
  if (chat.stream) {
    ResponseEvents(completion, reply).write();
  } else {
    ItemWriter(reply.body, completion).response(true);
  }
}

}  // namespace

const Dialect k_responses = {
    .find = &find,
    .key = &bearer_key,
    .check = nullptr,
    .read_chat = &read_chat,
    .read_embeddings = nullptr,
    .write_answer = &write_answer,
    .write_embeddings = nullptr,
    .write_page = nullptr,
    .write_error = &write_openai_error,
    .add_headers = &add_openai_headers,
};

}  // namespace batchllm::simulator

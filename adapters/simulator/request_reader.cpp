// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/request_reader.h"

#include "adapters/simulator/random_draw.h"
#include "core/text.h"

#include <fmt/format.h>

#include <xxhash.h>

#include <algorithm>

namespace batchllm::simulator {
namespace {

static_assert(k_body_padding >= simdjson::SIMDJSON_PADDING);

constexpr std::size_t k_most_inputs = 2048;
constexpr std::int64_t k_most_dimensions = 3072;
constexpr std::size_t k_most_tools = 128;

std::uint64_t hash_text(std::string_view text, std::uint64_t so_far) {
  return XXH3_64bits_withSeed(text.data(), text.size(), so_far);
}

RequestError wrong_type(std::string_view name, std::string_view expected) {
  return {fmt::format("Invalid type for '{}': expected {}.", one_line(name, 60), expected),
          std::string(name),
          "invalid_type"};
}

bool is_array(ondemand::value& value) {
  ondemand::json_type type{};
  return value.type().get(type) == simdjson::SUCCESS && type == ondemand::json_type::array;
}

bool is_string(ondemand::value& value) {
  ondemand::json_type type{};
  return value.type().get(type) == simdjson::SUCCESS && type == ondemand::json_type::string;
}

}  // namespace

RequestError RequestReader::not_json() {
  return {
      "We could not parse the JSON body of your request. The simulator expects a JSON object in "
      "UTF-8.",
      "",
      ""};
}

RequestError RequestReader::missing(std::string_view name) {
  return {fmt::format("Missing required parameter: '{}'.", name),
          std::string(name),
          "missing_required_parameter"};
}

void RequestReader::begin() {
  error_.reset();
  tools_.clear();
  forced_tool_.reset();
  seed_ = 0;
  has_messages_ = false;
}

void RequestReader::fail_to_read(simdjson::error_code error,
                                 std::string_view name,
                                 std::string_view expected) {
  fail(error == simdjson::INCORRECT_TYPE || error == simdjson::NUMBER_OUT_OF_RANGE ||
               error == simdjson::NUMBER_ERROR
           ? wrong_type(name, expected)
           : not_json());
}

std::string_view RequestReader::read_raw_object(ondemand::value& value, std::string_view name) {
  ondemand::object object;
  std::string_view raw;
  if (read(value, name, "an object", object) && object.raw_json().get(raw) != simdjson::SUCCESS) {
    fail(not_json());
  }
  return raw;
}

void RequestReader::read_parts(ondemand::value& value,
                               std::string_view content,
                               std::string_view text_name,
                               std::string& text,
                               std::uint64_t& hash) {
  text.clear();
  read_array(value, content, "a string or an array of content parts", [&](ondemand::value& item) {
    ondemand::object part;
    std::string_view raw;
    if (item.get_object().get(part) != simdjson::SUCCESS ||
        part.raw_json().get(raw) != simdjson::SUCCESS ||
        part.reset().error() != simdjson::SUCCESS) {
      fail(wrong_type(content, "an array of objects"));
      return;
    }
    hash = hash_text(raw, hash);
    read_members(part, [&](std::string_view key, ondemand::value& member) {
      std::string_view part_text;
      if (key == "text" && read(member, text_name, "a string", part_text)) {
        text.append(text.empty() ? "" : "\n").append(part_text);
      }
    });
  });
}

void RequestReader::take_text(std::string_view role,
                              std::string_view text,
                              std::size_t bytes,
                              std::uint64_t hash,
                              ChatRequest& request) {
  request.identity = mix(hash_text(role, request.identity), hash);
  request.prompt_bytes += bytes;
  if (role == "user") {
    request.user_text = text;
  } else if (role == "system" || role == "developer") {
    request.system_text = text;
  }
}

void RequestReader::read_message(ondemand::value& value,
                                 const MessageForm& form,
                                 ChatRequest& request) {
  ondemand::object message;
  if (!read(value, form.messages, "an array of objects", message)) {
    return;
  }
  std::string_view role = form.usual_role;
  std::string_view text;
  std::string parts_text;
  bool in_parts = false;
  std::uint64_t hash = 0;
  read_members(message, [&](std::string_view key, ondemand::value& member) {
    if (key == "role") {
      read(member, form.role, "a string", role);
    } else if (key == form.content_key && (is_array(member) || !form.takes_text)) {
      in_parts = true;
      read_parts(member, form.content, form.text, parts_text, hash);
    } else if (key == form.content_key && read(member, form.content, "a string", text)) {
      hash = hash_text(text, hash);
    } else if (key == "images") {  // Ollama's, beside the text
      read_array(member, "messages.images", "an array of strings", [&](ondemand::value& image) {
        std::string_view base64;
        if (read(image, "messages.images", "an array of strings", base64)) {
          hash = hash_text(base64, hash);
        }
      });
    }
  });
  if (failed()) {
    return;
  }
  if (role.empty()) {
    fail(missing(form.role));
    return;
  }
  const bool from_user = role == "user";
  if (in_parts && (from_user || role == "system" || role == "developer")) {
    std::string& kept = joined_parts_.at(from_user ? 1 : 0);
    kept = parts_text;
    text = kept;
  }
  take_text(role, text, std::max(text.size(), parts_text.size()), hash, request);
}

void RequestReader::read_messages(ondemand::value& value,
                                  const MessageForm& form,
                                  ChatRequest& request) {
  read_array(value, form.messages, "an array of objects", [&](ondemand::value& message) {
    has_messages_ = true;
    read_message(message, form, request);
  });
}

void RequestReader::read_prompt(ondemand::value& value,
                                std::string_view name,
                                ChatRequest& request) {
  std::string_view text;
  if (read(value, name, "a string", text)) {
    has_messages_ = true;
    take_text("user", text, text.size(), hash_text(text, 0), request);
  }
}

void RequestReader::read_instructions(ondemand::value& value,
                                      std::string_view name,
                                      ChatRequest& request) {
  std::string_view text;
  std::uint64_t hash = 0;
  if (is_array(value)) {
    read_parts(value, name, name, joined_parts_[0], hash);
    text = joined_parts_[0];
  } else if (read(value, name, "a string", text)) {
    hash = hash_text(text, 0);
  }
  take_text("system", text, text.size(), hash, request);
}

void RequestReader::read_max_tokens(ondemand::value& value,
                                    std::string_view name,
                                    ChatRequest& request) {
  std::int64_t tokens = 0;
  if (!read(value, name, "an integer", tokens)) {
    return;
  }
  if (tokens < 1) {
    fail({fmt::format("Invalid '{}': integer below minimum value. Expected a value >= 1.", name),
          std::string(name),
          "integer_below_min_value"});
    return;
  }
  request.max_tokens = tokens;
}

void RequestReader::fail(RequestError error) {
  if (!error_) {
    error_ = std::move(error);
  }
}

bool RequestReader::read_usual(std::string_view key, ondemand::value& value, ChatRequest& request) {
  if (key == "model") {
    read(value, key, "a string", request.model);
    return true;
  }
  if (key == "stream") {
    read(value, key, "a boolean", request.stream);
    return true;
  }
  return false;
}

void RequestReader::read_seed(ondemand::value& value, std::string_view name) {
  read(value, name, "an integer", seed_);
}

void RequestReader::read_schema(ondemand::value& value,
                                std::string_view name,
                                ChatRequest& request) {
  request.schema = read_raw_object(value, name);
}

void RequestReader::read_tool(ondemand::object object, const ToolForm& form, Tool& tool) {
  read_members(object, [&](std::string_view key, ondemand::value& member) {
    if (key == "name") {
      read(member, "tools.name", "a string", tool.name);
    } else if (key == form.schema && form.inner.empty()) {
      tool.schema = read_raw_object(member, form.schema);
    } else if (key == form.schema) {
      read_object(member, form.schema, [&](std::string_view name, ondemand::value& inner) {
        if (name == form.inner) {
          tool.schema = read_raw_object(inner, form.schema);
        }
      });
    }
  });
}

void RequestReader::read_tools(ondemand::value& value, const ToolForm& form) {
  read_array(value, "tools", "an array of objects", [&](ondemand::value& item) {
    Tool tool;
    ondemand::object object;
    if (!read(item, "tools", "an array of objects", object)) {
      return;
    }
    if (form.wrapper.empty()) {
      read_tool(object, form, tool);
    } else {
      read_members(object, [&](std::string_view key, ondemand::value& member) {
        ondemand::object inside;
        if (key == form.wrapper && read(member, "tools", "an array of objects", inside)) {
          read_tool(inside, form, tool);
        }
      });
    }
    if (tools_.size() >= k_most_tools) {
      fail({fmt::format("Invalid 'tools': at most {} tools.", k_most_tools),
            "tools",
            "array_above_max_length"});
    } else if (!failed() && tool.name.empty()) {
      fail(missing("tools.name"));
    }
    tools_.push_back(tool);
  });
}

// Arguments are an answer in the form of the tool's schema.
void RequestReader::take_tool(ChatRequest& request) {
  if (!forced_tool_ || failed()) {
    return;
  }
  const auto found = std::find_if(tools_.begin(), tools_.end(), [this](const Tool& tool) {
    return forced_tool_->empty() || tool.name == *forced_tool_;
  });
  if (found == tools_.end()) {
    fail({"Invalid value for 'tool_choice': no such tool in 'tools'.",
          "tool_choice",
          "invalid_value"});
    return;
  }
  request.tool = found->name;
  request.schema = found->schema;
  request.format = found->schema.empty() ? AnswerFormat::json_object : AnswerFormat::json_schema;
}

void RequestReader::finish_chat(std::string_view messages, ChatRequest& request) {
  if (!failed() && request.model.empty()) {
    fail(missing("model"));
  }
  if (!failed() && !has_messages_) {
    fail(missing(messages));
  }
  take_tool(request);
  request.identity =
      mix(hash_text(request.model, request.identity), static_cast<std::uint64_t>(seed_));
}

void RequestReader::read_input(std::string_view text,
                               std::string_view name,
                               EmbeddingsRequest& request) {
  if (text.empty()) {
    fail({fmt::format("Invalid '{}': an input must not be the empty string.", name),
          std::string(name),
          "invalid_value"});
  } else if (request.inputs.size() >= k_most_inputs) {
    fail({fmt::format("Invalid '{}': at most {} inputs.", name, k_most_inputs),
          std::string(name),
          "array_above_max_length"});
  } else {
    request.inputs.push_back(hash_text(text, 0));
    request.identity = mix(request.identity, request.inputs.back());
    request.prompt_bytes += text.size();
  }
}

void RequestReader::read_inputs(ondemand::value& value,
                                std::string_view name,
                                EmbeddingsRequest& request) {
  constexpr std::string_view k_expected = "a string or an array of strings";
  std::string_view text;
  if (is_string(value)) {
    if (read(value, name, "a string", text)) {
      read_input(text, name, request);
    }
    return;
  }
  read_array(value, name, k_expected, [&](ondemand::value& input) {
    if (read(input, name, k_expected, text)) {
      read_input(text, name, request);
    }
  });
}

void RequestReader::read_dimensions(ondemand::value& value,
                                    std::string_view name,
                                    EmbeddingsRequest& request) {
  std::int64_t dimensions = 0;
  if (!read(value, name, "an integer", dimensions)) {
    return;
  }
  if (dimensions < 1 || dimensions > k_most_dimensions) {
    fail({fmt::format("Invalid '{}': must be 1 to {}.", name, k_most_dimensions),
          std::string(name),
          "invalid_value"});
    return;
  }
  request.dimensions = dimensions;
}

void RequestReader::finish_embeddings(std::string_view inputs, EmbeddingsRequest& request) {
  if (!failed() && request.model.empty()) {
    fail(missing("model"));
  }
  if (!failed() && request.inputs.empty()) {
    fail(missing(inputs));
  }
  request.identity = hash_text(request.model, request.identity);
}

}  // namespace batchllm::simulator

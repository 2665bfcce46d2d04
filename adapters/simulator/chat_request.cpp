// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/chat_request.h"

#include "adapters/simulator/random_draw.h"
#include "core/text.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <xxhash.h>

#include <algorithm>
#include <array>

namespace batchllm::simulator {
namespace {

namespace ondemand = simdjson::ondemand;

static_assert(RequestParser::k_padding >= simdjson::SIMDJSON_PADDING);

constexpr std::size_t k_most_inputs = 2048;
constexpr std::int64_t k_most_dimensions = 3072;

std::uint64_t hash_text(std::string_view text, std::uint64_t so_far) {
  return XXH3_64bits_withSeed(text.data(), text.size(), so_far);
}

RequestError not_json() {
  return {
      "We could not parse the JSON body of your request. The simulator expects a JSON object in "
      "UTF-8.",
      "",
      ""};
}

RequestError missing(std::string_view name) {
  return {fmt::format("Missing required parameter: '{}'.", name),
          std::string(name),
          "missing_required_parameter"};
}

RequestError wrong_type(std::string_view name, std::string_view expected) {
  return {fmt::format("Invalid type for '{}': expected {}.", one_line(name, 60), expected),
          std::string(name),
          "invalid_type"};
}

// Reads one member; keeps the first thing that was wrong.
class Reader {
 public:
  template <typename Target>
  bool read(ondemand::value& value,
            std::string_view name,
            std::string_view expected,
            Target& target) {
    const simdjson::error_code error = value.get(target);
    if (error == simdjson::SUCCESS) {
      return true;
    }
    fail(error == simdjson::INCORRECT_TYPE || error == simdjson::NUMBER_OUT_OF_RANGE ||
                 error == simdjson::NUMBER_ERROR
             ? wrong_type(name, expected)
             : not_json());
    return false;
  }

  void fail(RequestError error) {
    if (!error_) {
      error_ = std::move(error);
    }
  }

  bool failed() const { return error_.has_value(); }

  std::optional<RequestError> take() { return std::move(error_); }

 private:
  std::optional<RequestError> error_;
};

// Calls `member(key, value)` for each member that is not null; `member` need not look at the value.
template <typename Member>
void for_each_member(ondemand::object object, Reader& reader, Member member) {
  for (auto field : object) {
    std::string_view key;
    ondemand::value value;
    bool null = false;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS ||
        field.value().get(value) != simdjson::SUCCESS) {
      reader.fail(not_json());
      return;
    }
    if (value.is_null().get(null) != simdjson::SUCCESS) {
      reader.fail(not_json());
      return;
    }
    if (!null) {
      member(key, value);
    }
    if (reader.failed()) {
      return;
    }
  }
}

}  // namespace

struct RequestParser::State {
  ondemand::parser parser;
  ondemand::document document;
  std::array<std::string, 2>
      joined_parts;  // content given as several text parts, of system and user

  // Iterates the top-level object of `body`.
  template <typename Member>
  void for_each_top_member(std::string_view body, Reader& reader, Member member);

  void read_messages(ondemand::value& value, Reader& reader, ChatRequest& request, bool& any);
  void read_message(ondemand::value& value, Reader& reader, ChatRequest& request);
  void read_parts(ondemand::value& value, Reader& reader, std::string& text, std::uint64_t& hash);
};

template <typename Member>
void RequestParser::State::for_each_top_member(std::string_view body,
                                               Reader& reader,
                                               Member member) {
  ondemand::object object;
  if (parser.iterate(body, body.size() + k_padding).get(document) != simdjson::SUCCESS ||
      document.get_object().get(object) != simdjson::SUCCESS) {
    reader.fail(not_json());
    return;
  }
  for_each_member(object, reader, member);
  // Whatever follows the closing brace makes the body no JSON text.
  if (!reader.failed() &&
      document.current_location().error() != simdjson::error_code::OUT_OF_BOUNDS) {
    reader.fail(not_json());
  }
}

void RequestParser::State::read_parts(ondemand::value& value,
                                      Reader& reader,
                                      std::string& text,
                                      std::uint64_t& hash) {
  ondemand::array parts;
  if (!reader.read(value, "messages.content", "a string or an array of content parts", parts)) {
    return;
  }
  text.clear();
  for (auto element : parts) {
    ondemand::object part;
    std::string_view raw;
    if (element.get_object().get(part) != simdjson::SUCCESS ||
        part.raw_json().get(raw) != simdjson::SUCCESS ||
        part.reset().error() != simdjson::SUCCESS) {
      reader.fail(wrong_type("messages.content", "an array of objects"));
      return;
    }
    hash = hash_text(raw, hash);
    for_each_member(part, reader, [&](std::string_view key, ondemand::value& member) {
      std::string_view part_text;
      if (key == "text" && reader.read(member, "messages.content.text", "a string", part_text)) {
        text.append(text.empty() ? "" : "\n").append(part_text);
      }
    });
    if (reader.failed()) {
      return;
    }
  }
}

void RequestParser::State::read_message(ondemand::value& value,
                                        Reader& reader,
                                        ChatRequest& request) {
  ondemand::object message;
  if (!reader.read(value, "messages", "an array of objects", message)) {
    return;
  }
  std::string_view role;
  std::string_view text;
  std::string parts_text;
  bool in_parts = false;
  std::uint64_t hash = 0;
  for_each_member(message, reader, [&](std::string_view key, ondemand::value& member) {
    ondemand::json_type type{};
    if (key == "role") {
      reader.read(member, "messages.role", "a string", role);
    } else if (key == "content" && member.type().get(type) == simdjson::SUCCESS &&
               type == ondemand::json_type::array) {
      in_parts = true;
      read_parts(member, reader, parts_text, hash);
    } else if (key == "content" && reader.read(member, "messages.content", "a string", text)) {
      hash = hash_text(text, hash);
    }
  });
  if (reader.failed()) {
    return;
  }
  if (role.empty()) {
    reader.fail(missing("messages.role"));
    return;
  }
  const bool from_user = role == "user";
  const bool from_system = role == "system" || role == "developer";
  if (in_parts && (from_user || from_system)) {
    std::string& kept = joined_parts.at(from_user ? 1 : 0);
    kept = parts_text;
    text = kept;
  }
  request.identity = mix(hash_text(role, request.identity), hash);
  request.prompt_bytes += std::max(text.size(), parts_text.size());
  if (from_user) {
    request.user_text = text;
  } else if (from_system) {
    request.system_text = text;
  }
}

void RequestParser::State::read_messages(ondemand::value& value,
                                         Reader& reader,
                                         ChatRequest& request,
                                         bool& any) {
  ondemand::array messages;
  if (!reader.read(value, "messages", "an array of objects", messages)) {
    return;
  }
  for (auto element : messages) {
    ondemand::value message;
    if (element.get(message) != simdjson::SUCCESS) {
      reader.fail(not_json());
      return;
    }
    any = true;
    read_message(message, reader, request);
    if (reader.failed()) {
      return;
    }
  }
}

namespace {

void read_stream_options(ondemand::value& value, Reader& reader, ChatRequest& request) {
  ondemand::object options;
  if (reader.read(value, "stream_options", "an object", options)) {
    for_each_member(options, reader, [&](std::string_view key, ondemand::value& member) {
      if (key == "include_usage") {
        reader.read(member, "stream_options.include_usage", "a boolean", request.include_usage);
      }
    });
  }
}

void read_schema(ondemand::value& value, Reader& reader, ChatRequest& request) {
  ondemand::object named;
  if (!reader.read(value, "response_format.json_schema", "an object", named)) {
    return;
  }
  for_each_member(named, reader, [&](std::string_view key, ondemand::value& member) {
    ondemand::object schema;
    std::string_view raw;
    if (key == "schema" &&
        reader.read(member, "response_format.json_schema.schema", "an object", schema) &&
        schema.raw_json().get(raw) == simdjson::SUCCESS) {
      request.schema = raw;
    }
  });
}

void read_format(ondemand::value& value, Reader& reader, ChatRequest& request) {
  ondemand::object format;
  if (!reader.read(value, "response_format", "an object", format)) {
    return;
  }
  std::string_view type;
  for_each_member(format, reader, [&](std::string_view key, ondemand::value& member) {
    if (key == "type") {
      reader.read(member, "response_format.type", "a string", type);
    } else if (key == "json_schema") {
      read_schema(member, reader, request);
    }
  });
  if (reader.failed() || type == "text") {
    return;
  }
  if (type == "json_object") {
    request.format = AnswerFormat::json_object;
  } else if (type == "json_schema") {
    request.format = AnswerFormat::json_schema;
    if (request.schema.empty()) {
      reader.fail(missing("response_format.json_schema.schema"));
    }
  } else {
    reader.fail({fmt::format("Invalid value: '{}'. Supported values are: 'text', 'json_object' and "
                             "'json_schema'.",
                             one_line(type, 40)),
                 "response_format.type",
                 "invalid_value"});
  }
}

void read_max_tokens(ondemand::value& value,
                     std::string_view name,
                     Reader& reader,
                     ChatRequest& request) {
  std::int64_t tokens = 0;
  if (!reader.read(value, name, "an integer", tokens)) {
    return;
  }
  if (tokens < 1) {
    reader.fail(
        {fmt::format("Invalid '{}': integer below minimum value. Expected a value >= 1.", name),
         std::string(name),
         "integer_below_min_value"});
    return;
  }
  request.max_tokens = tokens;
}

void read_choice_count(ondemand::value& value, Reader& reader) {
  std::int64_t count = 0;
  if (reader.read(value, "n", "an integer", count) && count != 1) {
    reader.fail(
        {"The simulator gives one choice for a request: 'n' must be 1.", "n", "unsupported_value"});
  }
}

}  // namespace

RequestParser::RequestParser() : state_(std::make_unique<State>()) {}

RequestParser::~RequestParser() = default;

std::optional<RequestError> RequestParser::parse_chat(std::string_view body, ChatRequest& request) {
  request = ChatRequest{};
  Reader reader;
  bool any_message = false;
  std::int64_t seed = 0;
  state_->for_each_top_member(body, reader, [&](std::string_view key, ondemand::value& value) {
    if (key == "model") {
      reader.read(value, key, "a string", request.model);
    } else if (key == "messages") {
      state_->read_messages(value, reader, request, any_message);
    } else if (key == "stream") {
      reader.read(value, key, "a boolean", request.stream);
    } else if (key == "stream_options") {
      read_stream_options(value, reader, request);
    } else if (key == "max_tokens" || key == "max_completion_tokens") {
      read_max_tokens(value, key, reader, request);
    } else if (key == "response_format") {
      read_format(value, reader, request);
    } else if (key == "seed") {
      reader.read(value, key, "an integer", seed);
    } else if (key == "n") {
      read_choice_count(value, reader);
    }
  });
  if (!reader.failed() && request.model.empty()) {
    reader.fail(missing("model"));
  }
  if (!reader.failed() && !any_message) {
    reader.fail(missing("messages"));
  }
  request.identity =
      mix(hash_text(request.model, request.identity), static_cast<std::uint64_t>(seed));
  return reader.take();
}

namespace {

void add_input(std::string_view text, Reader& reader, EmbeddingsRequest& request) {
  if (text.empty()) {
    reader.fail(
        {"Invalid 'input': an input must not be the empty string.", "input", "invalid_value"});
  } else if (request.inputs.size() >= k_most_inputs) {
    reader.fail({fmt::format("Invalid 'input': at most {} inputs.", k_most_inputs),
                 "input",
                 "array_above_max_length"});
  } else {
    request.inputs.push_back(hash_text(text, 0));
    request.identity = mix(request.identity, request.inputs.back());
    request.prompt_bytes += text.size();
  }
}

void read_inputs(ondemand::value& value, Reader& reader, EmbeddingsRequest& request) {
  ondemand::json_type type{};
  std::string_view text;
  ondemand::array inputs;
  if (value.type().get(type) == simdjson::SUCCESS && type == ondemand::json_type::string) {
    if (reader.read(value, "input", "a string", text)) {
      add_input(text, reader, request);
    }
    return;
  }
  if (!reader.read(value, "input", "a string or an array of strings", inputs)) {
    return;
  }
  for (auto element : inputs) {
    ondemand::value input;
    if (element.get(input) != simdjson::SUCCESS) {
      reader.fail(not_json());
    } else if (reader.read(input, "input", "a string or an array of strings", text)) {
      add_input(text, reader, request);
    }
    if (reader.failed()) {
      return;
    }
  }
}

void read_dimensions(ondemand::value& value, Reader& reader, EmbeddingsRequest& request) {
  std::int64_t dimensions = 0;
  if (!reader.read(value, "dimensions", "an integer", dimensions)) {
    return;
  }
  if (dimensions < 1 || dimensions > k_most_dimensions) {
    reader.fail({fmt::format("Invalid 'dimensions': must be 1 to {}.", k_most_dimensions),
                 "dimensions",
                 "invalid_value"});
    return;
  }
  request.dimensions = dimensions;
}

void read_encoding(ondemand::value& value, Reader& reader, EmbeddingsRequest& request) {
  std::string_view name;
  if (!reader.read(value, "encoding_format", "a string", name)) {
    return;
  }
  request.base64 = name == "base64";
  if (!request.base64 && name != "float") {
    reader.fail({"Invalid 'encoding_format': must be 'float' or 'base64'.",
                 "encoding_format",
                 "invalid_value"});
  }
}

}  // namespace

std::optional<RequestError> RequestParser::parse_embeddings(std::string_view body,
                                                            EmbeddingsRequest& request) {
  request = EmbeddingsRequest{};
  Reader reader;
  state_->for_each_top_member(body, reader, [&](std::string_view key, ondemand::value& value) {
    if (key == "model") {
      reader.read(value, key, "a string", request.model);
    } else if (key == "input") {
      read_inputs(value, reader, request);
    } else if (key == "dimensions") {
      read_dimensions(value, reader, request);
    } else if (key == "encoding_format") {
      read_encoding(value, reader, request);
    }
  });
  if (!reader.failed() && request.model.empty()) {
    reader.fail(missing("model"));
  }
  if (!reader.failed() && request.inputs.empty()) {
    reader.fail(missing("input"));
  }
  request.identity = hash_text(request.model, request.identity);
  return reader.take();
}

}  // namespace batchllm::simulator

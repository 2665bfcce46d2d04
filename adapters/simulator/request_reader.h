// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/simulator/chat_request.h"
#include "adapters/simulator/message_form.h"
#include "adapters/simulator/simulated_exchange.h"

#include <simdjson.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm::simulator {

namespace ondemand = simdjson::ondemand;

// Reads request bodies and remembers the first thing that was wrong; keeps its buffers from one
// body to the next. Not thread-safe.
class RequestReader {
 public:
  // Calls `member(key, value)` for each member of the body's object that is not null. Forgets what
  // was read before.
  template <typename Member>
  void read_body(std::string_view body, Member member);

  // The same for an object inside; `member` need not look at the value.
  template <typename Member>
  void read_members(ondemand::object object, Member member);

  template <typename Member>
  void read_object(ondemand::value& value, std::string_view name, Member member) {
    ondemand::object object;
    if (read(value, name, "an object", object)) {
      read_members(object, member);
    }
  }

  // Calls `element(value)` for each element of an array, until one fails.
  template <typename Element>
  void read_array(ondemand::value& value,
                  std::string_view name,
                  std::string_view expected,
                  Element element);

  // Takes the value of the member `name`; false when it is not what was `expected`.
  template <typename Target>
  bool read(ondemand::value& value,
            std::string_view name,
            std::string_view expected,
            Target& target) {
    const simdjson::error_code error = value.get(target);
    if (error != simdjson::SUCCESS) {
      fail_to_read(error, name, expected);
    }
    return error == simdjson::SUCCESS;
  }

  // The object in its own spelling; a view into the body.
  std::string_view read_raw_object(ondemand::value& value, std::string_view name);

  void fail(RequestError error);

  bool failed() const noexcept { return error_.has_value(); }

  std::optional<RequestError> take_error() { return std::move(error_); }

  // Takes what every dialect calls the same: model and stream. False: it is something else.
  bool read_usual(std::string_view key, ondemand::value& value, ChatRequest& request);

  // Reads the conversation: an array of messages, or a text that stands for a single one of its
  // user.
  void read_messages(ondemand::value& value, const MessageForm& form, ChatRequest& request);
  void read_prompt(ondemand::value& value, std::string_view name, ChatRequest& request);

  // Instructions that stand apart: a text, or an array of parts.
  void read_instructions(ondemand::value& value, std::string_view name, ChatRequest& request);

  void read_max_tokens(ondemand::value& value, std::string_view name, ChatRequest& request);
  void read_seed(ondemand::value& value, std::string_view name);

  // Keeps the schema for a later "json_schema" answer.
  void read_schema(ondemand::value& value, std::string_view name, ChatRequest& request);

  void read_tools(ondemand::value& value, const ToolForm& form);

  // The tool that must be called; an empty name is the first one.
  void force_tool(std::string_view name) { forced_tool_ = name; }

  // To be called when all is read: says what lacks, completes the identity.
  void finish_chat(std::string_view messages, ChatRequest& request);

  // One input of an embeddings request, or all of them: a text or an array of texts.
  void read_input(std::string_view text, std::string_view name, EmbeddingsRequest& request);
  void read_inputs(ondemand::value& value, std::string_view name, EmbeddingsRequest& request);
  void read_dimensions(ondemand::value& value, std::string_view name, EmbeddingsRequest& request);
  void finish_embeddings(std::string_view inputs, EmbeddingsRequest& request);

  static RequestError missing(std::string_view name);

  // Appends the `text` members of an array of parts, with line breaks between them; all of the
  // parts go into the hash.
  void read_parts(ondemand::value& value,
                  std::string_view content,
                  std::string_view text_name,
                  std::string& text,
                  std::uint64_t& hash);

 private:
  struct Tool {
    std::string_view name;
    std::string_view schema;
  };

  static RequestError not_json();
  void begin();
  void fail_to_read(simdjson::error_code error, std::string_view name, std::string_view expected);
  void read_message(ondemand::value& value, const MessageForm& form, ChatRequest& request);
  void read_tool(ondemand::object object, const ToolForm& form, Tool& tool);
  void take_text(std::string_view role,
                 std::string_view text,
                 std::size_t bytes,
                 std::uint64_t hash,
                 ChatRequest& request);
  void take_tool(ChatRequest& request);

  ondemand::parser parser_;
  ondemand::document document_;
  std::optional<RequestError> error_;
  std::array<std::string, 2> joined_parts_;  // content given as several parts, of system and user
  std::vector<Tool> tools_;
  std::optional<std::string_view> forced_tool_;
  std::int64_t seed_ = 0;
  bool has_messages_ = false;
};

template <typename Member>
void RequestReader::read_members(ondemand::object object, Member member) {
  for (auto field : object) {
    std::string_view key;
    ondemand::value value;
    bool null = false;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS ||
        field.value().get(value) != simdjson::SUCCESS ||
        value.is_null().get(null) != simdjson::SUCCESS) {
      fail(not_json());
      return;
    }
    if (!null) {
      member(key, value);
    }
    if (failed()) {
      return;
    }
  }
}

template <typename Member>
void RequestReader::read_body(std::string_view body, Member member) {
  begin();
  ondemand::object object;
  if (parser_.iterate(body, body.size() + k_body_padding).get(document_) != simdjson::SUCCESS ||
      document_.get_object().get(object) != simdjson::SUCCESS) {
    fail(not_json());
    return;
  }
  read_members(object, member);
  // Whatever follows the closing brace makes the body no JSON text.
  if (!failed() && document_.current_location().error() != simdjson::error_code::OUT_OF_BOUNDS) {
    fail(not_json());
  }
}

template <typename Element>
void RequestReader::read_array(ondemand::value& value,
                               std::string_view name,
                               std::string_view expected,
                               Element element) {
  ondemand::array array;
  if (!read(value, name, expected, array)) {
    return;
  }
  for (auto item : array) {
    ondemand::value one;
    if (item.get(one) != simdjson::SUCCESS) {
      fail(not_json());
      return;
    }
    element(one);
    if (failed()) {
      return;
    }
  }
}

}  // namespace batchllm::simulator

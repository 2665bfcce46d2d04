// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm::simulator {

// Why a body is no acceptable request: the members of OpenAI's error object. An empty `param` or
// `code` is null there.
struct RequestError {
  std::string message;
  std::string param;
  std::string code;
};

enum class AnswerFormat : std::uint8_t { text, json_object, json_schema };

// What the simulator needs of a chat completion request. Views point into the parser that made it
// and live until its next call.
struct ChatRequest {
  std::string_view model;
  std::string_view system_text;  // of the last system or developer message
  std::string_view user_text;    // of the last user message, text parts joined by line breaks
  std::uint64_t identity = 0;    // hash of model, messages and seed, independent of spelling
  std::uint64_t prompt_bytes = 0;
  std::optional<std::int64_t> max_tokens;
  AnswerFormat format = AnswerFormat::text;
  std::string schema;  // JSON, for AnswerFormat::json_schema
  bool stream = false;
  bool include_usage = false;
};

struct EmbeddingsRequest {
  std::string_view model;
  std::vector<std::uint64_t> inputs;  // a hash for each
  std::uint64_t identity = 0;
  std::uint64_t prompt_bytes = 0;
  std::optional<std::int64_t> dimensions;
  bool base64 = false;
};

// Reads request bodies; keeps its buffers from one to the next. Not thread-safe.
class RequestParser {
 public:
  // Bytes that must be readable behind a body that is handed to this class.
  static constexpr std::size_t k_padding = 64;

  RequestParser();
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // `body` has k_padding readable bytes behind it. Fills `request` or says what is wrong.
  std::optional<RequestError> parse_chat(std::string_view body, ChatRequest& request);
  std::optional<RequestError> parse_embeddings(std::string_view body, EmbeddingsRequest& request);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace batchllm::simulator

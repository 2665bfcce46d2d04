// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm::simulator {

// Why a body is no acceptable request. `param` is the member to blame, `code` OpenAI's word for the
// reason; either may be empty.
struct RequestError {
  std::string message;
  std::string param;
  std::string code;
};

enum class AnswerFormat : std::uint8_t { text, json_object, json_schema };

// What the simulator needs of a request for an answer, whatever its dialect. Views point into the
// body or the reader that made it and live until that reads another one.
struct ChatRequest {
  std::string_view model;
  std::string_view system_text;  // of the last system message
  std::string_view user_text;    // of the last user message, text parts joined by line breaks
  std::uint64_t identity = 0;    // hash of model, messages and seed, independent of spelling
  std::uint64_t prompt_bytes = 0;
  std::optional<std::int64_t> max_tokens;
  AnswerFormat format = AnswerFormat::text;
  std::string_view schema;  // JSON, for AnswerFormat::json_schema
  std::string_view tool;    // that must be called, its arguments in `format`; empty: none
  bool stream = false;
  bool include_usage = false;    // at the end of a stream
  bool stream_is_array = false;  // Gemini's without ?alt=sse
  bool is_completion = false;    // of a text, not of a conversation: Ollama's /api/generate
};

struct EmbeddingsRequest {
  std::string_view model;
  std::vector<std::uint64_t> inputs;  // a hash for each
  std::uint64_t identity = 0;
  std::uint64_t prompt_bytes = 0;
  std::optional<std::int64_t> dimensions;
  bool base64 = false;
  bool is_single = false;  // the answer is one vector, not a list of them
};

}  // namespace batchllm::simulator

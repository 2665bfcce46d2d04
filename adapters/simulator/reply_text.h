// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/simulator/chat_request.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm::simulator {

// The bodies that OpenAI's server would send.

// What an answer says, before it is put into words of the wire. An absent text has a null data
// pointer and is `null` there.
struct Completion {
  std::uint64_t identity = 0;  // names the answer: `id` and `created` come from it
  std::string_view model;
  std::string_view content;
  std::string_view refusal;
  std::string_view finish_reason = "stop";
  std::int64_t prompt_tokens = 1;
  std::int64_t completion_tokens = 1;
};

void append_completion(std::string& out, const Completion& completion);

// The same as server-sent events. `ends` gets the offset behind each event, so that they can be
// sent one by one.
void append_completion_events(std::string& out,
                              const Completion& completion,
                              bool include_usage,
                              std::vector<std::size_t>& ends);

// Unit vectors, one for each input, of 1,536 numbers (3,072 for "…-large")
// unless the request says otherwise.
void append_embeddings(std::string& out, const EmbeddingsRequest& request);

// {"error":{"message":…,"type":…,"param":…,"code":…}}; empty `param` and `code` are null.
void append_error(std::string& out,
                  std::string_view message,
                  std::string_view type,
                  std::string_view param,
                  std::string_view code);

void append_model_list(std::string& out);

// False, with nothing appended, when the simulator does not list that model. (It answers for any.)
bool append_model(std::string& out, std::string_view id);

// Tokens of so many bytes of text, by rule of thumb; at least 1.
constexpr std::int64_t tokens_of_bytes(std::uint64_t bytes) noexcept {
  return bytes <= 4 ? 1 : static_cast<std::int64_t>((bytes + 3) / 4);
}

}  // namespace batchllm::simulator

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace batchllm {

// What is asked about one row: chat messages in order, and perhaps an image that belongs to the
// last message of the user. Reused from row to row, so that its strings keep their memory.
struct Prompt {
  struct Message {
    std::string role;  // "system", "user" or "assistant"
    std::string text;
  };

  std::vector<Message> messages;
  std::string image_url;  // http(s) or data URL; empty: no image
};

}  // namespace batchllm

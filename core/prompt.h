// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace batchllm {

// What one row asks: the rendered messages in order, and an image for the last user message (an http,
// https or data URL; empty for none). Reused from row to row, so that its strings keep their memory.
struct Prompt {
  struct Message {
    std::string role;
    std::string text;
  };

  std::vector<Message> messages;
  std::string image_url;
};

}  // namespace batchllm

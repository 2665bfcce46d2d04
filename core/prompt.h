// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace batchllm {

// An image or a document that goes with a prompt.
struct Attachment {
  enum class Kind : std::uint8_t { image, document };

  Kind kind = Kind::image;
  std::string url;        // http(s) or data URL
  std::string name = {};  // of a document's file

  bool operator==(const Attachment&) const = default;
};

using Attachments = std::span<const Attachment>;

// What is asked about one row: chat messages in order, and what belongs to the last message of the
// user. Reused from row to row, so that its strings keep their memory.
struct Prompt {
  struct Message {
    std::string role;  // "system", "user" or "assistant"
    std::string text;
  };

  std::vector<Message> messages;
  std::vector<Attachment> attachments;
};

}  // namespace batchllm

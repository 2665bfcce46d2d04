// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace batchllm::simulator {

// How a dialect writes its messages. `messages`, `role`, `content` and `text` name members in what
// is said about wrong requests.
struct MessageForm {
  std::string_view content_key = "content";
  std::string_view messages = "messages";
  std::string_view role = "messages.role";
  std::string_view content = "messages.content";
  std::string_view text = "messages.content.text";
  std::string_view usual_role = {};  // of a message that names none; empty: it must
  bool takes_text = true;            // as content, instead of an array of parts
};

// How a dialect writes a tool: {wrapper: {"name":…, schema: {inner: {…}}}}; `wrapper` and `inner`
// may be empty.
struct ToolForm {
  std::string_view wrapper;
  std::string_view schema;
  std::string_view inner;
};

}  // namespace batchllm::simulator

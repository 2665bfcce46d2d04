// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace batchllm {

// Appends `bytes` in base64 (RFC 4648 section 4, with padding, one line).
void append_base64(std::string& out, std::string_view bytes);

// Replaces `bytes` with what `text` stands for. False when it is no base64 of the same form.
bool read_base64(std::string_view text, std::string& bytes);

}  // namespace batchllm

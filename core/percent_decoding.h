// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace batchllm {

// A part of a URL with the bytes that %XX stand for (RFC 3986, 2.1); what is no such thing stays as
// it is. The other way is percent_encoded in core/text.h.
std::string percent_decoded(std::string_view text);

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace batchllm::simulator {

// Appends the made-up answer to a prompt: one of the choices that it (or else the system text)
// offers, or a short sentence about it. Depends on the arguments only.
void append_answer(std::string& out,
                   std::string_view system_text,
                   std::string_view user_text,
                   std::uint64_t bits);

}  // namespace batchllm::simulator

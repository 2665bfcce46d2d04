// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace batchllm {

// The completion script for "bash", "zsh" or "fish", made from the tables of commands and options.
// Throws Error(usage) for another shell. The scripts ask `batchllm __complete jobs` for job ids.
std::string completion_script(std::string_view shell);

// What `batchllm __complete WHAT` prints, one candidate a line: "topics" and "keys". Job ids come
// from the jobs command. Unknown words give nothing: a shell must not see errors.
std::string completion_words(std::string_view what);

}  // namespace batchllm

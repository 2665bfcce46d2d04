// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/json/json_escapes.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace batchllm::json {

// The tokens of many lines, found in one pass over all of them. Not thread-safe.
class LineTokens {
 public:
  static constexpr std::size_t k_most_bytes = std::size_t{64} << 10;

  LineTokens();
  ~LineTokens();
  LineTokens(const LineTokens&) = delete;
  LineTokens& operator=(const LineTokens&) = delete;

  // Finds the tokens of `lines`, k_most_bytes at most, the last of them a newline; 64 bytes behind
  // them are readable. True: the lines are UTF-8, all their strings are closed, and no control
  // character stands in a string, so that no string holds a newline. False: some line is no JSON,
  // or they are all empty; there are no tokens.
  bool find(std::string_view lines);

  // Offsets of brackets, colons, commas and the first bytes of strings, numbers and words (and of
  // what else stands outside strings and is no white space); behind the last one the lines' length.
  const std::uint32_t* tokens() const noexcept;

  Backslashes backslashes() const noexcept { return backslashes_.get(); }

 private:
  struct Tokenizer;

  std::unique_ptr<Tokenizer> tokenizer_;
  std::unique_ptr<std::uint32_t[]> backslashes_;
};

}  // namespace batchllm::json

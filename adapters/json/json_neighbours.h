// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm::json {

// Knows how a file's rows begin and what stands between them, so that the next row can be told
// after one that is broken (an open quote makes everything behind it look like its inside). Learnt
// from the first good rows: the name of the first member, and the bytes between two rows. Before
// that, a row can only be told at the beginning of a line.
class Neighbours {
 public:
  static constexpr std::size_t k_reach = 256;  // a boundary is told by this many bytes at most

  void learn(std::string_view row, std::string_view gap);

  // The first place at or after `from` where a row seems to begin.
  std::optional<std::size_t> find(std::string_view text, std::size_t from) const;

 private:
  bool begins_row(std::string_view text, std::size_t at) const;

  std::string beginning_;  // "{" to the end of the first member's name, without white space
  std::string gap_;        // between two rows: white space and the comma
  bool knows_gap_ = false;
};

}  // namespace batchllm::json

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace batchllm::simulator {

// What the answers of all dialects are made of.

// Why an answer ended.
enum class Finish : std::uint8_t { stop, length, content_filter, tool };

// What an answer says, before it is put into words of the wire. An absent text has a null data
// pointer and is `null` where the dialect has that.
struct Completion {
  std::uint64_t identity = 0;  // names the answer: its id and time come from it
  std::string_view model;
  std::string_view content;  // with `tool`, the JSON of its arguments
  std::string_view refusal;
  std::string_view tool;  // that is called; empty: none
  Finish finish = Finish::stop;
  std::string_view finish_word;  // of a script, to be sent as it is; empty: none
  std::int64_t prompt_tokens = 1;
  std::int64_t completion_tokens = 1;

  // What it says in dialects without a word for refusing.
  std::string_view spoken() const noexcept { return refusal.empty() ? content : refusal; }
};

// A dialect's words for the ends of an answer.
struct FinishWords {
  std::string_view stop;
  std::string_view length;
  std::string_view content_filter;
  std::string_view tool;

  std::string_view of(const Completion& completion) const noexcept;
};

// 2026-01-01 in seconds since 1970: when all that is made up begins.
constexpr std::int64_t k_first_created_s = 1'767'225'600;

// When the answer was made, in seconds since 1970; made up, too.
std::int64_t created_s(std::uint64_t identity) noexcept;

void append_hex(std::string& out, std::uint64_t number);       // 16 digits
void append_hex_id(std::string& out, std::uint64_t identity);  // 32 digits

// Cuts the next word off `text`, with the spaces before it.
std::string_view next_word(std::string_view& text);

// Calls `visit(piece)` for the pieces in which a stream brings `text`: its words, 63 at most.
template <typename Visit>
void for_each_piece(std::string_view text, Visit visit) {
  constexpr std::size_t k_most_pieces = 64;
  for (std::size_t i = 1; !text.empty(); ++i) {
    visit(i < k_most_pieces ? next_word(text) : std::exchange(text, {}));
  }
}

// Appends a unit vector that belongs to `bits`: an array of numbers, or their bytes in base64.
void append_vector(std::string& out, std::uint64_t bits, std::int64_t dimensions, bool base64);

// The first `bytes` of `text`, less what would be half a character.
std::string_view cut_text(std::string_view text, std::size_t bytes) noexcept;

// Tokens of so many bytes of text, by rule of thumb; at least 1.
constexpr std::int64_t tokens_of_bytes(std::uint64_t bytes) noexcept {
  return bytes <= 4 ? 1 : static_cast<std::int64_t>((bytes + 3) / 4);
}

}  // namespace batchllm::simulator

// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/answer.h"

#include "adapters/simulator/choice_list.h"
#include "adapters/simulator/random_draw.h"
#include "core/text.h"

#include <array>

namespace batchllm::simulator {
namespace {

constexpr std::array<std::string_view, 6> k_openings = {
    "In short: ", "The text is about ", "Mainly this: ", "It says: ", "The gist: ", "Summary: "};
constexpr std::size_t k_most_words = 12;
constexpr std::size_t k_longest_quote = 96;

// The part of a prompt that holds the row's data, as a guess: what follows the first colon with a
// space or line break behind it.
std::string_view data_part(std::string_view text) {
  const std::string_view head = text.substr(0, 2048);
  for (std::size_t at = head.find(':'); at != std::string_view::npos; at = head.find(':', at + 1)) {
    if (at + 1 < text.size() && (text[at + 1] == ' ' || text[at + 1] == '\n')) {
      return trim(text.substr(at + 1));
    }
  }
  return trim(text);
}

// The first words, in one line, as valid UTF-8.
void append_first_words(std::string& out, std::string_view text) {
  std::size_t words = 0;
  std::size_t end = 0;
  for (std::size_t i = 0; i < text.size() && i <= k_longest_quote; ++i) {
    if (text[i] == ' ' || text[i] == '\n') {
      end = i;
      if (++words == k_most_words) {
        break;
      }
    }
  }
  if (text.size() <= k_longest_quote && words < k_most_words) {
    end = text.size();
  }
  if (end == 0) {  // one long word: cut it between characters
    end = std::min(text.size(), k_longest_quote);
    while (end > 0 && end < text.size() &&
           (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
      --end;
    }
  }
  for (const char c : text.substr(0, end)) {
    out.push_back(static_cast<unsigned char>(c) < 0x20 ? ' ' : c);
  }
}

}  // namespace

void append_answer(std::string& out,
                   std::string_view system_text,
                   std::string_view user_text,
                   std::uint64_t bits) {
  ChoiceList list = find_choices(user_text);
  if (list.choices.empty() && !system_text.empty()) {
    list = find_choices(system_text);
    list.end = 0;  // all of the user's text is data
  }
  if (!list.choices.empty()) {
    out.append(pick_choice(list, user_text, mix(bits, 3)));
    return;
  }
  out.append(k_openings[index_draw(mix(bits, 4), k_openings.size())]);
  const std::string_view data = data_part(user_text);
  if (data.empty()) {
    out.append("nothing was said.");
    return;
  }
  append_first_words(out, data);
  if (out.back() != '.' && out.back() != '?' && out.back() != '!') {
    out.push_back('.');
  }
}

}  // namespace batchllm::simulator

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace batchllm::simulator {

// The answers that a prompt offers, and where the list ends in it.
struct ChoiceList {
  std::vector<std::string_view> choices;  // views into the text; empty: the prompt offers none
  std::size_t end = 0;
};

// Finds what a prompt wants to be answered with: "Classify as bug, question or praise: …",
// "one of: a, b, c", "POSITIVE|NEGATIVE|NEUTRAL", "(yes/no)". A guess that works for how people
// write such prompts; looks at the first 4 KiB only.
ChoiceList find_choices(std::string_view text);

// The choice that the rest of the text speaks for ("bug" for "it crashes", "question" for "why?"),
// or else the one that `bits` picks. `list` has choices.
std::string_view pick_choice(const ChoiceList& list, std::string_view text, std::size_t bits);

}  // namespace batchllm::simulator

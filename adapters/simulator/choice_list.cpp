// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/choice_list.h"

#include "core/text.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

namespace batchllm::simulator {
namespace {

constexpr std::size_t k_looked_at = 4096;
constexpr std::size_t k_list_bytes = 400;  // from the word that announces a list to its end
constexpr std::size_t k_most_choices = 64;

// Words that announce that an answer is to be chosen. Without one of them "this or that" is prose.
constexpr std::array<std::string_view, 14> k_announcements = {
    "classif",
    "categor",
    "one of",
    "label",
    "answer",
    "reply",
    "respond",
    "choose",
    "pick",
    "either",
    "sentiment",
    "decide",
    "option",
    "whether",
};

// Words after which the first choice begins.
constexpr std::array<std::string_view, 9> k_openers = {
    "as", "into", "with", "of", "either", "is", "exactly", "only", "one"};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || static_cast<unsigned char>(c) >= 0x80;
}

bool is_quote(char c) {
  return c == '"' || c == '\'' || c == '`' || c == '*';
}

// Like text.find(word), several times as fast in prose, where first letters are everywhere.
std::size_t position_of(std::string_view text, std::string_view word) {
  const void* found = ::memmem(text.data(), text.size(), word.data(), word.size());
  return found == nullptr ? std::string_view::npos
                          : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

// Removes quotes and spaces around a choice.
std::string_view strip(std::string_view text) {
  text = trim(text);
  while (!text.empty() && is_quote(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_quote(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

// One to three words that are nothing but words.
bool is_choice(std::string_view text) {
  if (text.empty() || text.size() > 40) {
    return false;
  }
  std::size_t spaces = 0;
  for (const char c : text) {
    if (c == ' ') {
      ++spaces;
    } else if (!is_word(c)) {
      return false;
    }
  }
  return spaces <= 2;
}

// What follows the last opener in the text before the first comma: "Classify as bug" -> "bug".
std::string_view after_opener(std::string_view text) {
  text = trim(text);
  const std::size_t mark = text.find_last_of(":([{");
  if (mark != std::string_view::npos) {
    return strip(text.substr(mark + 1));
  }
  std::size_t start = 0;  // of the word that is looked at
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] != ' ') {
      continue;
    }
    const std::string word = lowercase(text.substr(start, i - start));
    if (i < text.size() && std::find(k_openers.begin(), k_openers.end(), word) != k_openers.end()) {
      begin = i + 1;
    }
    start = i + 1;
  }
  const std::string_view rest = strip(text.substr(std::min(begin, text.size())));
  if (begin > 0 && is_choice(rest)) {
    return rest;
  }
  const std::size_t space = text.rfind(' ');
  return strip(space == std::string_view::npos ? text : text.substr(space + 1));
}

// The last choice: up to the punctuation that ends it, or its first word.
std::string_view before_end(std::string_view text) {
  text = text.substr(std::min(text.find_first_not_of(' '), text.size()));
  const std::size_t stop = text.find_first_of(":.;,!?\n)]}|");
  const std::string_view whole = strip(text.substr(0, stop));
  if (stop != std::string_view::npos && is_choice(whole)) {
    return whole;
  }
  const std::size_t space = text.find_first_of(" \t\n:.;,!?)]}|");
  return strip(text.substr(0, space));
}

// Adds the comma-separated pieces of `text`; false when one of them is no choice.
bool add_pieces(std::string_view text, char separator, std::vector<std::string_view>& choices) {
  while (!text.empty() && choices.size() < k_most_choices) {
    const std::size_t cut = text.find(separator);
    const std::string_view piece = strip(text.substr(0, cut));
    if (!is_choice(piece)) {
      return false;
    }
    choices.push_back(piece);
    text = cut == std::string_view::npos ? std::string_view{} : text.substr(cut + 1);
  }
  return true;
}

// "… as A, B or C:" around the " or " at `middle` of `text`.
bool read_or_list(std::string_view text, std::size_t middle, ChoiceList& found) {
  std::string_view left = text.substr(0, middle);
  const std::size_t sentence = left.find_last_of(".\n;?!");
  if (sentence != std::string_view::npos) {
    left = left.substr(sentence + 1);
  }
  left = left.substr(0, left.find_last_not_of(", ") + 1);
  const std::string_view last = before_end(text.substr(middle + 4));
  const std::size_t comma = left.find(',');
  const std::string_view first = after_opener(left.substr(0, comma));
  std::vector<std::string_view> choices = {first};
  if (!is_choice(first) || !is_choice(last) ||
      (comma != std::string_view::npos && !add_pieces(left.substr(comma + 1), ',', choices))) {
    return false;
  }
  choices.push_back(last);
  found.choices = std::move(choices);
  found.end = static_cast<std::size_t>(last.data() + last.size() - text.data());
  return true;
}

// "A|B|C" or "yes/no" around the separator at `middle`.
bool read_bar_list(std::string_view text, std::size_t middle, ChoiceList& found) {
  const auto belongs = [&](char c) { return is_word(c) || is_quote(c) || c == text[middle]; };
  std::size_t begin = middle;
  while (begin > 0 && belongs(text[begin - 1])) {
    --begin;
  }
  std::size_t end = middle;
  while (end < text.size() && belongs(text[end])) {
    ++end;
  }
  std::vector<std::string_view> choices;
  if (!add_pieces(text.substr(begin, end - begin), text[middle], choices) || choices.size() < 2) {
    return false;
  }
  found.choices = std::move(choices);
  found.end = end;
  return true;
}

// "one of: a, b, c" without an "or": what stands behind a colon or bracket, up to the end of the
// line.
bool read_comma_list(std::string_view text, ChoiceList& found) {
  const std::size_t open = text.find_first_of(":[({\n.");
  if (open == std::string_view::npos || text[open] == '\n' || text[open] == '.') {
    return false;
  }
  std::string_view rest = text.substr(open + 1);
  rest = rest.substr(0, rest.find_first_of(".\n])};:"));
  std::vector<std::string_view> choices;
  if (!add_pieces(rest, ',', choices) || choices.size() < 2) {
    return false;
  }
  found.choices = std::move(choices);
  found.end = static_cast<std::size_t>(rest.data() + rest.size() - text.data());
  return true;
}

// Words that speak for a choice whose name begins with the first word.
struct Evidence {
  std::string_view choice;
  std::array<std::string_view, 6> words;
};

constexpr std::array<Evidence, 8> k_evidence = {{
    {"bug", {"crash", "error", "broken", "fails", "doesn't work", "exception"}},
    {"positive", {"love", "great", "excellent", "thank", "perfect", "amazing"}},
    {"praise", {"love", "great", "excellent", "thank", "perfect", "amazing"}},
    {"negative", {"hate", "terrible", "worst", "awful", "refund", "disappoint"}},
    {"complaint", {"hate", "terrible", "worst", "awful", "refund", "disappoint"}},
    {"spam", {"free money", "winner", "click here", "lottery", "viagra", "prize"}},
    {"feature", {"would be nice", "please add", "could you add", "wish", "support for", "feature"}},
    {"question", {"?", "how do i", "how can i", "what is", "why does", "is there"}},
}};

}  // namespace

ChoiceList find_choices(std::string_view text) {
  ChoiceList found;
  text = text.substr(0, k_looked_at);
  const std::string lower = lowercase(text);
  std::size_t from = std::string_view::npos;
  for (const std::string_view word : k_announcements) {
    from = std::min(from, position_of(lower, word));
  }
  if (from == std::string_view::npos) {
    return found;
  }
  const std::string_view near = text.substr(from, k_list_bytes);
  const std::string_view near_lower = std::string_view(lower).substr(from, k_list_bytes);
  const std::size_t bar = near.find_first_of("|/");
  for (std::size_t at = near_lower.find(" or "); at != std::string_view::npos && at < bar;
       at = near_lower.find(" or ", at + 1)) {
    if (read_or_list(near, at, found)) {
      break;
    }
  }
  if (found.choices.empty() && bar != std::string_view::npos) {
    read_bar_list(near, bar, found);
  }
  if (found.choices.empty()) {
    read_comma_list(near, found);
  }
  found.end += from;
  return found;
}

std::string_view pick_choice(const ChoiceList& list, std::string_view text, std::size_t bits) {
  const std::string rest = lowercase(text.substr(std::min(list.end, text.size()), k_looked_at));
  for (const Evidence& evidence : k_evidence) {
    const auto choice = std::find_if(list.choices.begin(), list.choices.end(), [&](auto name) {
      return lowercase(name.substr(0, evidence.choice.size())) == evidence.choice;
    });
    if (choice == list.choices.end()) {
      continue;
    }
    const bool speaks =
        std::any_of(evidence.words.begin(), evidence.words.end(), [&](std::string_view word) {
          return position_of(rest, word) != std::string_view::npos;
        });
    if (speaks) {
      return *choice;
    }
  }
  return list.choices[bits % list.choices.size()];
}

}  // namespace batchllm::simulator

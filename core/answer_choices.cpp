// SPDX-License-Identifier: Apache-2.0
#include "core/answer_choices.h"

#include "core/code_points.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

namespace batchllm {
namespace {

// Marks around an answer that do not belong to it. No sign that can be a part of a value is among
// them: "-1" is not "1", "<5" not "5", "C++" not "C".
constexpr std::u32string_view k_opening =
    U"\"'`([{*_\u00ab\u2039\u201c\u2018\u201e\u201a\u300c\u300e";
constexpr std::u32string_view k_closing =
    U"\"'`)]}*_\u00bb\u203a\u201d\u2019\u201c\u2018\u300d\u300f.,;:!?"
    U"\u2026\u3002\u3001\uff0e\uff0c\uff01\uff1f\uff1a\uff1b";

bool is_among(std::u32string_view marks, const CodePoint& character) noexcept {
  return character.bytes != 0 && (marks.find(character.value) != std::u32string_view::npos ||
                                  is_white_space(character.value));
}

bool separates(char32_t character) noexcept {
  return character == '_' || character == '-' || is_white_space(character);
}

std::string folded(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const CodePoint character = first_code_point(text);
    append_code_point(out, folded_case(character.value));
    text.remove_prefix(character.bytes);
  }
  return out;
}

std::string_view without_marks(std::string_view text) noexcept {
  for (auto first = first_code_point(text); is_among(k_opening, first);
       first = first_code_point(text)) {
    text.remove_prefix(first.bytes);
  }
  for (auto last = last_code_point(text); is_among(k_closing, last); last = last_code_point(text)) {
    text.remove_suffix(last.bytes);
  }
  return text;
}

// What is left to compare: no case, no marks around, words with one space between them.
std::string plain(std::string_view text) {
  text = without_marks(text);
  std::string out;
  while (!text.empty()) {
    std::size_t separators = 0;
    for (auto next = first_code_point(text); next.bytes != 0 && separates(next.value);
         next = first_code_point(text.substr(separators))) {
      separators += next.bytes;
    }
    const bool is_between_words = separators != 0 && !out.empty() && separators != text.size();
    if (is_between_words) {
      out += ' ';
    } else {
      out += text.substr(0, separators);  // "-1" and "A-" keep their sign
    }
    text.remove_prefix(separators);
    const CodePoint character = first_code_point(text);
    if (character.bytes != 0) {
      append_code_point(out, folded_case(character.value));
      text.remove_prefix(character.bytes);
    }
  }
  return out;
}

[[noreturn]] void refuse(std::string_view text, std::size_t at, const std::string& what) {
  const std::size_t column = character_count(text.substr(0, at)) + 1;
  throw Error(ErrorCode::usage,
              fmt::format("column {}: {}", column, what),
              R"(for example: bug, question, "none, or unclear")")
      .with_detail("column", std::to_string(column));
}

// One choice from `at` on, up to its comma or the end.
std::string read_choice(std::string_view text, std::size_t& at) {
  while (at < text.size() && is_white_space(static_cast<unsigned char>(text[at]))) {
    ++at;
  }
  if (at == text.size() || text[at] != '"') {
    const std::size_t start = at;
    at = std::min(text.find(',', at), text.size());
    return std::string(trim_white_space(text.substr(start, at - start)));
  }
  const std::size_t start = at;
  std::string choice;
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    const bool is_escape =
        text[at] == '\\' && at + 1 < text.size() && (text[at + 1] == '"' || text[at + 1] == '\\');
    at += is_escape ? 1 : 0;
    choice += text[at];
  }
  if (at == text.size()) {
    refuse(text, start, "this quote is not closed");
  }
  ++at;
  while (at < text.size() && text[at] != ',') {
    if (!is_white_space(static_cast<unsigned char>(text[at]))) {
      refuse(text, at, "expected a comma behind the quote");
    }
    ++at;
  }
  return choice;
}

}  // namespace

AnswerChoices::AnswerChoices(std::vector<std::string> names) : names_(std::move(names)) {
  std::transform(names_.begin(), names_.end(), std::back_inserter(folded_), folded);
  std::transform(names_.begin(), names_.end(), std::back_inserter(plain_), plain);
  // Two that marks alone tell apart are compared with their marks.
  const std::vector<std::string> all = plain_;
  for (std::string& text : plain_) {
    if (std::count(all.begin(), all.end(), text) > 1) {
      text.clear();
    }
  }
}

AnswerChoices AnswerChoices::compile(std::string_view text) {
  if (!is_utf8(text)) {
    throw Error(ErrorCode::usage, "the choices are not well-formed UTF-8");
  }
  std::vector<std::string> names;
  std::vector<std::string> seen;
  for (std::size_t at = 0; true; ++at) {
    const std::size_t start = at;
    std::string name = read_choice(text, at);
    if (name.empty()) {
      refuse(text, start, names.empty() && at == text.size() ? "no choice" : "an empty choice");
    }
    std::string same = folded(name);
    if (const auto other = std::find(seen.begin(), seen.end(), same); other != seen.end()) {
      refuse(text,
             start,
             fmt::format("{} and {} are the same choice",
                         one_line(names[static_cast<std::size_t>(other - seen.begin())], 60),
                         one_line(name, 60)));
    }
    seen.push_back(std::move(same));
    names.push_back(std::move(name));
    if (at == text.size()) {
      return AnswerChoices(std::move(names));
    }
  }
}

Judged<std::string_view> AnswerChoices::apply(std::string_view answer) const {
  const auto find = [this](const std::vector<std::string>& forms, const std::string& form) {
    const auto found = std::find(forms.begin(), forms.end(), form);
    return found == forms.end() ? nullptr
                                : &names_[static_cast<std::size_t>(found - forms.begin())];
  };
  const std::string* name = find(folded_, folded(trim_white_space(answer)));
  if (name == nullptr) {
    const std::string form = plain(answer);
    name = form.empty() ? nullptr : find(plain_, form);
  }
  if (name != nullptr) {
    return std::string_view(*name);
  }
  std::string list;
  for (const auto& choice : names_) {
    list += list.empty() ? "" : ", ";
    list += choice;
  }
  return AnswerMistake{
      trim_white_space(answer).empty()
          ? "the answer is empty, none of the choices"
          : fmt::format("the answer is none of the choices: \"{}\"", one_line(answer, 80)),
      fmt::format("Answer with exactly one of these and nothing else: {}.", list)};
}

std::string comparable_answer(std::string_view answer) {
  std::string form = plain(answer);
  return form.empty() ? folded(trim_white_space(answer)) : form;
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "core/answer_extraction.h"

#include "core/code_points.h"
#include "core/error.h"
#include "core/json_in_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace batchllm {
namespace {

constexpr std::string_view k_ways = "ways: json, code, tag:NAME, regex:PATTERN";
constexpr std::size_t k_longest_tag = 64;

constexpr auto k_quotes = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"\"", "\""},
    {"'", "'"},
    {"`", "`"},
    {"\u201c", "\u201d"},  // English
    {"\u2018", "\u2019"},
    {"\u201e", "\u201c"},  // German
    {"\u201a", "\u2018"},
    {"\u00ab", "\u00bb"},
    {"\u00bb", "\u00ab"},
    {"\u2039", "\u203a"},
    {"\u300c", "\u300d"},
});

[[noreturn]] void refuse(const std::string& what, const std::string& hint) {
  throw Error(ErrorCode::usage, what, hint);
}

bool is_tag_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= k_longest_tag &&
         std::all_of(name.begin(), name.end(), [](char byte) {
           return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                  (byte >= '0' && byte <= '9') || byte == '_' || byte == '-' || byte == '.' ||
                  byte == ':';
         });
}

Judged<std::string_view> code_part(std::string_view answer) {
  const auto blocks = find_code_blocks(answer);
  if (blocks.empty()) {
    return AnswerMistake{"the answer has no code block",
                         "Put the code into a code block: a line of ``` before it and after it."};
  }
  if (!blocks.front().is_closed) {
    return AnswerMistake{"the answer's code block is cut off",
                         "Put the code into a code block and close it with a line of ```."};
  }
  return blocks.front().content;
}

}  // namespace

AnswerExtraction AnswerExtraction::compile(std::string_view option) {
  const auto colon = option.find(':');
  const std::string_view way = option.substr(0, colon);
  const bool has_colon = colon != std::string_view::npos;
  const std::string_view of = has_colon ? option.substr(colon + 1) : std::string_view{};
  if ((way == "json" || way == "code") && has_colon) {
    refuse(fmt::format("{} takes nothing behind a colon", way), std::string(k_ways));
  }
  if (way == "json" || way == "code") {
    return AnswerExtraction(way == "json" ? Kind::json : Kind::code);
  }
  if (way == "tag") {
    if (!is_tag_name(of)) {
      refuse(of.empty() ? "tag: needs the name of a tag"
                        : fmt::format("{} is no name of a tag: letters, digits, - _ . :",
                                      one_line(of, 60)),
             "for example tag:answer, for <answer>…</answer>");
    }
    AnswerExtraction extraction(Kind::tag);
    extraction.tag_ = of;
    return extraction;
  }
  if (way == "regex") {
    auto pattern = Pattern::compile(of, PatternDialect::perl);
    if (of.empty() || !pattern) {
      refuse(of.empty()
                 ? "regex: needs a regular expression"
                 : fmt::format("the regular expression is not usable: {}", pattern.error().message),
             R"(for example regex:(?i)label:\s*(\w+))");
    }
    AnswerExtraction extraction(Kind::pattern);
    extraction.pattern_ = *std::move(pattern);
    return extraction;
  }
  const auto near = nearest_name(way, {"json", "code", "tag", "regex"});
  refuse(fmt::format("unknown way to extract: {}", one_line(way, 60)),
         near ? fmt::format("did you mean {}?  {}", *near, k_ways) : std::string(k_ways));
}

Judged<std::string_view> AnswerExtraction::apply(std::string_view answer) const {
  switch (kind_) {
    case Kind::json:
      return find_json(answer);
    case Kind::code:
      return code_part(answer);
    case Kind::tag:
      return tagged_part(answer);
    case Kind::pattern:
      return matched_part(answer);
  }
  return answer;  // not reached
}

Judged<std::string_view> AnswerExtraction::tagged_part(std::string_view answer) const {
  const std::string opening = fmt::format("<{}>", tag_);
  const std::string closing = fmt::format("</{}>", tag_);
  const std::string advice = fmt::format("Put the result between {} and {}.", opening, closing);
  const auto start = answer.rfind(opening);
  if (start == std::string_view::npos) {
    return AnswerMistake{fmt::format("the answer has no {}", opening), advice};
  }
  const std::string_view inside = answer.substr(start + opening.size());
  const auto end = inside.find(closing);
  if (end == std::string_view::npos) {
    return AnswerMistake{fmt::format("the answer's last {} is not closed", opening), advice};
  }
  return inside.substr(0, end);
}

Judged<std::string_view> AnswerExtraction::matched_part(std::string_view answer) const {
  const Pattern::Match match = pattern_->find(answer);
  const std::string advice =
      fmt::format("The answer must match this regular expression: {}", printable(pattern_->text()));
  if (match.verdict == Pattern::Verdict::undecided) {
    return AnswerMistake{"the regular expression takes too long on this answer", advice};
  }
  if (match.verdict == Pattern::Verdict::no_match) {
    return AnswerMistake{"the answer does not match the regular expression", advice};
  }
  if (!pattern_->has_groups()) {
    return match.whole;
  }
  if (!match.first_group) {
    return AnswerMistake{"the answer matches without the first group of the regular expression",
                         advice};
  }
  return *match.first_group;
}

std::string_view strip_answer(std::string_view answer) noexcept {
  while (true) {
    answer = trim_white_space(answer);
    const auto quotes = std::find_if(k_quotes.begin(), k_quotes.end(), [&](const auto& pair) {
      const auto& [opening, closing] = pair;
      if (answer.size() < opening.size() + closing.size() || !answer.starts_with(opening) ||
          !answer.ends_with(closing)) {
        return false;
      }
      const std::string_view inside =
          answer.substr(opening.size(), answer.size() - opening.size() - closing.size());
      return inside.find(opening) == std::string_view::npos &&
             inside.find(closing) == std::string_view::npos;
    });
    if (quotes == k_quotes.end()) {
      return answer;
    }
    answer.remove_prefix(quotes->first.size());
    answer.remove_suffix(quotes->second.size());
  }
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "core/row_filter_lexer.h"

#include "core/error.h"
#include "core/template_names.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace batchllm {
namespace {

bool is_digit(char byte) noexcept {
  return byte >= '0' && byte <= '9';
}

// Length of a number without sign at the start of `text`: 12, 1.5, .5, 1e6.
std::size_t number_length(std::string_view text) noexcept {
  std::size_t end = 0;
  const auto digits = [&] {
    while (end < text.size() && is_digit(text[end])) {
      ++end;
    }
  };
  digits();
  if (end < text.size() && text[end] == '.') {
    ++end;
    digits();
  }
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    const std::size_t sign =
        end + 1 < text.size() && (text[end + 1] == '-' || text[end + 1] == '+');
    if (end + 1 + sign < text.size() && is_digit(text[end + 1 + sign])) {
      end += 1 + sign;
      digits();
    }
  }
  return end;
}

bool begins_with_typographic_quote(std::string_view text) noexcept {
  constexpr std::array<std::string_view, 5> k_quotes = {"“", "”", "„", "‘", "’"};
  return std::any_of(
      k_quotes.begin(), k_quotes.end(), [&](auto quote) { return text.starts_with(quote); });
}

}  // namespace

FilterToken FilterLexer::next() {
  while (at_ < expression_.size() && trim(expression_.substr(at_, 1)).empty()) {
    ++at_;
  }
  if (at_ == expression_.size()) {
    return FilterToken{FilterToken::Kind::end, {}, at_};
  }
  const std::string_view rest = expression_.substr(at_);
  const char first = rest.front();
  if (first == '"' || first == '\'') {
    return quoted_text(first);
  }
  if (first == '`' || first == '{') {
    return quoted_name(first == '{' ? '}' : '`');
  }
  if (begins_with_typographic_quote(rest)) {
    refuse(at_, "typographic quotes do not begin a text", "write \"…\" or '…'");
  }
  const std::size_t sign = first == '-' ? 1 : 0;
  if (rest.size() > sign && (is_digit(rest[sign]) || rest[sign] == '.')) {
    const std::size_t length = sign + number_length(rest.substr(sign));
    FilterToken token{FilterToken::Kind::number, std::string(rest.substr(0, length)), at_};
    at_ += length;
    if (!parse_number(token.text) || path_length(expression_.substr(at_)) != 0) {
      refuse(
          token.begin, "this is not a number", "texts stand in quotes, odd names in `backticks`");
    }
    return token;
  }
  if (const std::size_t length = path_length(rest); length != 0) {
    FilterToken token{FilterToken::Kind::word, std::string(rest.substr(0, length)), at_};
    at_ += length;
    return token;
  }
  return symbol();
}

void FilterLexer::refuse(std::size_t at, std::string_view what, std::string hint) const {
  throw Error(
      ErrorCode::usage, fmt::format("{}: {}\n{}", option_, what, marked(at)), std::move(hint));
}

std::string FilterLexer::marked(std::size_t at) const {
  // A long expression is shown from a little before the place on.
  constexpr std::size_t k_shown = 100;
  constexpr std::size_t k_before = 40;
  std::size_t before = character_count(expression_.substr(0, at));
  std::string_view shown = expression_;
  if (before > k_shown - k_before) {
    const std::size_t hidden = before - k_before;
    shown.remove_prefix(character_prefix(shown, hidden).size());
    before -= hidden;
  }
  return fmt::format("  {}\n  {:>{}}", one_line(shown, k_shown), '^', before + 1);
}

FilterToken FilterLexer::quoted_text(char quote) {
  FilterToken token{FilterToken::Kind::text, {}, at_};
  for (++at_; at_ < expression_.size() && expression_[at_] != quote; ++at_) {
    if (expression_[at_] == '\\' && at_ + 1 < expression_.size()) {
      ++at_;
      const char escaped = expression_[at_];
      token.text += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped;
    } else {
      token.text += expression_[at_];
    }
  }
  if (at_ == expression_.size()) {
    refuse(token.begin, "this text is not closed", fmt::format("end it with {}", quote));
  }
  ++at_;
  return token;
}

FilterToken FilterLexer::quoted_name(char close) {
  const auto end = expression_.find(close, at_ + 1);
  if (end == std::string_view::npos) {
    refuse(at_, "this name is not closed", fmt::format("end it with {}", close));
  }
  FilterToken token{
      FilterToken::Kind::name, std::string(trim(expression_.substr(at_ + 1, end - at_ - 1))), at_};
  at_ = end + 1;
  return token;
}

FilterToken FilterLexer::symbol() {
  constexpr std::array<std::string_view, 11> k_symbols = {
      "==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "(", ")"};
  const std::string_view rest = expression_.substr(at_);
  FilterToken token{FilterToken::Kind::symbol, {}, at_};
  if (rest.starts_with("<>")) {
    refuse(at_, "\"<>\" is not a comparison", "use !=");
  }
  const auto* found = std::find_if(
      k_symbols.begin(), k_symbols.end(), [&](auto symbol) { return rest.starts_with(symbol); });
  if (found != k_symbols.end()) {
    token.text = *found;
  } else if (rest.front() == ',') {
    token.text = ",";
  } else if (rest.front() == '=') {
    refuse(at_, "\"=\" is not a comparison", "use ==");
  } else if (rest.front() == '&' || rest.front() == '|') {
    refuse(at_,
           fmt::format("\"{}\" joins nothing", rest.front()),
           rest.front() == '&' ? "use and" : "use or");
  } else {
    refuse(at_,
           fmt::format("\"{}\" has no meaning here", one_line(rest.substr(0, 1), 4)),
           "texts stand in quotes, odd column names in `backticks`");
  }
  at_ += token.text.size();
  return token;
}

}  // namespace batchllm

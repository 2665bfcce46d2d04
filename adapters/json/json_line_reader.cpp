// SPDX-License-Identifier: Apache-2.0
#include "adapters/json/json_line_reader.h"

#include <algorithm>

namespace batchllm::json {
namespace {

// White space within a line.
bool is_blank(char byte) noexcept {
  return byte == ' ' || byte == '\t' || byte == '\r';
}

bool is_digit(char byte) noexcept {
  return byte >= '0' && byte <= '9';
}

const char* skip_digits(const char* at) noexcept {
  while (is_digit(*at)) {
    ++at;
  }
  return at;
}

// The end of the number that begins at `at`; nullptr when it is none. Some byte that is no digit
// follows.
const char* number_end(const char* at) noexcept {
  at += *at == '-' ? 1 : 0;
  const char* digits = at;
  at = skip_digits(at);
  if (at == digits || (*digits == '0' && at != digits + 1)) {
    return nullptr;
  }
  if (*at == '.') {
    digits = ++at;
    at = skip_digits(at);
    if (at == digits) {
      return nullptr;
    }
  }
  if (*at == 'e' || *at == 'E') {
    ++at;
    at += *at == '+' || *at == '-' ? 1 : 0;
    digits = at;
    at = skip_digits(at);
    if (at == digits) {
      return nullptr;
    }
  }
  return at;
}

const char* word_end(const char* at, std::string_view word) noexcept {
  return std::equal(word.begin(), word.end(), at) ? at + word.size() : nullptr;
}

// Goes along the tokens of one line and checks RFC 8259's grammar in full. That is the second half
// of a JSON parser, and simdjson has one; but it builds a document and copies all strings, only for
// this reader to walk through the document again: half the time of reading a file of lines. The
// first half, in which a parser spends its cleverness, is simdjson's (LineTokens).
//
// Every step says false at the first fault, and then the line is nobody's: the caller has it read
// by the patient parser. A newline between two tokens is such a fault: no value goes on in the next
// line, and no token behind the line is ever looked at.
class LineWalk {
 public:
  LineWalk(const char* text, const std::uint32_t* token, Backslashes backslash) noexcept
      : text_(text),
        token_(token),
        backslash_(backslash) {}

  // The line is one object: its members go to the picker. `token()` is its closing bracket then.
  bool object(CellPicker& picker, TextArena& arena) {
    if (!pass_punctuation()) {
      return false;
    }
    if (byte() == '}') {
      return true;
    }
    for (std::size_t position = 0;; ++position) {
      std::string_view name;
      if (!member_name(name)) {
        return false;
      }
      const std::size_t column =
          picker.wants_more() ? picker.column_of(name, position) : CellPicker::k_no_column;
      if (!(column == CellPicker::k_no_column ? value() : cell(picker, column, arena))) {
        return false;
      }
      if (byte() != ',') {
        return byte() == '}';
      }
      if (!pass_punctuation()) {
        return false;
      }
    }
  }

  std::size_t token() const noexcept { return *token_; }

  const std::uint32_t* next_token() const noexcept { return token_ + 1; }

  Backslashes backslash() const noexcept { return backslash_; }

 private:
  static constexpr unsigned k_deepest = 64;  // deeper values are left to the patient parser

  char byte() const noexcept { return text_[*token_]; }

  // True when nothing but white space stands between a token's end and the next token, to which it
  // goes.
  bool pass_to_next(std::size_t end) noexcept {
    ++token_;
    for (; end != *token_; ++end) {
      if (!is_blank(text_[end])) {
        return false;
      }
    }
    return true;
  }

  bool pass_punctuation() noexcept { return pass_to_next(*token_ + std::size_t{1}); }

  // Finds the closing quote of the string at the token: the last byte before the next token that is
  // no white space. Goes to that token.
  bool pass_string(std::size_t& closing) noexcept {
    const std::size_t opening = *token_++;
    closing = *token_ - std::size_t{1};
    while (is_blank(text_[closing])) {
      --closing;
    }
    return text_[closing] == '"' && closing > opening;
  }

  bool string() noexcept {
    std::size_t closing = 0;
    return pass_string(closing) &&
           (*backslash_ > closing || are_escapes_good(text_, closing, backslash_));
  }

  bool member_name(std::string_view& name) noexcept {
    const std::size_t opening = *token_;
    if (text_[opening] != '"') {
      return false;
    }
    std::size_t closing = 0;
    if (!pass_string(closing) || byte() != ':' || !pass_punctuation()) {
      return false;
    }
    name = {text_ + opening + 1, closing - opening - 1};
    return *backslash_ > closing || are_escapes_good(text_, closing, backslash_);
  }

  // A number or word; `end` is behind it.
  bool scalar(std::size_t& end) noexcept {
    const char* const begin = text_ + *token_;
    const char* behind = nullptr;
    switch (*begin) {
      case 't':
        behind = word_end(begin, "true");
        break;
      case 'f':
        behind = word_end(begin, "false");
        break;
      case 'n':
        behind = word_end(begin, "null");
        break;
      default:
        behind = number_end(begin);
    }
    if (behind == nullptr) {
      return false;
    }
    end = static_cast<std::size_t>(behind - text_);
    return pass_to_next(end);
  }

  bool value() noexcept {
    std::size_t end = 0;
    switch (byte()) {
      case '"':
        return string();
      case '{':
      case '[':
        return nested(end);
      default:
        return scalar(end);
    }
  }

  // An object or array and all that is in it; `end` is behind it.
  bool nested(std::size_t& end) noexcept {
    std::uint64_t objects = 0;  // which of the open brackets are objects', the innermost lowest
    unsigned depth = 0;
    std::string_view name;
    while (true) {
      const char first = byte();
      if (first == '{' || first == '[') {
        if (++depth > k_deepest || !pass_punctuation()) {
          return false;
        }
        objects = (objects << 1U) | (first == '{' ? 1U : 0U);
        if (byte() != closing_bracket(objects)) {
          if (first == '{' && !member_name(name)) {
            return false;
          }
          continue;
        }
      } else if (!(first == '"' ? string() : scalar(end))) {
        return false;
      }
      while (byte() == closing_bracket(objects)) {
        end = *token_ + std::size_t{1};
        if (!pass_to_next(end)) {
          return false;
        }
        objects >>= 1U;
        if (--depth == 0) {
          return true;
        }
      }
      if (byte() != ',' || !pass_punctuation() || ((objects & 1U) != 0 && !member_name(name))) {
        return false;
      }
    }
  }

  static char closing_bracket(std::uint64_t objects) noexcept {
    return (objects & 1U) != 0 ? '}' : ']';
  }

  // A value that is wanted.
  bool cell(CellPicker& picker, std::size_t column, TextArena& arena) {
    const std::size_t begin = *token_;
    std::size_t end = 0;
    switch (text_[begin]) {
      case '"':
        return text_cell(picker, column, arena);
      case '{':
      case '[':
        if (!nested(end)) {
          return false;
        }
        break;
      default:
        if (!scalar(end)) {
          return false;
        }
        if (text_[begin] == 'n') {
          picker.put({}, CellKind::text, column);
          return true;
        }
    }
    picker.put({text_ + begin, end - begin}, CellKind::json, column);
    return true;
  }

  bool text_cell(CellPicker& picker, std::size_t column, TextArena& arena) {
    const std::size_t begin = *token_ + std::size_t{1};
    std::size_t closing = 0;
    if (!pass_string(closing)) {
      return false;
    }
    if (*backslash_ > closing) {
      picker.put({text_ + begin, closing - begin}, CellKind::text, column);
      return true;
    }
    char* const out = arena.reserve(closing - begin + k_escape_slack);
    const char* const behind = take_escapes(text_, begin, closing, backslash_, out);
    if (behind == nullptr) {
      return false;
    }
    const auto length = static_cast<std::size_t>(behind - out);
    arena.commit(length);
    picker.put({out, length}, CellKind::text, column);
    return true;
  }

  const char* text_;
  const std::uint32_t* token_;
  Backslashes backslash_;
};

}  // namespace

bool LineReader::start(std::string_view lines, std::uint64_t line) {
  if (!found_.find(lines)) {
    return false;
  }
  lines_ = lines;
  token_ = found_.tokens();
  backslash_ = found_.backslashes();
  at_ = 0;
  line_ = line;
  return true;
}

// Only white space stands before the next token.
void LineReader::skip_empty_lines() noexcept {
  for (std::size_t at = at_; at < *token_; ++at) {
    if (lines_[at] == '\n') {
      at_ = at + 1;
      ++line_;
    }
  }
}

LineReader::Found LineReader::next(CellPicker& picker,
                                   RowBatch& batch,
                                   TextArena& arena,
                                   LineRow& row) {
  skip_empty_lines();
  if (at_ == lines_.size()) {
    return Found::end;
  }
  const std::size_t begin = *token_;
  const char* const text = lines_.data();
  if (text[begin] != '{') {
    return Found::doubtful;
  }
  picker.begin_row(batch);
  LineWalk walk(text, token_, backslash_);
  bool good = walk.object(picker, arena);
  std::size_t behind = walk.token() + 1;
  row = {begin, behind - begin, line_};
  if (good) {
    while (is_blank(text[behind])) {
      ++behind;
    }
    good = text[behind] == '\n' && row.length <= max_row_bytes_;
  }
  if (!good) {
    picker.drop_row(batch);
    return Found::doubtful;
  }
  picker.end_row();
  token_ = walk.next_token();
  backslash_ = walk.backslash();
  at_ = behind + 1;
  ++line_;
  return Found::row;
}

void LineReader::skip_to(std::size_t at, std::uint64_t line) noexcept {
  at_ = std::min(at, lines_.size());
  line_ = line;
  while (*token_ < at_) {
    ++token_;
  }
  while (*backslash_ < at_) {
    ++backslash_;
  }
}

}  // namespace batchllm::json

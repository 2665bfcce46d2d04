// SPDX-License-Identifier: Apache-2.0
#include "adapters/json/json_check.h"

#include "core/text.h"

#include <fmt/format.h>

#include <vector>

namespace batchllm::json {
namespace {

constexpr std::size_t k_deepest = 1024;

bool is_digit(char byte) noexcept {
  return byte >= '0' && byte <= '9';
}

int hex_value(char byte) noexcept {
  if (is_digit(byte)) {
    return byte - '0';
  }
  const int letter = (byte | 0x20) - 'a';
  return letter >= 0 && letter < 6 ? letter + 10 : -1;
}

// A reader that stops at the first problem. Every step returns false then.
class Checker {
 public:
  explicit Checker(std::string_view text) : text_(text) {}

  std::optional<JsonProblem> run() {
    if (document()) {
      return std::nullopt;
    }
    return JsonProblem{problem_at_, std::move(reason_)};
  }

 private:
  enum class Next { value, value_or_end, key_or_end, key, comma_or_end };

  bool document() {
    Next next = Next::value;
    while (true) {
      skip_space();
      if (!step(next)) {
        return false;
      }
      if (open_.empty()) {
        break;
      }
    }
    skip_space();
    return at_ == text_.size() || fail("something follows the end of the value");
  }

  bool step(Next& next) {
    if (at_ == text_.size()) {
      return fail(open_.empty() ? "there is no value" : "the text ends inside an object or array");
    }
    const char byte = text_[at_];
    const bool in_object = !open_.empty() && open_.back() == '{';
    switch (next) {
      case Next::comma_or_end:
        if (byte == ',') {
          ++at_;
          next = in_object ? Next::key : Next::value;
          return true;
        }
        if (closes(byte)) {
          return true;
        }
        return fail(in_object ? "a comma or } is missing" : "a comma or ] is missing");
      case Next::key_or_end:
      case Next::key:
        if (next == Next::key_or_end && closes(byte)) {
          next = Next::comma_or_end;
          return true;
        }
        return key(next);
      case Next::value_or_end:
        if (closes(byte)) {
          next = Next::comma_or_end;
          return true;
        }
        return value(byte, next);
      case Next::value:
        return value(byte, next);
    }
    return false;
  }

  bool closes(char byte) {
    const char open = open_.empty() ? '\0' : open_.back();
    if ((open == '{' && byte == '}') || (open == '[' && byte == ']')) {
      open_.pop_back();
      ++at_;
      return true;
    }
    return false;
  }

  bool key(Next& next) {
    if (text_[at_] != '"') {
      return fail(text_[at_] == '}' ? "a comma stands before the }"
                                    : "a member name in quotes is missing");
    }
    if (!string()) {
      return false;
    }
    skip_space();
    if (at_ == text_.size() || text_[at_] != ':') {
      return fail("a colon is missing after a member name");
    }
    ++at_;
    next = Next::value;
    return true;
  }

  bool value(char byte, Next& next) {
    next = Next::comma_or_end;
    if (byte == '{' || byte == '[') {
      if (open_.size() == k_deepest) {
        return fail("objects and arrays are nested too deeply");
      }
      open_.push_back(byte);
      ++at_;
      next = byte == '{' ? Next::key_or_end : Next::value_or_end;
      return true;
    }
    if (byte == '"') {
      return string();
    }
    if (byte == '-' || is_digit(byte)) {
      return number();
    }
    for (const std::string_view word : {"true", "false", "null"}) {
      if (text_.substr(at_).starts_with(word)) {
        at_ += word.size();
        return true;
      }
    }
    return fail(byte == ']' || byte == '}' ? "a value is missing" : "this is not a JSON value");
  }

  bool number() {
    at_ += text_[at_] == '-' ? 1 : 0;
    if (peek() == '0') {
      ++at_;
      if (is_digit(peek())) {
        return fail("a number begins with 0");
      }
    } else if (!digits()) {
      return fail("a number has no digits");
    }
    if (peek() == '.') {
      ++at_;
      if (!digits()) {
        return fail("a number has no digits after its point");
      }
    }
    if ((peek() | 0x20) == 'e') {
      ++at_;
      at_ += peek() == '+' || peek() == '-' ? 1 : 0;
      if (!digits()) {
        return fail("a number has no digits in its exponent");
      }
    }
    return true;
  }

  bool digits() {
    const std::size_t start = at_;
    while (is_digit(peek())) {
      ++at_;
    }
    return at_ != start;
  }

  bool string() {
    const std::size_t start = at_++;
    while (at_ < text_.size()) {
      const char byte = text_[at_];
      if (byte == '"') {
        ++at_;
        return true;
      }
      if (static_cast<unsigned char>(byte) < 0x20) {
        return fail(byte == '\n'
                        ? "a string runs over the end of its line (its closing quote is missing)"
                        : "a control character stands in a string");
      }
      if (byte != '\\') {
        ++at_;
      } else if (!escape()) {
        return false;
      }
    }
    at_ = start;
    return fail("a string is not closed");
  }

  bool escape() {
    const std::size_t start = at_++;
    const char kind = peek();
    if (kind != 'u') {
      if (kind == '\0' || std::string_view("\"\\/bfnrt").find(kind) == std::string_view::npos) {
        at_ = start;
        return fail("an unknown escape stands in a string");
      }
      ++at_;
      return true;
    }
    ++at_;
    const int first = hex4();
    const bool high = first >= 0xD800 && first < 0xDC00;
    if (first < 0 || (first >= 0xDC00 && first < 0xE000)) {
      at_ = start;
      return fail(first < 0 ? "an escape \\u has no four hexadecimal digits"
                            : "half a surrogate pair");
    }
    if (high) {
      const bool pair = text_.substr(at_).starts_with("\\u");
      at_ += pair ? 2 : 0;
      const int second = pair ? hex4() : -1;
      if (second < 0xDC00 || second >= 0xE000) {
        at_ = start;
        return fail("half a surrogate pair");
      }
    }
    return true;
  }

  int hex4() {
    int code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const int digit = hex_value(peek());
      if (digit < 0) {
        return -1;
      }
      code = code * 16 + digit;
    }
    return code;
  }

  char peek() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip_space() noexcept {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
      ++at_;
    }
  }

  bool fail(const char* reason) {
    problem_at_ = at_;
    reason_ = reason;
    return false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<char> open_;  // the brackets that are open
  std::size_t problem_at_ = 0;
  std::string reason_;
};

}  // namespace

std::optional<JsonProblem> check_json(std::string_view text) {
  if (!is_utf8(text)) {
    std::size_t good = 0;
    std::size_t bad = text.size();
    // The longest well-formed prefix, by halving: prefixes that end inside a character count as
    // bad, which moves the answer by three bytes at most.
    while (bad - good > 1) {
      const std::size_t middle = good + (bad - good) / 2;
      (is_utf8(text.substr(0, middle)) ? good : bad) = middle;
    }
    return JsonProblem{good, "the text is not UTF-8"};
  }
  return Checker(text).run();
}

}  // namespace batchllm::json

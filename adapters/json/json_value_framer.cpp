// SPDX-License-Identifier: Apache-2.0
#include "adapters/json/json_framer.h"
#include "adapters/json/json_neighbours.h"
#include "adapters/json/json_scan.h"
#include "core/row_batch.h"

#include <algorithm>
#include <optional>
#include <string>

namespace batchllm::json {
namespace {

bool is_space(char byte) noexcept {
  return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

std::uint64_t newlines_in(std::string_view text) noexcept {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

// Follows brackets and strings from one value to the next: an array's elements, or values that
// follow one another. Between values it goes byte by byte, inside them by scan_brackets.
class ValueFramer final : public JsonFramer {
 public:
  ValueFramer(JsonWindow& window, std::size_t max_row_bytes, bool in_array, bool ignore_rest)
      : window_(window),
        max_row_bytes_(max_row_bytes),
        in_array_(in_array),
        ignore_rest_(ignore_rest) {}

  FrameResult next(JsonRecord& record) override {
    while (true) {
      switch (state_) {
        case State::between:
          if (const auto result = step_between(record)) {
            return *result;
          }
          break;
        case State::brackets:
          return end_of_brackets(record);
        case State::string:
        case State::scalar:
          return end_of_scalar(record);
        case State::lost:
          return find_neighbour(record);
        case State::behind:
          return step_behind(record);
        case State::done:
          return FrameResult::end;
      }
    }
  }

  void cut(JsonRecord& record) override {
    const auto boundary = neighbours_.find(record.text, 1);
    if (!boundary) {
      return;
    }
    window_.rewind(record.offset + *boundary);
    const std::string_view cut_off = record.text.substr(0, *boundary);
    line_ = record.line + newlines_in(cut_off);
    record.text = cut_off.substr(0, cut_off.find_last_not_of(", \t\r\n") + 1);
    record.length = record.text.size();
    state_ = State::between;
    expected_ = Expected::value;
  }

  void learn(const JsonRecord& record) override { neighbours_.learn(record.text, last_gap_); }

  void restart(std::uint64_t line) override {
    line_ = line;
    state_ = State::between;
    expected_ = Expected::first;
    gap_.clear();
    scanned_ = 0;
  }

 private:
  enum class State { between, brackets, string, scalar, lost, behind, done };
  enum class Expected { first, value, comma };

  void skip(std::size_t count) {
    line_ += newlines_in(window_.rest().substr(0, count));
    window_.consume(count);
  }

  // One byte that is not white space, between values. nullopt: go on.
  std::optional<FrameResult> step_between(JsonRecord& record) {
    const std::string_view rest = window_.rest();
    std::size_t at = 0;
    while (at < rest.size() && is_space(rest[at])) {
      ++at;
    }
    remember_gap(rest.substr(0, at));
    skip(at);
    if (at == rest.size()) {
      return window_.at_end() ? end_of_input(record) : FrameResult::need_more;
    }
    const char byte = rest[at];
    if (in_array_ && byte == ']') {
      return close_array(record);
    }
    if (in_array_ && byte == ',') {
      if (expected_ == Expected::comma) {
        remember_gap(",");
        window_.consume(1);
        expected_ = Expected::value;
        return std::nullopt;
      }
    }
    if (byte == ',' || byte == ']' || byte == '}') {
      return stray(record, byte);
    }
    begin_value(byte);
    return std::nullopt;
  }

  void begin_value(char byte) {
    missing_comma_ = in_array_ && expected_ == Expected::comma;
    start_line_ = line_;
    scanned_ = 0;
    scan_ = BracketScan{};
    escaped_ = false;
    if (byte == '{' || byte == '[') {
      state_ = State::brackets;
    } else if (byte == '"') {
      state_ = State::string;
      scanned_ = 1;
    } else {
      state_ = State::scalar;  // or something that is no value at all, which ends where one would
    }
  }

  FrameResult end_of_brackets(JsonRecord& record) {
    const std::string_view rest = window_.rest();
    const auto length = scan_brackets(rest.substr(scanned_), scan_);
    if (!length) {
      scanned_ = rest.size();
      if (scanned_ > max_row_bytes_) {
        return lost_now(
            record, "too_long", "the row is longer than a row may be (or it is not closed)");
      }
      return window_.at_end() ? lost_now(record, "not_json", "the object or array is not closed")
                              : FrameResult::need_more;
    }
    return emit(record, scanned_ + *length, scan_.newlines);
  }

  // A string, number or word that stands alone.
  FrameResult end_of_scalar(JsonRecord& record) {
    const std::string_view rest = window_.rest();
    for (; scanned_ < rest.size(); ++scanned_) {
      const char byte = rest[scanned_];
      if (state_ == State::scalar) {
        if (is_space(byte) || byte == ',' || byte == ']' || byte == '}') {
          return emit(record, scanned_, 0);
        }
      } else if (escaped_) {
        escaped_ = false;
      } else if (byte == '\\') {
        escaped_ = true;
      } else if (byte == '"') {
        return emit(record, scanned_ + 1, newlines_in(rest.substr(0, scanned_)));
      }
    }
    if (scanned_ > max_row_bytes_) {
      return lost_now(
          record, "too_long", "the row is longer than a row may be (or it is not closed)");
    }
    if (!window_.at_end()) {
      return FrameResult::need_more;
    }
    return state_ == State::scalar ? emit(record, rest.size(), 0)
                                   : lost_now(record, "not_json", "the string is not closed");
  }

  FrameResult emit(JsonRecord& record, std::size_t length, std::uint64_t newlines) {
    record = JsonRecord{};
    record.text = window_.rest().substr(0, length);
    record.offset = window_.offset();
    record.line = start_line_;
    record.length = length;
    if (length > max_row_bytes_) {
      record.problem = "too_long";
      record.message = "the row is longer than a row may be";
    } else if (missing_comma_) {
      record.problem = "not_json";
      record.message = "a comma is missing before this row";
    } else if (!in_array_ && state_ != State::brackets) {
      record.problem = "not_json";
      record.message = "a value that is no object stands between the rows";
    }
    window_.consume(length);
    line_ = start_line_ + newlines;
    finish_value();
    return FrameResult::record;
  }

  void finish_value() {
    state_ = State::between;
    expected_ = Expected::comma;
    scanned_ = 0;
    last_gap_.swap(gap_);
    gap_.clear();
  }

  // From here on nothing is sure until something looks like the next row.
  void lose(std::string_view problem, std::string_view message) {
    state_ = State::lost;
    lost_problem_ = problem;
    lost_message_ = message;
    lost_offset_ = window_.offset();
    lost_length_ = 0;
    beginning_.clear();
    scanned_ = 1;
  }

  FrameResult lost_now(JsonRecord& record, std::string_view problem, std::string_view message) {
    lose(problem, message);
    return find_neighbour(record);
  }

  FrameResult find_neighbour(JsonRecord& record) {
    const std::string_view rest = window_.rest();
    const auto boundary = neighbours_.find(rest, scanned_);
    if (!boundary && !window_.at_end()) {
      // What a boundary could still reach back to is looked at again.
      const std::size_t kept = std::min(rest.size(), Neighbours::k_reach);
      if (rest.size() > max_row_bytes_ || !beginning_.empty()) {
        forget(rest.size() - kept);
        scanned_ = 0;
      } else {
        scanned_ = std::max<std::size_t>(1, rest.size() - kept);
      }
      return FrameResult::need_more;
    }
    const std::size_t length = boundary.value_or(rest.size());
    record = JsonRecord{};
    if (beginning_.empty()) {
      record.text = rest.substr(0, length);
    } else {
      forget(0, rest.substr(0, length));
      record.text = beginning_;
    }
    record.offset = lost_offset_;
    record.line = start_line_;
    record.length = lost_length_ + length;
    record.problem = lost_problem_;
    record.message = lost_message_;
    skip(length);
    finish_value();
    expected_ = Expected::value;
    if (!boundary) {
      state_ = State::done;
    }
    return FrameResult::record;
  }

  // Drops `count` bytes of a lost record and keeps their beginning.
  void forget(std::size_t count, std::string_view last = {}) {
    const std::string_view dropped = last.empty() ? window_.rest().substr(0, count) : last;
    if (beginning_.size() < BadRow::k_bad_row_bytes) {
      beginning_ += dropped.substr(0, BadRow::k_bad_row_bytes - beginning_.size());
    }
    lost_length_ += count;
    skip(count);
  }

  // A bad record of commas or closing brackets that close nothing.
  FrameResult stray(JsonRecord& record, char byte) {
    const std::string_view rest = window_.rest();
    std::size_t length = 1;
    while (length < rest.size() && rest[length] == byte) {
      ++length;
    }
    return bad_here(record,
                    length,
                    byte == ',' ? "a comma stands where a row should be"
                                : "a closing bracket stands where a row should be");
  }

  FrameResult bad_here(JsonRecord& record, std::size_t length, std::string_view message) {
    record = JsonRecord{};
    record.text = window_.rest().substr(0, length);
    record.offset = window_.offset();
    record.line = line_;
    record.length = length;
    record.problem = "not_json";
    record.message = message;
    window_.consume(length);
    return FrameResult::record;
  }

  FrameResult close_array(JsonRecord& record) {
    const bool after_comma = expected_ == Expected::value;
    state_ = ignore_rest_ ? State::done : State::behind;
    if (after_comma) {
      return bad_here(record, 1, "the array ends with a comma: a row is missing behind it");
    }
    window_.consume(1);
    return state_ == State::done ? FrameResult::end : step_behind(record);
  }

  FrameResult end_of_input(JsonRecord& record) {
    state_ = State::done;
    if (!in_array_) {
      return FrameResult::end;
    }
    record = JsonRecord{};
    record.offset = window_.offset();
    record.line = line_;
    record.problem = "not_json";
    record.message = "the array is not closed: the file ends before its ]";
    return FrameResult::record;
  }

  // Behind the array that held the rows there is to be nothing.
  FrameResult step_behind(JsonRecord& record) {
    const std::string_view rest = window_.rest();
    std::size_t at = 0;
    while (at < rest.size() && is_space(rest[at])) {
      ++at;
    }
    skip(at);
    if (at == rest.size()) {
      return window_.at_end() ? FrameResult::end : FrameResult::need_more;
    }
    record = JsonRecord{};
    record.text = rest.substr(at);
    record.offset = window_.offset();
    record.line = line_;
    record.length = record.text.size();
    record.problem = "not_json";
    record.message = "something follows the end of the array";
    state_ = State::done;
    return FrameResult::record;
  }

  void remember_gap(std::string_view bytes) {
    if (gap_.size() < Neighbours::k_reach) {
      gap_ += bytes.substr(0, Neighbours::k_reach - gap_.size());
    }
  }

  JsonWindow& window_;
  const std::size_t max_row_bytes_;
  const bool in_array_;
  const bool ignore_rest_;
  Neighbours neighbours_;
  State state_ = State::between;
  Expected expected_ = Expected::first;
  std::uint64_t line_ = 1;
  std::uint64_t start_line_ = 1;  // of the value at hand
  std::size_t scanned_ = 0;       // bytes of the value at hand that were looked at
  BracketScan scan_;
  bool escaped_ = false;
  bool missing_comma_ = false;
  std::string gap_;       // between the last value and the one at hand
  std::string last_gap_;  // before the last value
  std::string_view lost_problem_;
  std::string_view lost_message_;
  std::uint64_t lost_offset_ = 0;
  std::uint64_t lost_length_ = 0;
  std::string beginning_;  // of a lost record whose bytes are gone
};

}  // namespace

std::unique_ptr<JsonFramer> make_value_framer(JsonWindow& window,
                                              std::size_t max_row_bytes,
                                              bool in_array,
                                              bool ignore_rest) {
  return std::make_unique<ValueFramer>(window, max_row_bytes, in_array, ignore_rest);
}

}  // namespace batchllm::json

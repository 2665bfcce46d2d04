// SPDX-License-Identifier: Apache-2.0
#include "adapters/json/json_framer.h"
#include "core/row_batch.h"
#include "core/text.h"

#include <cstring>
#include <string>

namespace batchllm::json {
namespace {

// Lines are cut before anything looks inside them: whatever a line holds, the next one is safe.
class LineFramer final : public JsonFramer {
 public:
  LineFramer(JsonWindow& window, std::size_t max_row_bytes)
      : window_(window),
        max_row_bytes_(max_row_bytes) {}

  FrameResult next(JsonRecord& record) override {
    while (true) {
      const std::string_view rest = window_.rest();
      const void* newline = rest.size() == scanned_
                                ? nullptr
                                : std::memchr(rest.data() + scanned_, '\n', rest.size() - scanned_);
      if (newline == nullptr && !window_.at_end()) {
        scanned_ = rest.size();
        discard_if_too_long(rest);
        return FrameResult::need_more;
      }
      const std::size_t length =
          newline == nullptr
              ? rest.size()
              : static_cast<std::size_t>(static_cast<const char*>(newline) - rest.data());
      if (newline == nullptr && rest.empty() && !discarding_) {
        return FrameResult::end;
      }
      const std::uint64_t offset = window_.offset();
      const std::uint64_t line = line_;
      window_.consume(length + (newline == nullptr ? 0 : 1));
      line_ += newline == nullptr ? 0 : 1;
      scanned_ = 0;
      if (finish_line(rest.substr(0, length), offset, line, record)) {
        return FrameResult::record;
      }
    }
  }

  void cut(JsonRecord& /*record*/) override {}

  void learn(const JsonRecord& /*record*/) override {}

  void restart(std::uint64_t line) override {
    line_ = line;
    scanned_ = 0;
    discarding_ = false;
  }

 private:
  // A line longer than a row may be is not kept: its beginning is enough to show it.
  void discard_if_too_long(std::string_view rest) {
    if (!discarding_ && rest.size() > max_row_bytes_) {
      discarding_ = true;
      discarded_ = 0;
      beginning_.assign(rest.substr(0, BadRow::k_bad_row_bytes));
      discarded_offset_ = window_.offset();
    }
    if (discarding_) {
      discarded_ += rest.size();
      window_.consume(rest.size());
      scanned_ = 0;
    }
  }

  // False for an empty line.
  bool finish_line(std::string_view text,
                   std::uint64_t offset,
                   std::uint64_t line,
                   JsonRecord& record) {
    record = JsonRecord{};
    record.line = line;
    if (discarding_) {
      discarding_ = false;
      record.text = beginning_;
      record.offset = discarded_offset_;
      record.length = discarded_ + text.size();
      mark_too_long(record);
      return true;
    }
    const std::string_view trimmed = trim(text);
    if (trimmed.empty()) {
      return false;
    }
    record.text = trimmed;
    record.offset = offset + static_cast<std::size_t>(trimmed.data() - text.data());
    record.length = trimmed.size();
    if (trimmed.size() > max_row_bytes_) {
      mark_too_long(record);
    }
    return true;
  }

  static void mark_too_long(JsonRecord& record) {
    record.problem = "too_long";
    record.message = "the line is longer than a row may be";
  }

  JsonWindow& window_;
  std::size_t max_row_bytes_;
  std::uint64_t line_ = 1;
  std::size_t scanned_ = 0;  // bytes of the window's rest that hold no newline
  bool discarding_ = false;
  std::uint64_t discarded_ = 0;
  std::uint64_t discarded_offset_ = 0;
  std::string beginning_;
};

}  // namespace

std::unique_ptr<JsonFramer> make_line_framer(JsonWindow& window, std::size_t max_row_bytes) {
  return std::make_unique<LineFramer>(window, max_row_bytes);
}

}  // namespace batchllm::json

// SPDX-License-Identifier: Apache-2.0
#include "adapters/json/json_line_framer.h"

#include "core/row_batch.h"
#include "core/text.h"

#include <cstring>

namespace batchllm::json {
namespace {

void mark_too_long(JsonRecord& record) {
  record.problem = "too_long";
  record.message = "the line is longer than a row may be";
}

}  // namespace

FrameResult LineFramer::next(JsonRecord& record) {
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

void LineFramer::cut(JsonRecord& /*record*/) {}

void LineFramer::learn(const JsonRecord& /*record*/) {}

void LineFramer::restart(std::uint64_t line) {
  line_ = line;
  scanned_ = 0;
  discarding_ = false;
}

std::string_view LineFramer::whole_lines(std::size_t most) const noexcept {
  if (discarding_) {
    return {};
  }
  const std::string_view rest = window_.rest().substr(0, most);
  const auto newline = rest.rfind('\n');
  return rest.substr(0, newline == std::string_view::npos ? 0 : newline + 1);
}

void LineFramer::go_on_at(std::uint64_t offset, std::uint64_t line) noexcept {
  window_.consume(static_cast<std::size_t>(offset - window_.offset()));
  line_ = line;
  scanned_ = 0;
}

// A line longer than a row may be is not kept: its beginning is enough to show it.
void LineFramer::discard_if_too_long(std::string_view rest) {
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
bool LineFramer::finish_line(std::string_view text,
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

}  // namespace batchllm::json

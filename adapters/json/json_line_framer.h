// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/json/json_framer.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace batchllm::json {

// Lines are cut before anything looks inside them: whatever a line holds, the next one is safe.
class LineFramer final : public JsonFramer {
 public:
  // `window` must outlive the framer.
  LineFramer(JsonWindow& window, std::size_t max_row_bytes)
      : window_(window),
        max_row_bytes_(max_row_bytes) {}

  FrameResult next(JsonRecord& record) override;
  void cut(JsonRecord& record) override;
  void learn(const JsonRecord& record) override;
  void restart(std::uint64_t line) override;

  // The lines that are in the window from their first byte to their newline, up to `most` bytes of
  // them; empty when the first one is not. Consumes nothing.
  std::string_view whole_lines(std::size_t most) const noexcept;

  // Number of the line that comes next.
  std::uint64_t line() const noexcept { return line_; }

  // Consumes up to `offset`, where line number `line` begins: what is passed was read by the
  // caller.
  void go_on_at(std::uint64_t offset, std::uint64_t line) noexcept;

 private:
  void discard_if_too_long(std::string_view rest);
  bool finish_line(std::string_view text,
                   std::uint64_t offset,
                   std::uint64_t line,
                   JsonRecord& record);

  JsonWindow& window_;
  std::size_t max_row_bytes_;
  std::uint64_t line_ = 1;
  std::size_t scanned_ = 0;  // bytes of the window's rest that hold no newline
  bool discarding_ = false;
  std::uint64_t discarded_ = 0;
  std::uint64_t discarded_offset_ = 0;
  std::string beginning_;
};

}  // namespace batchllm::json

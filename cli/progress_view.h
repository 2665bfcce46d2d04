// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/ui.h"
#include "core/progress.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm {

// What the view needs of the terminal; a test gives its own.
struct ProgressOutput {
  std::function<void(std::string_view bytes)> write;
  std::function<int()> width;  // columns; asked at every redraw, so that resizing needs no signal
  bool utf8 = false;
};

// Standard error.
ProgressOutput standard_error_output(const Terminal& terminal);

// Shows how far a job is: one redrawn line, a plain line every 10 % or 30 s, or NDJSON. Called as
// often as one likes; it decides by `now` whether to print. It looks at no clock and never sleeps.
//
// Thread rule: every function from any thread.
class ProgressView {
 public:
  using Time = std::chrono::steady_clock::time_point;

  ProgressView(ProgressMode mode, ProgressOutput output);

  void show(const ProgressSnapshot& snapshot, Time now);

  // The last state, once; what was printed already is not printed again. Leaves the cursor on an
  // empty line.
  void finish(const ProgressSnapshot& snapshot);

  // Prints lines (each ends in a line break) above the bar.
  void message(std::string_view lines);

 private:
  void show_bar(const ProgressSnapshot& snapshot, Time now);
  void show_plain(const ProgressSnapshot& snapshot, Time now);
  void show_json(const ProgressSnapshot& snapshot, Time now);
  void draw();
  std::string erase() const;

  const ProgressMode mode_;
  const ProgressOutput output_;
  std::mutex mutex_;
  std::optional<Time> printed_at_;
  std::optional<std::uint64_t> printed_tenth_;
  std::optional<std::string> printed_;  // the last line, to print nothing twice
  ProgressSnapshot latest_;
  std::size_t drawn_columns_ = 0;  // of the line on the screen; 0: there is none
  bool finished_ = false;
};

// The lines themselves. `columns` is the width that must not be exceeded.
std::string progress_bar_line(const ProgressSnapshot& snapshot, std::size_t columns, bool utf8);
std::string progress_plain_line(const ProgressSnapshot& snapshot);
std::string progress_json_line(const ProgressSnapshot& snapshot);

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "cli/progress_view.h"

#include "cli/terminal.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

namespace batchllm {
namespace {

using namespace std::chrono_literals;

constexpr auto k_redraw_interval = 100ms;
constexpr auto k_json_interval = 1s;
constexpr auto k_plain_interval = 30s;
constexpr std::size_t k_widest_bar = 24;
constexpr std::size_t k_narrowest_bar = 6;
constexpr double k_micro = 1e6;

// 0 to 1; nullopt while the number of rows is not known. Reaches 1 only when all rows are done.
std::optional<double> share_done(const ProgressSnapshot& snapshot) {
  if (!snapshot.total) {
    return std::nullopt;
  }
  if (*snapshot.total == 0) {
    return 1;
  }
  const double share = static_cast<double>(snapshot.done) / static_cast<double>(*snapshot.total);
  constexpr double k_almost = 0.99;
  return snapshot.total_is_exact ? std::min(share, 1.0) : std::min(share, k_almost);
}

std::optional<double> seconds_left(const ProgressSnapshot& snapshot) {
  if (!snapshot.total || snapshot.rows_per_s <= 0) {
    return std::nullopt;
  }
  const std::uint64_t left = *snapshot.total > snapshot.done ? *snapshot.total - snapshot.done : 0;
  return static_cast<double>(left) / snapshot.rows_per_s;
}

std::string total_text(const ProgressSnapshot& snapshot) {
  return snapshot.total_is_exact ? fmt::format("{}", *snapshot.total)
                                 : fmt::format("~{}", *snapshot.total);
}

std::string rate_text(double rows_per_s) {
  constexpr double k_slow = 10;
  return rows_per_s > 0 && rows_per_s < k_slow ? fmt::format("{:.1f}", rows_per_s)
                                               : fmt::format("{:.0f}", rows_per_s);
}

int percent_of(double share) {
  constexpr double k_percent = 100;
  return static_cast<int>(std::floor(share * k_percent));
}

// The parts of the bar's line, the dispensable ones last.
std::vector<std::string> parts(const ProgressSnapshot& snapshot) {
  std::vector<std::string> found;
  const auto share = share_done(snapshot);
  found.push_back(
      share ? fmt::format("{:3}% {}/{}", percent_of(*share), snapshot.done, total_text(snapshot))
            : count_noun(snapshot.done, "row"));
  if (snapshot.paused_ms > 0) {
    constexpr double k_milli = 1000;
    found.push_back(fmt::format("waiting {}",
                                duration_text(static_cast<double>(snapshot.paused_ms) / k_milli)));
  } else {
    found.push_back(fmt::format("{} rows/s", rate_text(snapshot.rows_per_s)));
  }
  found.push_back(fmt::format("ok {}", snapshot.ok));
  found.push_back(fmt::format("failed {}", snapshot.failed));
  if (snapshot.cost_is_known) {
    found.push_back(usd_text(snapshot.cost_micro_usd));
  }
  if (const auto left = seconds_left(snapshot); left) {
    found.push_back(fmt::format("eta {}", duration_text(*left)));
  }
  if (snapshot.waiting_for_retry > 0) {
    found.push_back(fmt::format("retrying {}", snapshot.waiting_for_retry));
  }
  return found;
}

std::string bar_text(double share, std::size_t cells, bool utf8) {
  const auto full = static_cast<std::size_t>(share * static_cast<double>(cells));
  std::string out = "[";
  for (std::size_t cell = 0; cell < cells; ++cell) {
    if (cell < full) {
      out += utf8 ? "█" : "#";
    } else {
      out += utf8 ? "░" : ".";
    }
  }
  return out + "] ";
}

}  // namespace

std::string progress_bar_line(const ProgressSnapshot& snapshot, std::size_t columns, bool utf8) {
  std::vector<std::string> shown = parts(snapshot);
  const auto text_of = [&shown] { return fmt::format("{}", fmt::join(shown, "  ")); };
  std::string text = text_of();
  const auto share = share_done(snapshot);
  const std::size_t around = 3;  // "[", "]" and the blank
  const auto fits = [&](std::size_t cells) { return text.size() + around + cells <= columns; };
  if (share && fits(k_narrowest_bar)) {
    const std::size_t cells = std::min(k_widest_bar, columns - text.size() - around);
    return bar_text(*share, cells, utf8) + text;
  }
  while (text.size() > columns && shown.size() > 1) {
    shown.pop_back();
    text = text_of();
  }
  return text.substr(0, columns);
}

std::string progress_plain_line(const ProgressSnapshot& snapshot) {
  const auto share = share_done(snapshot);
  std::string out = "progress: ";
  out += share ? fmt::format("{}% ({}/{})", percent_of(*share), snapshot.done, total_text(snapshot))
               : fmt::format("rows={}", snapshot.done);
  out += fmt::format(" ok={} failed={}", snapshot.ok, snapshot.failed);
  if (snapshot.skipped > 0) {
    out += fmt::format(" skipped={}", snapshot.skipped);
  }
  out += fmt::format(" rate={}/s", rate_text(snapshot.rows_per_s));
  if (snapshot.cost_is_known) {
    out += fmt::format(" cost={}", usd_text(snapshot.cost_micro_usd));
  }
  out += fmt::format(" elapsed={}", duration_text(snapshot.elapsed_s));
  if (const auto left = seconds_left(snapshot); left) {
    out += fmt::format(" eta={}", duration_text(*left));
  }
  return out + "\n";
}

std::string progress_json_line(const ProgressSnapshot& snapshot) {
  constexpr int k_cost_digits = 6;
  JsonWriter json;
  json.begin_object().key("type").string("progress");
  json.key("done").number(snapshot.done).key("total");
  snapshot.total ? json.number(*snapshot.total) : json.null();
  json.key("total_is_exact").boolean(snapshot.total_is_exact);
  json.key("ok").number(snapshot.ok).key("failed").number(snapshot.failed);
  json.key("skipped").number(snapshot.skipped);
  json.key("already_done").number(snapshot.already_done);
  json.key("in_flight").number(snapshot.in_flight);
  json.key("waiting_for_retry").number(snapshot.waiting_for_retry);
  json.key("cost_usd");
  snapshot.cost_is_known
      ? json.decimal(static_cast<double>(snapshot.cost_micro_usd) / k_micro, k_cost_digits)
      : json.null();
  json.key("input_tokens").number(snapshot.input_tokens);
  json.key("output_tokens").number(snapshot.output_tokens);
  json.key("rate").decimal(snapshot.rows_per_s, 1);
  json.key("elapsed_s").decimal(snapshot.elapsed_s, 1).key("eta_s");
  const auto left = seconds_left(snapshot);
  left ? json.decimal(*left, 0) : json.null();
  json.end_object();
  return json.text() + "\n";
}

ProgressOutput standard_error_output(const Terminal& terminal) {
  return {&write_error_stream, &terminal_width, terminal.utf8};
}

ProgressView::ProgressView(ProgressMode mode, ProgressOutput output)
    : mode_(mode),
      output_(std::move(output)) {}

void ProgressView::show(const ProgressSnapshot& snapshot, Time now) {
  const std::lock_guard lock(mutex_);
  if (finished_) {
    return;
  }
  switch (mode_) {
    case ProgressMode::none:
      return;
    case ProgressMode::bar:
      show_bar(snapshot, now);
      return;
    case ProgressMode::plain:
      show_plain(snapshot, now);
      return;
    case ProgressMode::json:
      show_json(snapshot, now);
      return;
  }
}

void ProgressView::finish(const ProgressSnapshot& snapshot) {
  const std::lock_guard lock(mutex_);
  if (finished_) {
    return;
  }
  finished_ = true;
  latest_ = snapshot;
  std::string line;
  if (mode_ == ProgressMode::bar) {
    draw();
    output_.write("\n");
    drawn_columns_ = 0;
  } else if (mode_ == ProgressMode::plain) {
    line = progress_plain_line(snapshot);
  } else if (mode_ == ProgressMode::json) {
    line = progress_json_line(snapshot);
  }
  if (!line.empty() && printed_ != line) {
    output_.write(line);
  }
}

void ProgressView::message(std::string_view lines) {
  const std::lock_guard lock(mutex_);
  const bool redraw = drawn_columns_ > 0;
  output_.write(erase() + std::string(lines));
  drawn_columns_ = 0;
  if (redraw) {
    draw();
  }
}

void ProgressView::show_bar(const ProgressSnapshot& snapshot, Time now) {
  latest_ = snapshot;
  if (printed_at_ && now - *printed_at_ < k_redraw_interval) {
    return;
  }
  printed_at_ = now;
  draw();
}

void ProgressView::show_plain(const ProgressSnapshot& snapshot, Time now) {
  const auto share = share_done(snapshot);
  constexpr double k_tenths = 10;
  const auto tenth = static_cast<std::uint64_t>(share.value_or(0) * k_tenths);
  if (!printed_at_) {  // where the count begins: nothing to tell yet, or what an earlier run did
    printed_at_ = now;
    printed_tenth_ = tenth;
    return;
  }
  if (tenth <= *printed_tenth_ && now - *printed_at_ < k_plain_interval) {
    return;
  }
  if (snapshot.total_is_exact && share >= 1) {  // finish() says it, with the final figures
    return;
  }
  printed_at_ = now;
  printed_tenth_ = std::max(tenth, *printed_tenth_);
  printed_ = progress_plain_line(snapshot);
  output_.write(*printed_);
}

void ProgressView::show_json(const ProgressSnapshot& snapshot, Time now) {
  if (printed_at_ && now - *printed_at_ < k_json_interval) {
    return;
  }
  printed_at_ = now;
  printed_ = progress_json_line(snapshot);
  output_.write(*printed_);
}

// The last column stays free: terminals differ in what a full line does to the cursor.
void ProgressView::draw() {
  const int width = output_.width();
  const auto columns = static_cast<std::size_t>(std::max(width - 1, 1));
  const std::string line = progress_bar_line(latest_, columns, output_.utf8);
  output_.write(erase() + line);
  drawn_columns_ = character_count(line);
}

// Takes the line off the screen; when the terminal became narrower it now covers several rows.
std::string ProgressView::erase() const {
  if (drawn_columns_ == 0) {
    return {};
  }
  const int width = std::max(output_.width(), 1);
  const std::size_t rows_above = (drawn_columns_ - 1) / static_cast<std::size_t>(width);
  return rows_above == 0 ? "\r\x1b[K" : fmt::format("\r\x1b[{}A\x1b[J", rows_above);
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "cli/progress_view.h"

#include "core/json_text.h"
#include "core/text.h"
#include "tests/support/catch.h"

using namespace batchllm;
using namespace std::chrono_literals;

namespace {

ProgressSnapshot at(std::uint64_t done, std::uint64_t total = 20'000) {
  ProgressSnapshot snapshot;
  snapshot.done = done;
  snapshot.ok = done - done / 100;
  snapshot.failed = done / 100;
  snapshot.total = total;
  snapshot.total_is_exact = true;
  snapshot.cost_is_known = true;
  snapshot.cost_micro_usd = 312'100;
  snapshot.elapsed_s = 35;
  snapshot.rows_per_s = 171;
  return snapshot;
}

struct Screen {
  std::string written;
  int width = 100;

  ProgressOutput output(bool utf8 = false) {
    return {[this](std::string_view bytes) { written += bytes; }, [this] { return width; }, utf8};
  }
};

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

constexpr ProgressView::Time k_start{};

}  // namespace

TEST_CASE("the bar's line tells rows, speed, failures, cost and time left", "[progress]") {
  CHECK(progress_bar_line(at(6000), 100, false) ==
        "[#######.................]  30% 6000/20000  171 rows/s  ok 5940  failed 60  $0.3121  "
        "eta 1m22s");
  CHECK_THAT(progress_bar_line(at(6000), 100, true), ContainsSubstring("[███████░░"));
}

TEST_CASE("the bar's line never exceeds the terminal", "[progress]") {
  for (std::size_t columns = 1; columns < 120; ++columns) {
    CAPTURE(columns);
    CHECK(character_count(progress_bar_line(at(6000), columns, true)) <= columns);
  }
  CHECK(progress_bar_line(at(6000), 30, false) == " 30% 6000/20000  171 rows/s");
}

TEST_CASE("an unknown or estimated number of rows is not shown as exact", "[progress]") {
  ProgressSnapshot snapshot = at(6000);
  snapshot.total_is_exact = false;
  CHECK_THAT(progress_bar_line(snapshot, 100, false), ContainsSubstring("6000/~20000"));
  snapshot.total = 5000;  // the estimate was too low
  CHECK_THAT(progress_bar_line(snapshot, 100, false), ContainsSubstring(" 99% "));
  snapshot.total.reset();
  CHECK_THAT(progress_bar_line(snapshot, 100, false), ContainsSubstring("6,000 rows  171 rows/s"));
}

TEST_CASE("a plain line comes every tenth of the rows and the last one once", "[progress]") {
  Screen screen;
  ProgressView view(ProgressMode::plain, screen.output());
  for (std::uint64_t done = 0; done <= 1000; ++done) {
    view.show(at(done, 1000), k_start + std::chrono::milliseconds(done));
  }
  view.finish(at(1000, 1000));
  view.finish(at(1000, 1000));
  CHECK(lines_in(screen.written) == 10);
  CHECK(screen.written.find("100%") == screen.written.rfind("100%"));
  CHECK_THAT(screen.written,
             ContainsSubstring("progress: 30% (300/1000) ok=297 failed=3 rate=171/s cost=$0.3121 "
                               "elapsed=35s eta=4.1s\n"));
}

TEST_CASE("a slow run gives a plain line every thirty seconds", "[progress]") {
  Screen screen;
  ProgressView view(ProgressMode::plain, screen.output());
  for (int second = 0; second <= 90; ++second) {
    view.show(at(100), k_start + std::chrono::seconds(second));
  }
  CHECK(lines_in(screen.written) == 3);
}

TEST_CASE("a resumed run does not report the tenths of the run before", "[progress]") {
  Screen screen;
  ProgressView view(ProgressMode::plain, screen.output());
  view.show(at(450, 1000), k_start);
  view.show(at(460, 1000), k_start + 1s);
  CHECK(screen.written.empty());
  view.show(at(500, 1000), k_start + 2s);
  CHECK(lines_in(screen.written) == 1);
}

TEST_CASE("the bar is redrawn ten times a second at most and ends on its own line", "[progress]") {
  Screen screen;
  ProgressView view(ProgressMode::bar, screen.output());
  view.show(at(1), k_start);
  const auto once = screen.written.size();
  view.show(at(2), k_start + 50ms);
  CHECK(screen.written.size() == once);
  view.show(at(3), k_start + 150ms);
  CHECK_THAT(screen.written, ContainsSubstring("\r\x1b[K"));
  view.finish(at(20'000));
  CHECK(lines_in(screen.written) == 1);
  CHECK(screen.written.back() == '\n');
  view.show(at(20'000), k_start + 10s);
  CHECK(screen.written.back() == '\n');
}

TEST_CASE("a bar that wrapped because the terminal shrank is taken off whole", "[progress]") {
  Screen screen;
  ProgressView view(ProgressMode::bar, screen.output());
  view.show(at(6000), k_start);  // 96 columns wide
  screen.width = 40;
  screen.written.clear();
  view.show(at(6001), k_start + 1s);
  CHECK(screen.written.rfind("\r\x1b[2A\x1b[J", 0) == 0);
}

TEST_CASE("a message stands above the bar", "[progress]") {
  Screen screen;
  ProgressView view(ProgressMode::bar, screen.output());
  view.message("before\n");
  CHECK(screen.written == "before\n");
  view.show(at(6000), k_start);
  screen.written.clear();
  view.message("warning: slow\n");
  CHECK(screen.written.rfind("\r\x1b[Kwarning: slow\n[", 0) == 0);
}

TEST_CASE("progress for scripts is one object a second and a last one", "[progress]") {
  Screen screen;
  ProgressView view(ProgressMode::json, screen.output());
  for (int tenth = 0; tenth < 25; ++tenth) {
    view.show(at(100), k_start + 100ms * tenth);
  }
  view.finish(at(200));
  CHECK(lines_in(screen.written) == 4);
  for (const std::string& line : split(screen.written, '\n')) {
    CHECK((line.empty() || is_json(line)));
  }
  CHECK_THAT(screen.written, ContainsSubstring(R"({"type":"progress","done":100,"total":20000,)"));
}

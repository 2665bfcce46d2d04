// SPDX-License-Identifier: Apache-2.0
// The promise itself: whatever moment a run is killed at, what was answered is kept, nothing but
// the rows in flight is asked twice, and the result is that of an unbroken run.
#include "tests/support/catch.h"
#include "tests/support/job.h"

#include <csignal>
#include <cstdlib>
#include <random>

using namespace batchllm::test;

namespace {

constexpr std::size_t k_concurrency = 16;

bool is_long_test() {
  const char* wanted = std::getenv("BATCHLLM_LONG_TESTS");
  return wanted != nullptr && std::string(wanted) == "1";
}

// How a run may be begun; its result must not depend on its being killed.
struct Shape {
  std::string name;
  std::string input;  // name of the file; "-" for standard input
  std::string output;
  Words options = {};
  std::size_t kills = 3;
  bool keeps_order = true;
};

// A job that is killed again and again until it is done.
class KilledJob {
 public:
  KilledJob(const Shape& shape, std::size_t rows, unsigned seed)
      : shape_(shape),
        random_(seed),
        simulator_(BATCHLLM_PROGRAM, {"--latency", "uniform:2ms,30ms"}) {
    if (shape.input == "rows.jsonl") {
      std::string lines;
      for (std::size_t i = 1; i <= rows; ++i) {
        lines += "{\"id\":" + std::to_string(i) + ",\"text\":\"row " + std::to_string(i) + "\"}\n";
      }
      text_ = lines;
    } else {
      text_ = csv_of_rows(rows);
    }
    if (shape.input != "-") {
      workspace_.write(shape.input, text_);
    }
  }

  // Kills `shape.kills` runs at moments of their own, then lets one finish.
  ProcessResult run_to_the_end() {
    for (std::size_t kill = 0; kill < shape_.kills; ++kill) {
      CAPTURE(shape_.name, kill);
      kill_one_run(kill);
    }
    return Process(next_command(shape_.kills)).wait();
  }

  // No row was asked oftener than its kills explain, and none was left out.
  void check_calls() {
    simulator_.stop();
    const auto calls = simulator_.calls_by_message();
    for (const auto& [message, count] : calls) {
      const auto doubts = doubts_.find(message);
      CAPTURE(shape_.name, message);
      CHECK(count <= 1 + (doubts == doubts_.end() ? 0 : doubts->second));
    }
    CHECK(calls.size() == answered_rows());
  }

  std::string result() const { return workspace_.read(shape_.output); }

  std::size_t answered_rows() const { return std::stoul(workspace_.about_job(".job.rows.ok")); }

  Workspace& workspace() { return workspace_; }

 private:
  ProcessOptions next_command(std::size_t turn) {
    Words words = {"resume", workspace_.job()};
    const bool same_command = turn % 2 == 0 && shape_.input != "-";
    if (workspace_.job().empty() || same_command) {
      Words more = {shape_.input, "-o", shape_.output, "-c", std::to_string(k_concurrency)};
      more.insert(more.end(), shape_.options.begin(), shape_.options.end());
      words = workspace_.run_words(simulator_, more);
    }
    auto options = workspace_.command(words);
    if (shape_.input == "-" && turn == 0) {
      options.input = text_;
    }
    return options;
  }

  void kill_one_run(std::size_t turn) {
    Process process(next_command(turn));
    wait_for_the_moment(process, turn);
    process.send_signal(SIGKILL);
    const auto result = process.wait();
    REQUIRE(result.exit_code == 128 + SIGKILL);
    if (turn != 0 && turn % 2 == 0 && shape_.input != "-") {
      says_that_it_goes_on_ += result.error_text.find("Going on with job_") != std::string::npos;
      CHECK(says_that_it_goes_on_ > 0);
    }
    const auto doubts = workspace_.rows_in_doubt();
    CHECK(doubts.size() <= k_concurrency);
    CHECK(workspace_.about_job(".job.rows.in_doubt") == std::to_string(doubts.size()));
    for (const std::size_t row : doubts) {
      ++doubts_[message_of(row)];
    }
  }

  // Some way into the run: by the requests that the server saw, or by the growth of the ledger.
  void wait_for_the_moment(Process& process, std::size_t turn) {
    const bool by_ledger = turn % 3 == 2;
    const auto progress = [&]() -> std::uintmax_t {
      process.exchange();
      return by_ledger ? ledger_bytes() : simulator_.call_count();
    };
    auto more = std::uniform_int_distribution<std::uintmax_t>(1, by_ledger ? 6000 : 40);
    const auto target = progress() + more(random_);
    REQUIRE(eventually([&] { return progress() >= target || !process.is_running(); }));
    REQUIRE(process.is_running());
  }

  std::uintmax_t ledger_bytes() const {
    std::error_code none;
    const auto bytes = std::filesystem::file_size(workspace_.ledger_path(), none);
    return none ? 0 : bytes;
  }

  std::string message_of(std::size_t row) const {
    const std::string number = std::to_string(row);
    return "Say: row " + number + (shape_.input == "rows.jsonl" ? "" : ", as \"said\"");
  }

  const Shape& shape_;
  std::mt19937 random_;
  SimulatorProcess simulator_;
  Workspace workspace_{BATCHLLM_PROGRAM};
  std::string text_;
  std::map<std::string, std::size_t> doubts_;  // by message: how many kills left it in doubt
  int says_that_it_goes_on_ = 0;
};

// The result of the same run when nothing happens to it.
std::string unbroken_result(const Shape& shape, std::size_t rows) {
  Shape calm = shape;
  calm.kills = 0;
  KilledJob job(calm, rows, 0);
  REQUIRE(job.run_to_the_end().exit_code == 0);
  return job.result();
}

void check_shape(const Shape& shape, std::size_t rows, unsigned seed) {
  CAPTURE(shape.name, seed);
  KilledJob job(shape, rows, seed);
  const auto last = job.run_to_the_end();
  CHECK(last.exit_code == 0);
  CAPTURE(last.error_text);
  job.check_calls();
  const std::string expected = unbroken_result(shape, rows);
  if (shape.keeps_order) {
    CHECK(job.result() == expected);
  } else {
    CHECK(sorted_lines(job.result()) == sorted_lines(expected));
  }
}

}  // namespace

TEST_CASE("a run that is killed again and again ends with the result of an unbroken one",
          "[e2e][resume]") {
  const std::size_t kills = is_long_test() ? 60 : 12;
  check_shape({"csv", "rows.csv", "out.csv", {}, kills}, 40 * kills + 200, std::random_device{}());
}

TEST_CASE("every kind of input and output survives kills", "[e2e][resume]") {
  const auto shape = GENERATE(values<Shape>({
      {"json lines", "rows.jsonl", "out.jsonl"},
      {"standard input", "-", "out.csv"},
      {"compressed", "rows.csv", "out.csv.gz"},
      {"an array", "rows.csv", "out.json"},
      {"completion order", "rows.csv", "out.csv", {"--order", "completion"}, 3, false},
      {"where and limit", "rows.csv", "out.csv", {"--where", "id >= 20", "--limit", "200"}},
      {"sample", "rows.csv", "out.csv", {"--sample", "200", "--seed", "7"}},
  }));
  check_shape(shape, 400, std::random_device{}());
}

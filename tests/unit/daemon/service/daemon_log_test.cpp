// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/daemon_log.h"

#include "core/error.h"
#include "core/json_text.h"
#include "core/text.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <sys/stat.h>

using namespace batchllm;
using namespace batchllm::daemon;

namespace {

// What is logged while an object of this kind lives.
class LogFile {
 public:
  explicit LogFile(LogSettings settings) {
    settings.file = folder_.path("batchllmd.log");
    start_log(settings);
  }

  ~LogFile() { start_log({}); }

  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
  LogFile(LogFile&&) = delete;
  LogFile& operator=(LogFile&&) = delete;

  std::string text() const { return folder_.read("batchllmd.log"); }

  const ScratchFolder& folder() const { return folder_; }

 private:
  ScratchFolder folder_;
};

}  // namespace

TEST_CASE("a line for people has a time, a level, the message and its fields", "[log]") {
  const LogFile log({});
  write_log(LogLevel::warning, "the job\nwaits\x1b[2J", {{"job", "job_1"}, {"rows", "7"}});
  const std::string text = log.text();
  CAPTURE(text);
  REQUIRE(text.size() > 25);
  CHECK(text.substr(4, 1) == "-");
  CHECK(text.substr(10, 1) == "T");
  CHECK(text.substr(23, 1) == "Z");
  CHECK(text.substr(25) == "warning the job waits [2J job=job_1 rows=7\n");
}

TEST_CASE("a line for the journal begins with its priority", "[log]") {
  const LogFile log({LogLevel::debug, LogFormat::journal});
  log_debug("a");
  log_info("{}", 2);
  log_warning("c");
  log_error("d");
  CHECK(log.text() == "<7>a\n<6>2\n<4>c\n<3>d\n");
}

TEST_CASE("a JSON line is one object with the fields as members", "[log]") {
  const LogFile log({LogLevel::info, LogFormat::json});
  write_log(LogLevel::error, "said \"no\"\n%v \xff", {{"job", "job_1"}});
  const std::string text = log.text();
  CAPTURE(text);
  REQUIRE(is_json(text));
  CHECK(find_in_json(text, ".level")->text == "error");
  CHECK(find_in_json(text, ".message")->text == "said \"no\" %v ?");
  CHECK(find_in_json(text, ".job")->text == "job_1");
  CHECK(find_in_json(text, ".time")->text.ends_with("Z"));
}

TEST_CASE("lines below the level are left out, also after it was changed", "[log]") {
  const LogFile log({LogLevel::warning, LogFormat::journal});
  log_info("one");
  set_log_level(LogLevel::info);
  log_info("two");
  log_debug("three");
  CHECK(log.text() == "<6>two\n");
}

TEST_CASE("what looks like a key does not reach the log", "[log]") {
  const auto format = GENERATE(LogFormat::text, LogFormat::json);
  const LogFile log({LogLevel::info, format});
  const std::string key = "sk-abcdefghijklmnop1234";
  write_log(LogLevel::info, "refused " + key, {{"header", "Bearer " + key}});
  CHECK(log.text().find("abcdefgh") == std::string::npos);
  CHECK_THAT(log.text(), ContainsSubstring("refused sk-***"));
}

TEST_CASE("a full log file is put aside, and every one is for its owner only", "[log]") {
  LogSettings settings;
  settings.file_bytes = 4096;
  const LogFile log(settings);
  for (int i = 0; i < 1000; ++i) {
    log_info("line {}", i);
  }
  for (const auto* name : {"batchllmd.log", "batchllmd.1.log", "batchllmd.3.log"}) {
    struct stat found {};

    CAPTURE(name);
    REQUIRE(stat(log.folder().path(name).c_str(), &found) == 0);
    CHECK((found.st_mode & 0777U) == 0600U);
    CHECK(found.st_size <= 4096);
  }
  CHECK_THAT(log.text(), ContainsSubstring("line 999\n"));

  struct stat fourth {};

  CHECK(stat(log.folder().path("batchllmd.4.log").c_str(), &fourth) != 0);
}

TEST_CASE("a log file that cannot be opened is an error with its name", "[log]") {
  const auto error = thrown_error([] {
    LogSettings settings;
    settings.file = "/proc/none/batchllmd.log";
    start_log(settings);
  });
  REQUIRE(error);
  CHECK(error->exit_code() == 11);
  CHECK_THAT(error->message(), ContainsSubstring("/proc/none/batchllmd.log"));
}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm::test {

// How a child process is to be run. Nothing is inherited but the descriptors 0 to 2.
struct ProcessOptions {
  std::vector<std::string> argv = {};                   // argv[0] is the program, looked up in PATH
  std::map<std::string, std::string> environment = {};  // added to a small base: PATH, HOME, LC_ALL
  std::string folder = {};                              // working directory; empty: the test's own
  std::string input = {};  // written to its standard input, then closed
  bool terminal = false;   // standard output and error are one pseudo terminal (in `error_text`)
  bool terminal_input = false;                     // standard input is the terminal too
  unsigned short columns = 80;                     // width of that terminal
  std::optional<unsigned long> largest_file = {};  // bytes: RLIMIT_FSIZE of the child
};

struct ProcessResult {
  int exit_code = -1;  // 128 + signal when a signal ended it
  std::string output_text;
  std::string error_text;
  long peak_memory_kib = 0;  // largest resident set
};

// A running child. The destructor kills and reaps it. Not thread-safe.
class Process {
 public:
  explicit Process(const ProcessOptions& options);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  Process(Process&&) = delete;
  Process& operator=(Process&&) = delete;

  pid_t id() const noexcept { return id_; }

  void send_signal(int number) const;

  // False once it has ended (wait() tells how). Does not read its output.
  bool is_running() const;

  // Types on the terminal, or writes to standard input when `input` was empty and not yet closed.
  void type(std::string_view text) const;

  // Moves what can be moved at once of its input and output; never waits.
  void exchange();

  // Reads until standard output holds `text`, or the process's output ends. False at the end.
  bool wait_for_output(std::string_view text);
  bool wait_for_error(std::string_view text);

  // What was read so far.
  const std::string& output_text() const noexcept { return result_.output_text; }

  const std::string& error_text() const noexcept { return result_.error_text; }

  // Reads everything to the end and reaps.
  ProcessResult wait();

 private:
  bool pump(int timeout_ms = -1);  // one poll; false when every output is closed
  void close_descriptor(int& descriptor) noexcept;

  pid_t id_ = -1;
  int input_ = -1;
  int output_ = -1;
  int error_ = -1;
  std::string pending_input_;
  bool keep_input_open_ = false;
  ProcessResult result_;
  bool reaped_ = false;
};

// Runs a child to its end.
ProcessResult run_process(const ProcessOptions& options);

}  // namespace batchllm::test

// SPDX-License-Identifier: Apache-2.0
#include "tests/support/simulator_process.h"

#include "core/json_text.h"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <stdexcept>

namespace batchllm::test {

SimulatorProcess::SimulatorProcess(const std::string& program,
                                   const std::vector<std::string>& options)
    : log_path_(folder_.path("requests.jsonl")) {
  ProcessOptions process;
  process.argv = {program, "simulate", "--no-config", "--log", log_path_};
  process.argv.insert(process.argv.end(), options.begin(), options.end());
  process_ = std::make_unique<Process>(process);
  if (!process_->wait_for_output("\n")) {
    throw std::runtime_error("the simulator does not start: " + process_->wait().error_text);
  }
  const std::string& text = process_->output_text();
  base_url_ = text.substr(0, text.find('\n'));
}

SimulatorProcess::~SimulatorProcess() {
  stop();
}

void SimulatorProcess::stop() {
  if (process_ != nullptr) {
    process_->send_signal(SIGTERM);
    process_->wait();
    process_.reset();
  }
}

std::vector<LoggedCall> SimulatorProcess::calls() const {
  std::vector<LoggedCall> calls;
  std::ifstream log(log_path_, std::ios::binary);
  for (std::string line; std::getline(log, line);) {
    const auto member = [&line](std::string_view path) {
      return find_in_json(line, path).value_or(JsonValue{}).text;
    };
    if (member(".method") != "POST") {
      continue;
    }
    const std::string fault = member(".fault");
    calls.push_back({std::stoll(member(".time_ms")),
                     fault.empty() ? member(".status") : fault,
                     member(".user"),
                     member(".key"),
                     member(".body")});
  }
  return calls;
}

std::map<std::string, std::size_t> SimulatorProcess::calls_by_message() const {
  std::map<std::string, std::size_t> counts;
  for (const auto& call : calls()) {
    ++counts[call.user];
  }
  return counts;
}

std::size_t SimulatorProcess::call_count() const {
  std::ifstream log(log_path_, std::ios::binary);
  log.seekg(static_cast<std::streamoff>(counted_bytes_));
  const std::string news{std::istreambuf_iterator<char>(log), {}};
  counted_bytes_ += news.size();
  counted_lines_ += static_cast<std::size_t>(std::count(news.begin(), news.end(), '\n'));
  return counted_lines_;
}

}  // namespace batchllm::test

// SPDX-License-Identifier: Apache-2.0
#include "tests/support/daemon_process.h"

#include "core/json_text.h"

#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace batchllm::test {

std::string ApiAnswer::at(std::string_view path) const {
  const auto found = find_in_json(body, path);
  return found && !found->is_null ? found->text : std::string();
}

DaemonProcess::DaemonProcess(Options options)
    : options_(std::move(options)),
      simulator_(options_.batchllm, options_.simulator) {
  if (!options_.config.empty()) {
    folder_.write("config/batchllm/config.toml", options_.config);
  }
  if (options_.starts) {
    start();
  }
}

ProcessOptions DaemonProcess::process_options(const std::string& program,
                                              const std::vector<std::string>& words) const {
  ProcessOptions process;
  process.argv = {program};
  process.argv.insert(process.argv.end(), words.begin(), words.end());
  const std::string folder = std::filesystem::path(options_.program).parent_path().string();
  process.environment = {{"XDG_STATE_HOME", folder_.path("state")},
                         {"XDG_CONFIG_HOME", folder_.path("config")},
                         {"XDG_RUNTIME_DIR", folder_.path("run")},
                         {"OPENAI_API_KEY", "sk-made-up"},
                         {"PATH", folder + ":/usr/bin:/bin"}};
  return process;
}

ProcessOptions DaemonProcess::command(const std::vector<std::string>& words) const {
  return process_options(options_.batchllm, words);
}

void DaemonProcess::start() {
  if (!try_start({})) {
    throw std::runtime_error("batchllmd does not start: " + process_->wait().error_text);
  }
}

bool DaemonProcess::try_start(const std::map<std::string, std::string>& environment) {
  process_.reset();
  ProcessOptions process = process_options(options_.program, options_.words);
  process.environment.insert(environment.begin(), environment.end());
  process_ = std::make_unique<Process>(process);
  return process_->wait_for_error("is ready");
}

// Not to the end of its output: workers have that, too.
void DaemonProcess::kill() {
  process_.reset();
}

std::vector<pid_t> DaemonProcess::workers() const {
  std::vector<pid_t> children;
  const std::string parent = std::to_string(process_->id());
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) {
      continue;
    }
    std::ifstream file(entry.path() / "stat");
    std::string stat{std::istreambuf_iterator<char>(file), {}};
    // "4711 (batchllmd) S 4710 …"
    const auto after = stat.rfind(") ");
    if (after != std::string::npos &&
        stat.substr(after + 4, stat.find(' ', after + 4) - after - 4) == parent) {
      children.push_back(std::stoi(name));
    }
  }
  return children;
}

int DaemonProcess::stop() {
  process_->send_signal(SIGTERM);
  return process_->wait().exit_code;
}

ApiAnswer DaemonProcess::send(std::string_view method,
                              std::string_view target,
                              std::string_view body,
                              const std::vector<std::string>& headers) const {
  std::string request = fmt::format("{} {}{} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n",
                                    method,
                                    target.starts_with("//") ? "" : "/api/v1",
                                    target.substr(target.starts_with("//") ? 1 : 0));
  for (const std::string& header : headers) {
    request += header + "\r\n";
  }
  if (!body.empty() || method == "POST") {
    request += fmt::format("Content-Length: {}\r\n", body.size());
  }
  request += "\r\n";
  request += body;
  RawHttpClient client = RawHttpClient::at_path(socket());
  client.send(request);
  RawResponse response = client.receive(method == "HEAD");
  ApiAnswer answer{response.status, std::move(response.head), std::move(response.body), {}};
  JsonLimits limits;
  limits.bytes = std::size_t{64} << 20;
  if (auto document = parse_json_document(answer.body, limits)) {
    answer.json = *std::move(document);
  }
  return answer;
}

std::string DaemonProcess::job_body(std::string_view rows,
                                    std::string_view prompt,
                                    std::string_view options) const {
  return fmt::format(
      R"({{"input":{{"rows":{}}},"options":{{"model":"simulator/any","base_url":{},"prompt":{}{}{}}}}})",
      rows,
      json_string(simulator_.base_url()),
      json_string(prompt),
      options.empty() ? "" : ",",
      options);
}

std::string DaemonProcess::submit(std::string_view job_body) const {
  const ApiAnswer answer = post("/jobs", job_body);
  if (answer.status != 201) {
    throw std::runtime_error("the job was refused: " + answer.body);
  }
  return answer.at(".id");
}

bool DaemonProcess::wait_for_state(const std::string& job, std::string_view state) const {
  return eventually([&] { return get("/jobs/" + job).at(".state") == state; });
}

ApiAnswer DaemonProcess::wait_for_end(const std::string& job) const {
  ApiAnswer answer;
  eventually([&] {
    answer = get("/jobs/" + job + "/wait?timeout=10");
    return answer.status != 200 || !answer.at(".finished_at").empty();
  });
  return answer;
}

}  // namespace batchllm::test

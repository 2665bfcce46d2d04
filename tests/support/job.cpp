// SPDX-License-Identifier: Apache-2.0
#include "tests/support/job.h"

#include "core/json_text.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace batchllm::test {

std::string csv_of_rows(std::size_t count, std::size_t first) {
  std::string text = "id,text\n";
  for (std::size_t i = first; i < first + count; ++i) {
    const std::string number = std::to_string(i + 1);
    text += number + ",\"row " + number + ", as \"\"said\"\"\"\n";
  }
  return text;
}

Words sorted_lines(const std::string& text) {
  Words lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::string json_at(const std::string& json, std::string_view path) {
  return find_in_json(json, path).value_or(JsonValue{}).text;
}

ProcessResult stop_after(const ProcessOptions& command,
                         const SimulatorProcess& simulator,
                         std::size_t calls,
                         int signal_number) {
  const std::size_t target = simulator.call_count() + calls;
  Process process(command);
  const bool came = eventually([&] {
    process.exchange();
    return simulator.call_count() >= target || !process.is_running();
  });
  if (!came || !process.is_running()) {
    throw std::runtime_error("the run ended before it could be stopped: " +
                             process.wait().error_text);
  }
  process.send_signal(signal_number);
  return process.wait();
}

Workspace::Workspace(std::string program) : program_(std::move(program)) {}

ProcessOptions Workspace::command(const Words& words) const {
  ProcessOptions options;
  options.argv = {program_};
  options.argv.insert(options.argv.end(), words.begin(), words.end());
  options.folder = folder_.path();
  options.environment = {{"BATCHLLM_STATE_DIR", folder_.path("state")},
                         {"BATCHLLM_NO_CONFIG", "1"},
                         {"OPENAI_API_KEY", "sk-made-up-for-a-test"}};
  return options;
}

ProcessResult Workspace::call(const Words& words) const {
  return run_process(command(words));
}

Words Workspace::run_words(const SimulatorProcess& simulator, const Words& more) const {
  Words words = {"run", "-m", "openai/gpt-4o-mini", "--base-url", simulator.base_url()};
  const auto has_prompt = [&more](std::string_view option) {
    return std::find(more.begin(), more.end(), option) != more.end();
  };
  if (!has_prompt("--prompt") && !has_prompt("--prompt-file") && !has_prompt("--template")) {
    words.insert(words.end(), {"--prompt", "Say: {text}"});
  }
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

ProcessResult Workspace::run(const SimulatorProcess& simulator, const Words& more) const {
  return call(run_words(simulator, more));
}

std::string Workspace::job() const {
  std::string newest;
  std::filesystem::file_time_type newest_time;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path("state/jobs"), none)) {
    const auto record = entry.path() / "job.json";
    const auto time = std::filesystem::last_write_time(record, none);
    if (!none && (newest.empty() || time > newest_time)) {
      newest = entry.path().filename().string();
      newest_time = time;
    }
  }
  return newest;
}

std::filesystem::path Workspace::job_folder() const {
  return std::filesystem::path(folder_.path("state/jobs")) / job();
}

std::filesystem::path Workspace::ledger_path() const {
  return job_folder() / "ledger-00000.jsonl";
}

std::string Workspace::about_job(std::string_view path) const {
  return json_at(call({"jobs", "show", job(), "--json"}).output_text, path);
}

Words Workspace::jobs_that_replay_differently() const {
  Words different;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path("state/jobs"), none)) {
    const std::string id = entry.path().filename().string();
    const ProcessResult replay = call({"jobs", "replay", id, "--json"});
    if (replay.exit_code != 0) {
      different.push_back(id + ": " + replay.output_text + replay.error_text);
    }
  }
  return different;
}

Words Workspace::event_types() const {
  Words types;
  std::istringstream lines(read("state/jobs/" + job() + "/events.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    if (std::string type = json_at(line, ".type"); type != "job.progress") {
      types.push_back(std::move(type));
    }
  }
  return types;
}

std::map<std::string, std::size_t> Workspace::failures() const {
  const std::string json = call({"results", "errors", job(), "--json"}).output_text;
  std::map<std::string, std::size_t> rows;
  for (std::size_t i = 0;; ++i) {
    const std::string group = ".groups[" + std::to_string(i) + "]";
    const std::string name = json_at(json, group + ".error");
    if (name.empty()) {
      return rows;
    }
    rows[name] = std::stoul(json_at(json, group + ".rows"));
  }
}

std::vector<std::size_t> Workspace::rows_in_doubt() const {
  const std::string json =
      call({"results", "errors", job(), "--json", "--limit", "1000000"}).output_text;
  std::vector<std::size_t> rows;
  for (std::size_t i = 0;; ++i) {
    const std::string row = json_at(json, ".in_doubt.examples[" + std::to_string(i) + "].row");
    if (row.empty()) {
      break;
    }
    rows.push_back(std::stoul(row));
  }
  if (std::to_string(rows.size()) != json_at(json, ".in_doubt.rows")) {
    throw std::runtime_error("results errors counts other rows than it lists: " + json);
  }
  return rows;
}

}  // namespace batchllm::test

// SPDX-License-Identifier: Apache-2.0
#include "cli/daemon_command.h"

#include "cli/daemon_client.h"
#include "cli/daemon_connection.h"
#include "cli/daemon_install.h"
#include "cli/daemon_process.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/setting_reader.h"
#include "core/text.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace batchllm {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_schema = "batchllm.daemon/1";

// What every command here knows.
struct DaemonCommand {
  const CommandLine& line;
  const Settings& settings;
  const EnvironmentLookup& environment;
  Ui& ui;

  SettingReader reader() const { return SettingReader(settings); }

  DaemonClient client() const { return DaemonClient(daemon_connection(settings, environment)); }

  std::string folder() const { return ui.state_dir() + "/daemon"; }

  std::string log_file() const {
    const std::string chosen = reader().text("daemon.log_file");
    return chosen.empty() ? folder() + "/batchllmd.log" : fs::absolute(chosen).string();
  }
};

int answer(const DaemonCommand& command, std::string_view state, const std::string& note) {
  command.ui.messages().note(note);
  if (command.ui.json()) {
    JsonWriter json;
    json.begin_object().key("schema").string(k_schema).key("state").string(state).end_object();
    command.ui.out(json.text() + "\n");
  }
  return 0;
}

std::string absolute_text(const OptionKey& option, const std::string& text) {
  const bool is_path = option.kind == ValueKind::path && !text.empty();
  return is_path ? fs::absolute(text).lexically_normal().string() : text;
}

// The call of batchllmd with what the command line said; variables and config files it reads
// itself.
std::vector<std::string> service_call(const DaemonCommand& command) {
  std::vector<std::string> words{find_daemon_program(command.environment)};
  for (const auto& [key, value] : command.line.flags) {
    const OptionKey& option = *find_option(key);
    const bool is_handed_on = section_of(option) == "daemon" || key == "state_dir" ||
                              key == "config" || key == "no_config";
    if (is_handed_on && key != "daemon.foreground") {
      words.push_back(
          fmt::format("{}={}", flag_of(option), absolute_text(option, value.texts.front())));
    }
  }
  return words;
}

void make_folder(const std::string& folder) {
  std::error_code failed;
  const bool is_new = fs::create_directories(folder, failed);
  if (is_new && !failed) {
    fs::permissions(folder, fs::perms::owner_all, failed);
  }
  if (failed) {
    throw Error(ErrorCode::storage, fmt::format("cannot make {}: {}", folder, failed.message()));
  }
}

// Returns its process id.
int start_service(const DaemonCommand& command, std::vector<std::string> words) {
  make_folder(command.ui.state_dir());
  make_folder(command.folder());
  if (!command.reader().is_set("daemon.log_file")) {
    words.push_back("--log-file=" + command.log_file());
  }
  return start_in_background(words, command.folder() + "/start.log");
}

int start(const DaemonCommand& command) {
  DaemonClient client = command.client();
  if (client.is_running()) {
    return answer(command,
                  "running",
                  fmt::format("batchllmd {} is running already", client.server_version()));
  }
  std::vector<std::string> words = service_call(command);
  if (command.reader().flag("daemon.foreground")) {
    become(words);
  }
  const int id = start_service(command, std::move(words));
  return answer(command, "running", fmt::format("batchllmd is running (process {})", id));
}

// Until nobody listens any more. What it still has to finish may take as long as it was allowed.
void wait_until_gone(const DaemonCommand& command, DaemonClient& client) {
  constexpr std::chrono::milliseconds k_step{20};
  constexpr std::chrono::seconds k_more{15};
  const auto deadline =
      std::chrono::steady_clock::now() + k_more +
      std::chrono::milliseconds(command.reader().duration_or_default_ms("daemon.drain_timeout"));
  while (client.is_running()) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw Error(ErrorCode::timeout,
                  "batchllmd has been asked to stop and is still running",
                  "batchllm daemon stop --now does not wait for the answers in flight");
    }
    std::this_thread::sleep_for(k_step);
  }
}

int stop(const DaemonCommand& command) {
  DaemonClient client = command.client();
  if (!client.is_running()) {
    return answer(command, "stopped", "batchllmd is not running");
  }
  const bool now = command.reader().flag("daemon.now");
  client.post("/daemon/drain", now ? R"({"deadline_s":0})" : "{}");
  wait_until_gone(command, client);
  return answer(command, "stopped", "batchllmd has stopped");
}

std::string shown(const JsonNode& node) {
  const auto text = node.string();
  return one_line(text ? std::string(*text) : node.to_json(), 80);
}

// One line for every fact of the daemon's health, those within an object behind its name.
std::string health_text(const JsonNode& health, const std::string& before) {
  std::string text;
  for (const JsonMember& member : health.members()) {
    const std::string name = before + one_line(member.key, 40);
    text += member.value.kind() == JsonNode::Kind::object
                ? health_text(member.value, name + ".")
                : fmt::format("{:<20} {}\n", name, shown(member.value));
  }
  return text;
}

int status(const DaemonCommand& command) {
  DaemonClient client = command.client();
  const bool is_running = client.is_running();
  const JsonNode health = is_running ? client.get("/health") : JsonNode();
  if (command.ui.json()) {
    JsonWriter json;
    json.begin_object().key("schema").string(k_schema);
    json.key("state").string(is_running ? "running" : "stopped");
    json.key("address").string(as_utf8(client.address()));
    json.key("state_dir").string(as_utf8(command.ui.state_dir()));
    json.key("health").raw(health.to_json()).end_object();
    command.ui.out(json.text() + "\n");
  } else {
    std::string text = fmt::format("{:<20} {}\n{:<20} {}\n{:<20} {}\n",
                                   "batchllmd",
                                   is_running ? "running" : "not running",
                                   "address",
                                   printable(client.address()),
                                   "state folder",
                                   printable(command.ui.state_dir()));
    command.ui.out(text + health_text(health, {}));
  }
  return is_running ? 0 : error_kind(ErrorCode::daemon_unreachable).exit_code;
}

int logs(const DaemonCommand& command) {
  const std::string lines = std::to_string(command.reader().count_or_default("daemon.lines"));
  const bool follows = command.reader().flag("daemon.follow");
  const std::string file = command.log_file();
  std::error_code ignored;
  if (fs::is_regular_file(file, ignored)) {
    std::vector<std::string> words{"tail", "-n", lines};
    if (follows) {
      words.emplace_back("-F");
    }
    words.insert(words.end(), {"--", file});
    become(words);
  }
  const fs::path unit(fs::path(command.ui.directories().config).parent_path() /
                      "systemd/user/batchllmd.service");
  if (!fs::exists(unit, ignored)) {
    throw Error(ErrorCode::daemon_unreachable,
                fmt::format("there is no log: batchllmd has not written {}", file),
                "batchllm daemon start; where it is a service of the machine: "
                "journalctl -u batchllmd");
  }
  std::vector<std::string> words{"journalctl", "--user", "-u", "batchllmd", "-n", lines};
  if (follows) {
    words.emplace_back("-f");
  }
  become(words);
}

int reload(const DaemonCommand& command) {
  DaemonClient client = command.client();
  const JsonNode told = client.post("/daemon/reload", "{}");
  if (command.ui.json()) {
    command.ui.out(told.to_json() + "\n");
  }
  command.ui.messages().note("batchllmd has read its configuration again");
  return 0;
}

int backup(const DaemonCommand& command) {
  JsonWriter body;
  body.begin_object();
  if (!command.line.arguments.empty()) {
    body.key("path").string(fs::absolute(command.line.arguments.front()).string());
  }
  const std::string request = body.end_object().text();
  DaemonClient client = command.client();
  const JsonNode told = client.post("/daemon/backup", request);
  const std::string path(told.find_string("path").value_or(""));
  command.ui.out(command.ui.json() ? told.to_json() + "\n" : printable(path) + "\n");
  return 0;
}

int repair(const DaemonCommand& command) {
  DaemonClient client = command.client();
  if (client.is_running()) {
    throw Error(ErrorCode::job_locked,
                "batchllmd is running: its queue cannot be repaired",
                "batchllm daemon stop, then once more");
  }
  std::vector<std::string> words = service_call(command);
  words.emplace_back("--repair");
  return run_to_end(words);
}

DaemonInstallRequest install_request(const DaemonCommand& command) {
  const SettingReader reader = command.reader();
  return {reader.flag("daemon.system"),
          reader.flag("daemon.socket_activated"),
          reader.flag("daemon.dry_run")};
}

}  // namespace

void start_daemon(const CommandLine& line,
                  const Settings& settings,
                  const EnvironmentLookup& environment,
                  Ui& ui) {
  const DaemonCommand command{line, settings, environment, ui};
  const int id = start_service(command, service_call(command));
  ui.messages().note(fmt::format("batchllmd is running (process {})", id));
}

int daemon_command(const CommandLine& line,
                   const Settings& settings,
                   const EnvironmentLookup& environment,
                   Ui& ui) {
  const DaemonCommand command{line, settings, environment, ui};
  switch (line.command->command) {
    case Command::daemon_start:
      return start(command);
    case Command::daemon_stop:
      return stop(command);
    case Command::daemon_status:
      return status(command);
    case Command::daemon_logs:
      return logs(command);
    case Command::daemon_reload:
      return reload(command);
    case Command::daemon_install:
      return daemon_install(install_request(command), environment, ui);
    case Command::daemon_uninstall:
      return daemon_uninstall(install_request(command), environment, ui);
    case Command::daemon_backup:
      return backup(command);
    default:
      return repair(command);
  }
}

}  // namespace batchllm

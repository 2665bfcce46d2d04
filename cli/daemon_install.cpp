// SPDX-License-Identifier: Apache-2.0
#include "cli/daemon_install.h"

#include "cli/daemon_process.h"
#include "cli/unit_templates.h"
#include "core/atomic_file.h"
#include "core/error.h"
#include "core/json_text.h"

#include <fmt/format.h>

#include <unistd.h>

#include <filesystem>
#include <system_error>

namespace batchllm {
namespace {

namespace fs = std::filesystem;

constexpr unsigned k_unit_mode = 0644;

// In quotes of a unit: percent signs are specifiers, backslashes and quotes would end them.
std::string quoted_for_unit(const std::string& path) {
  std::string out;
  for (const char c : path) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += c;
    if (c == '%') {
      out += '%';
    }
  }
  return out;
}

std::string with_program(std::string_view unit, const std::string& program) {
  constexpr std::string_view k_place = "@BATCHLLMD@";
  std::string text(unit);
  const std::string path = quoted_for_unit(program);
  for (auto at = text.find(k_place); at != std::string::npos;
       at = text.find(k_place, at + path.size())) {
    text.replace(at, k_place.size(), path);
  }
  return text;
}

std::string config_home(const Ui& ui) {
  const fs::path own(ui.directories().config);  // .../batchllm
  return own.parent_path().string();
}

std::vector<std::string> systemctl(const DaemonInstallRequest& request,
                                   std::vector<std::string> words) {
  words.insert(words.begin(), "systemctl");
  if (!request.system) {
    words.insert(words.begin() + 1, "--user");
  }
  return words;
}

// Whether the service manager that is meant answers: not in a container, not without a login.
bool manager_answers(const DaemonInstallRequest& request, const EnvironmentLookup& environment) {
  std::error_code ignored;
  const std::string folder = request.system
                                 ? "/run/systemd/system"
                                 : environment("XDG_RUNTIME_DIR").value_or("/nowhere") + "/systemd";
  return fs::is_directory(folder, ignored);
}

std::string unit_to_enable(const DaemonInstallRequest& request) {
  return request.socket_activated ? "batchllmd.socket" : "batchllmd.service";
}

// Without lingering a user's services end with the last login: nothing would run over night.
bool lacks_linger(const DaemonInstallRequest& request, const EnvironmentLookup& environment) {
  const auto user = environment("USER");
  std::error_code ignored;
  return !request.system && user && !user->empty() &&
         !fs::exists(fs::path("/var/lib/systemd/linger") / *user, ignored);
}

void call_manager(const DaemonInstallRequest& request, const std::vector<std::string>& words) {
  const auto whole = systemctl(request, words);
  if (const int code = run_to_end(whole); code != 0) {
    throw Error(ErrorCode::storage,
                fmt::format("{} failed with {}", fmt::format("{}", fmt::join(whole, " ")), code));
  }
}

void write_result(const Ui& ui,
                  const std::vector<UnitFile>& units,
                  bool is_enabled,
                  std::string_view act) {
  if (!ui.json()) {
    return;
  }
  JsonWriter json;
  json.begin_object().key("schema").string("batchllm.daemon_install/1");
  json.key("act").string(act).key("enabled").boolean(is_enabled).key("units").begin_array();
  for (const UnitFile& unit : units) {
    json.string(unit.path);
  }
  ui.out(json.end_array().end_object().text() + "\n");
}

}  // namespace

std::vector<UnitFile> daemon_units(const DaemonInstallRequest& request,
                                   const std::string& program,
                                   const std::string& config_home) {
  const std::string folder =
      request.system ? std::string("/etc/systemd/system/") : config_home + "/systemd/user/";
  const auto service = request.system ? system_service_template() : user_service_template();
  std::vector<UnitFile> units{{folder + "batchllmd.service", with_program(service, program)}};
  if (request.socket_activated) {
    const auto socket = request.system ? system_socket_template() : user_socket_template();
    units.push_back({folder + "batchllmd.socket", std::string(socket)});
  }
  return units;
}

int daemon_install(const DaemonInstallRequest& request,
                   const EnvironmentLookup& environment,
                   Ui& ui) {
  const auto units = daemon_units(request, find_daemon_program(environment), config_home(ui));
  if (request.dry_run) {
    for (const UnitFile& unit : units) {
      ui.out(fmt::format("# {}\n{}\n", unit.path, unit.text));
    }
    return 0;
  }
  for (const UnitFile& unit : units) {
    std::error_code failed;
    fs::create_directories(fs::path(unit.path).parent_path(), failed);
    write_file_atomically(unit.path, unit.text, k_unit_mode);
    ui.messages().note(fmt::format("Wrote {}", unit.path));
  }
  const bool can_enable = manager_answers(request, environment);
  const std::vector<std::string> enable{"enable", "--now", unit_to_enable(request)};
  if (can_enable) {
    call_manager(request, {"daemon-reload"});
    call_manager(request, enable);
  } else {
    ui.messages().note(fmt::format("systemd does not answer here. Where it does: {}",
                                   fmt::join(systemctl(request, enable), " ")));
  }
  if (lacks_linger(request, environment)) {
    ui.messages().note("It ends when you log out. To keep it: loginctl enable-linger");
  }
  write_result(ui, units, can_enable, "install");
  return 0;
}

int daemon_uninstall(const DaemonInstallRequest& request,
                     const EnvironmentLookup& environment,
                     Ui& ui) {
  DaemonInstallRequest both = request;
  both.socket_activated = true;
  std::vector<UnitFile> removed;
  const bool can_disable = manager_answers(request, environment);
  for (const UnitFile& unit : daemon_units(both, {}, config_home(ui))) {
    const fs::path path(unit.path);
    std::error_code failed;
    if (!fs::exists(path, failed)) {
      continue;
    }
    if (can_disable) {
      call_manager(request, {"disable", "--now", path.filename().string()});
    }
    if (!fs::remove(path, failed)) {
      throw_storage_error("remove", unit.path, failed.value());
    }
    ui.messages().note(fmt::format("Removed {}", unit.path));
    removed.push_back(unit);
  }
  if (can_disable && !removed.empty()) {
    call_manager(request, {"daemon-reload"});
  }
  if (removed.empty()) {
    ui.messages().note("No unit of batchllmd is installed.");
  }
  write_result(ui, removed, false, "uninstall");
  return 0;
}

}  // namespace batchllm

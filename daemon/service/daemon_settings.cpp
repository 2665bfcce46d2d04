// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/daemon_settings.h"

#include "adapters/config/settings_files.h"
#include "core/directories.h"
#include "core/error.h"
#include "core/flag_words.h"
#include "core/option_help.h"
#include "core/setting_reader.h"
#include "core/text.h"
#include "daemon/service/service_environment.h"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

namespace batchllm::daemon {
namespace {

// Of the global options those that mean something to a service.
constexpr std::array k_global_options = {
    std::string_view("help"),
    std::string_view("version"),
    std::string_view("config"),
    std::string_view("no_config"),
    std::string_view("state_dir"),
    std::string_view("json"),
};

std::vector<const OptionKey*> daemon_options() {
  std::vector<const OptionKey*> options;
  for (const OptionKey& option : option_table()) {
    const bool is_own =
        section_of(option) == "daemon" && option.commands.contains(Command::batchllmd);
    const bool is_global =
        std::find(k_global_options.begin(), k_global_options.end(), option.key) !=
        k_global_options.end();
    if (is_own || is_global) {
      options.push_back(&option);
    }
  }
  return options;
}

[[noreturn]] void refuse_listen(const SettingValue& value, std::string_view why) {
  const bool is_flag_layer = value.layer == Layer::command_line;
  throw Error(
      is_flag_layer ? ErrorCode::usage : ErrorCode::config_invalid,
      fmt::format(
          "{}: {}", with_place(*find_option("daemon.listen"), value, value.texts.front()), why),
      "an address of this machine's loopback interface and a port, as 127.0.0.1:8420 or [::1]:8420")
      .with_detail("option", "daemon.listen")
      .with_detail("place", value.place);
}

bool is_loopback(const std::string& host) {
  in_addr ipv4{};
  in6_addr ipv6{};
  if (inet_pton(AF_INET, host.c_str(), &ipv4) == 1) {
    return ntohl(ipv4.s_addr) >> 24U == 127;
  }
  return inet_pton(AF_INET6, host.c_str(), &ipv6) == 1 && IN6_IS_ADDR_LOOPBACK(&ipv6) != 0;
}

std::optional<ListenAddress> read_listen(const Settings& settings) {
  const SettingValue* value = settings.find("daemon.listen");
  if (value == nullptr || value->texts.front() == "none") {
    return std::nullopt;
  }
  const std::string& text = value->texts.front();
  const auto colon = text.rfind(':');
  const auto port = colon == std::string::npos
                        ? std::nullopt
                        : parse_integer(std::string_view(text).substr(colon + 1));
  constexpr std::int64_t k_last_port = 65'535;
  if (!port || *port < 0 || *port > k_last_port) {
    refuse_listen(*value, "expected ADDRESS:PORT");
  }
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  host = host == "localhost" ? "127.0.0.1" : host;
  if (!is_loopback(host)) {
    refuse_listen(*value, "not an address of the loopback interface");
  }
  return ListenAddress{std::move(host), static_cast<std::uint16_t>(*port)};
}

// Relative names of flags and variables are taken from the folder in which the service starts: it
// must stay there, so that a reload finds the same.
std::string absolute(const std::string& path) {
  std::error_code gone;
  const auto full = std::filesystem::absolute(path, gone);
  return gone ? path : full.lexically_normal().string();
}

std::string path_or(const SettingReader& reader, std::string_view key, std::string otherwise) {
  const std::string chosen = reader.text(key);
  return chosen.empty() ? std::move(otherwise) : absolute(chosen);
}

// Where batchllm looks for it.
std::string usual_socket(const DaemonSettings& settings, const EnvironmentLookup& environment) {
  constexpr std::string_view k_scheme = "unix:";
  return daemon_address({}, settings.state_dir, environment).substr(k_scheme.size());
}

LogSettings read_log(const SettingReader& reader, const EnvironmentLookup& environment) {
  LogSettings log;
  const std::string level = reader.text("daemon.log_level");
  if (level == "debug") {
    log.level = LogLevel::debug;
  } else if (level == "warning") {
    log.level = LogLevel::warning;
  } else if (level == "error") {
    log.level = LogLevel::error;
  }
  log.file = path_or(reader, "daemon.log_file", {});
  log.file_bytes = reader.bytes("daemon.log_size").value_or(log.file_bytes);
  const std::string format = reader.text("daemon.log_format");
  const bool is_automatic = format.empty() || format == "auto";
  if (format == "json") {
    log.format = LogFormat::json;
  } else if (format == "journal" ||
             (is_automatic && log.file.empty() && is_journal(environment, STDERR_FILENO))) {
    log.format = LogFormat::journal;
  }
  return log;
}

std::optional<std::int64_t> optional_duration_ms(const SettingReader& reader,
                                                 std::string_view key) {
  return reader.is_set(key) ? reader.duration_ms(key)
                            : parse_duration_ms(find_option(key)->default_text);
}

std::uint64_t bytes_or_default(const SettingReader& reader, std::string_view key) {
  const auto chosen = reader.bytes(key);
  return chosen ? *chosen : parse_bytes(find_option(key)->default_text).value_or(0);
}

std::string text_of(std::optional<std::int64_t> value) {
  return value ? fmt::format("{}", *value) : "none";
}

std::string text_of_ms(std::optional<std::int64_t> value) {
  return value ? fmt::format("{}ms", *value) : "none";
}

std::string text_of_listen(const std::optional<ListenAddress>& listen) {
  return listen ? fmt::format("{}:{}", listen->host, listen->port) : "none";
}

std::string text_of_level(LogLevel level) {
  constexpr std::array k_names = {"debug", "info", "warning", "error"};
  return k_names.at(static_cast<std::size_t>(level));
}

std::string text_of_format(LogFormat format) {
  constexpr std::array k_names = {"text", "journal", "json"};
  return k_names.at(static_cast<std::size_t>(format));
}

// One setting as a reload sees it. Without `take` a change needs a restart.
struct ReloadRule {
  std::string_view key;
  std::string (*text)(const DaemonSettings&);
  void (*take)(DaemonSettings& settings, const DaemonSettings& from) = nullptr;
};

using S = DaemonSettings;

// clang-format off
constexpr std::array k_reload_rules = {
    ReloadRule{"state_dir", [](const S& s) { return s.state_dir; }},
    ReloadRule{"daemon.listen", [](const S& s) { return text_of_listen(s.listen); }},
    ReloadRule{"daemon.token_file", [](const S& s) { return s.token_file; }},
    ReloadRule{"daemon.socket", [](const S& s) { return s.socket; }},
    ReloadRule{"daemon.max_upload",
               [](const S& s) { return s.max_upload_bytes ? fmt::format("{}", *s.max_upload_bytes) : "none"; },
               [](S& s, const S& from) { s.max_upload_bytes = from.max_upload_bytes; }},
    ReloadRule{"daemon.max_running_jobs", [](const S& s) { return text_of(s.max_running_jobs); },
               [](S& s, const S& from) { s.max_running_jobs = from.max_running_jobs; }},
    ReloadRule{"daemon.concurrency", [](const S& s) { return text_of(s.concurrency); },
               [](S& s, const S& from) { s.concurrency = from.concurrency; }},
    ReloadRule{"daemon.rpm", [](const S& s) { return text_of(s.requests_per_minute); },
               [](S& s, const S& from) { s.requests_per_minute = from.requests_per_minute; }},
    ReloadRule{"daemon.tpm", [](const S& s) { return text_of(s.tokens_per_minute); },
               [](S& s, const S& from) { s.tokens_per_minute = from.tokens_per_minute; }},
    ReloadRule{"daemon.task_model", [](const S& s) { return s.task_model.empty() ? std::string("none") : s.task_model; }},
    ReloadRule{"daemon.key_env", [](const S& s) { return s.key_variables.empty() ? std::string("none") : name_list(s.key_variables); },
               [](S& s, const S& from) { s.key_variables = from.key_variables; }},
    ReloadRule{"daemon.lease", [](const S& s) { return text_of_ms(s.lease_ms); }},
    ReloadRule{"daemon.drain_timeout", [](const S& s) { return text_of_ms(s.drain_timeout_ms); },
               [](S& s, const S& from) { s.drain_timeout_ms = from.drain_timeout_ms; }},
    ReloadRule{"daemon.retention", [](const S& s) { return text_of_ms(s.retention_ms); },
               [](S& s, const S& from) { s.retention_ms = from.retention_ms; }},
    ReloadRule{"daemon.min_free", [](const S& s) { return fmt::format("{}", s.min_free_bytes); },
               [](S& s, const S& from) { s.min_free_bytes = from.min_free_bytes; }},
    ReloadRule{"daemon.backup_every", [](const S& s) { return text_of_ms(s.backup_every_ms); },
               [](S& s, const S& from) { s.backup_every_ms = from.backup_every_ms; }},
    ReloadRule{"daemon.log_level", [](const S& s) { return text_of_level(s.log.level); },
               [](S& s, const S& from) { s.log.level = from.log.level; }},
    ReloadRule{"daemon.log_file", [](const S& s) { return s.log.file; }},
    ReloadRule{"daemon.log_size", [](const S& s) { return fmt::format("{}", s.log.file_bytes); }},
    ReloadRule{"daemon.log_format", [](const S& s) { return text_of_format(s.log.format); }},
};
// clang-format on

}  // namespace

DaemonCall parse_daemon_call(const std::vector<std::string>& words) {
  DaemonCall call;
  call.flags = parse_flag_words(words, daemon_options(), "batchllmd");
  const auto take = [&call](std::string_view key) {
    const auto found = call.flags.find(key);
    if (found == call.flags.end()) {
      return false;
    }
    check_setting(*find_option(key), found->second);
    const bool is_on = parse_boolean(found->second.texts.front()).value_or(false);
    call.flags.erase(found);
    return is_on;
  };
  call.help = take("help");
  call.version = take("version");
  call.repair = take("daemon.repair");
  call.json = take("json");
  take("daemon.foreground");  // the service always stays there
  return call;
}

std::string daemon_help() {
  std::string text =
      "Queue jobs, run them, and serve the API that batchllm submit and others speak to.\n\n"
      "Usage: batchllmd [OPTIONS]\n\n"
      "It stays in the foreground; batchllm daemon start puts it into the background, and "
      "batchllm\n"
      "daemon install makes it a systemd service. SIGTERM stops it after the answers in flight,\n"
      "SIGHUP makes it read its configuration again.\n";
  return text + grouped_options(daemon_options(), false) +
         "\nEach can be a key under [daemon] in a config file, too. More: man batchllmd\n";
}

DaemonSettings load_daemon_settings(const SettingLayer& flags,
                                    const EnvironmentLookup& environment) {
  const Settings merged = load_settings(flags, environment, {});
  for (const OptionKey* option : daemon_options()) {
    if (const SettingValue* value = merged.find(option->key); value != nullptr) {
      check_setting(*option, *value);
    }
  }
  const SettingReader reader(merged);
  const Directories directories = find_directories(environment);
  DaemonSettings settings;
  settings.state_dir = absolute(state_directory(reader.text("state_dir"), directories));
  settings.socket = path_or(reader, "daemon.socket", usual_socket(settings, environment));
  settings.listen = read_listen(merged);
  const std::string credential = credential_file(environment, "token");
  settings.token_file =
      path_or(reader,
              "daemon.token_file",
              credential.empty() ? settings.state_dir + "/daemon/token" : credential);
  settings.max_upload_bytes = reader.bytes("daemon.max_upload");
  settings.max_running_jobs = reader.count_or_default("daemon.max_running_jobs");
  settings.concurrency = reader.count_or_default("daemon.concurrency");
  settings.requests_per_minute = reader.count("daemon.rpm");
  settings.tokens_per_minute = reader.count("daemon.tpm");
  settings.task_model = reader.text("daemon.task_model");
  settings.key_variables = reader.list("daemon.key_env");
  settings.model_files = model_files_for(flags, environment);
  settings.lease_ms = reader.duration_or_default_ms("daemon.lease");
  settings.drain_timeout_ms = reader.duration_or_default_ms("daemon.drain_timeout");
  settings.retention_ms = optional_duration_ms(reader, "daemon.retention");
  settings.min_free_bytes = bytes_or_default(reader, "daemon.min_free");
  settings.backup_every_ms = optional_duration_ms(reader, "daemon.backup_every");
  settings.log = read_log(reader, environment);
  return settings;
}

std::vector<SettingChange> changes_between(const DaemonSettings& before,
                                           const DaemonSettings& after) {
  std::vector<SettingChange> changes;
  for (const ReloadRule& rule : k_reload_rules) {
    std::string from = rule.text(before);
    std::string to = rule.text(after);
    if (from != to) {
      changes.push_back({rule.key, std::move(from), std::move(to), rule.take == nullptr});
    }
  }
  return changes;
}

DaemonSettings reloaded(const DaemonSettings& before, const DaemonSettings& after) {
  DaemonSettings settings = before;
  for (const ReloadRule& rule : k_reload_rules) {
    if (rule.take != nullptr) {
      rule.take(settings, after);
    }
  }
  return settings;
}

}  // namespace batchllm::daemon

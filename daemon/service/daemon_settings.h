// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/config_layers.h"
#include "daemon/service/daemon_log.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm::daemon {

// An address of the loopback interface.
struct ListenAddress {
  std::string host;  // "127.0.0.1", "::1"
  std::uint16_t port = 0;
};

// How the service is to work: the section [daemon] of the configuration, resolved. Times are in
// milliseconds.
struct DaemonSettings {
  std::string state_dir;
  std::string socket;
  std::optional<ListenAddress> listen;  // TCP; nullopt: the socket only
  std::string token_file;               // what callers on TCP must know
  std::optional<std::uint64_t> max_upload_bytes;
  std::int64_t max_running_jobs = 0;
  std::int64_t concurrency = 0;  // requests in flight per lane, all jobs together
  std::optional<std::int64_t> requests_per_minute;
  std::optional<std::int64_t> tokens_per_minute;
  std::string task_model;  // that tasks ask; empty: the one that their template names
  std::vector<std::string> key_variables;  // that any job may name for its key
  std::vector<std::string> model_files;    // what models are known from, see ModelCatalog::load
  std::int64_t lease_ms = 0;
  std::int64_t drain_timeout_ms = 0;
  std::optional<std::int64_t> retention_ms;     // nullopt: ended jobs are kept
  std::uint64_t min_free_bytes = 0;             // on the disk of the state folder
  std::optional<std::int64_t> backup_every_ms;  // nullopt: no backups
  LogSettings log;
};

// What `batchllmd` was called with.
struct DaemonCall {
  SettingLayer flags;
  bool help = false;
  bool version = false;
  bool repair = false;
  bool json = false;  // what --repair says
};

// Throws Error(usage) as parse_flag_words does, and for values that a flag cannot have.
DaemonCall parse_daemon_call(const std::vector<std::string>& words);

// `batchllmd --help`.
std::string daemon_help();

// Merges flags > environment > config files (the user's and the system's; a folder's batchllm.toml
// is not for the service) > defaults. A token that the service manager prepared as the credential
// `token` takes the place of the default token file. Throws Error(usage | config_invalid) naming
// option and place, Error(storage) when nobody says where the state folder is.
DaemonSettings load_daemon_settings(const SettingLayer& flags,
                                    const EnvironmentLookup& environment);

// One setting that a reload finds changed.
struct SettingChange {
  std::string_view key;  // "daemon.listen"
  std::string from;
  std::string to;
  bool needs_restart = false;  // false: the running service takes it over
};

// In the order of the help; empty when nothing changed.
std::vector<SettingChange> changes_between(const DaemonSettings& before,
                                           const DaemonSettings& after);

// `before` with what a running service can take over of `after`.
DaemonSettings reloaded(const DaemonSettings& before, const DaemonSettings& after);

}  // namespace batchllm::daemon

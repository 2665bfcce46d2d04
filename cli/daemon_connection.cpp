// SPDX-License-Identifier: Apache-2.0
#include "cli/daemon_connection.h"

#include "core/atomic_file.h"
#include "core/directories.h"
#include "core/error.h"
#include "core/setting_reader.h"
#include "core/text.h"

#include <filesystem>
#include <utility>

namespace batchllm {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_unix = "unix:";

std::string token_for_tcp(const SettingReader& reader, const EnvironmentLookup& environment) {
  constexpr std::size_t k_longest_token = 4096;
  std::string file = reader.text("daemon.token_file");
  if (file.empty()) {
    file =
        state_directory(reader.text("state_dir"), find_directories(environment)) + "/daemon/token";
  }
  try {
    return std::string(trim(read_file(file, k_longest_token)));
  } catch (const Error&) {
    return {};  // the daemon says that it wants one
  }
}

}  // namespace

DaemonClientSettings daemon_connection(const Settings& settings,
                                       const EnvironmentLookup& environment,
                                       std::stop_token stop) {
  const SettingReader reader(settings);
  const std::string socket = reader.text("daemon.socket");
  const std::string chosen = reader.text("host");
  DaemonClientSettings client;
  client.address = chosen.empty() && !socket.empty()
                       ? std::string(k_unix) + fs::absolute(socket).string()
                       : daemon_address(chosen, reader.text("state_dir"), environment);
  if (!is_local_daemon(client)) {
    client.token = token_for_tcp(reader, environment);
  }
  client.stop = std::move(stop);
  return client;
}

bool is_local_daemon(const DaemonClientSettings& connection) {
  return connection.address.starts_with(k_unix);
}

}  // namespace batchllm

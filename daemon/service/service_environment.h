// SPDX-License-Identifier: Apache-2.0
// What a service manager hands to a service through its environment, and what it wants to be told:
// the protocols of sd_notify(3), sd_listen_fds(3), systemd.exec(5). Written out here because they
// are small and the library behind them is not wanted in a container.
#pragma once

#include "core/config_layers.h"
#include "core/file_handle.h"

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm::daemon {

// Tells the service manager how the service stands. Where there is none (no NOTIFY_SOCKET) nothing
// happens; what cannot be sent is dropped, since a manager that went away is no reason to end.
// Thread-safe.
class ServiceNotifier {
 public:
  // Reads NOTIFY_SOCKET (a path, or an abstract name behind @), WATCHDOG_USEC and WATCHDOG_PID.
  // `self` is this process.
  ServiceNotifier(const EnvironmentLookup& environment, pid_t self);

  void ready(std::string_view status) const;
  void reloading() const;  // ready() must follow
  void stopping(std::string_view status) const;
  void status(std::string_view text) const;  // one line, shown by `systemctl status`
  void alive() const;                        // for the watchdog

  // How often alive() must be called: half of what the manager allows. nullopt: no watchdog.
  std::optional<std::chrono::microseconds> alive_interval() const noexcept {
    return alive_interval_;
  }

 private:
  void send(const std::string& message) const;

  std::string address_;  // of sun_path; begins with NUL when abstract
  FileHandle socket_;
  std::optional<std::chrono::microseconds> alive_interval_;
};

// A listening stream socket that the service manager opened (socket activation).
struct InheritedSocket {
  FileHandle descriptor;
  std::string name;      // of LISTEN_FDNAMES; "unknown" without
  bool is_unix = false;  // else TCP on the loopback interface
};

constexpr int k_first_inherited_descriptor = 3;

// Takes the sockets of LISTEN_FDS when LISTEN_PID is this process, so that no child inherits them.
// Throws Error(config_invalid) for a descriptor that is no listening stream socket, or one that is
// reached from other machines.
std::vector<InheritedSocket> take_inherited_sockets(
    const EnvironmentLookup& environment,
    pid_t self,
    int first_descriptor = k_first_inherited_descriptor);

// True when `descriptor` is connected to the journal, after JOURNAL_STREAM.
bool is_journal(const EnvironmentLookup& environment, int descriptor);

// The path of a credential that the service manager prepared (LoadCredential=NAME:...); empty when
// there is none of that name.
std::string credential_file(const EnvironmentLookup& environment, std::string_view name);

}  // namespace batchllm::daemon

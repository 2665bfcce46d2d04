// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/service_environment.h"

#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace batchllm::daemon {
namespace {

constexpr std::size_t k_longest_status = 200;
constexpr std::int64_t k_most_inherited = 64;

std::optional<std::int64_t> number_in(const EnvironmentLookup& environment,
                                      const std::string& name) {
  const auto text = environment(name);
  return text ? parse_integer(*text) : std::nullopt;
}

std::string socket_address(const EnvironmentLookup& environment) {
  std::string address = environment("NOTIFY_SOCKET").value_or("");
  const bool is_ours = address.starts_with('/') || address.starts_with('@');
  if (!is_ours || address.size() < 2 || address.size() >= sizeof(sockaddr_un{}.sun_path)) {
    return {};  // also "vsock:...", which only virtual machines have
  }
  if (address.front() == '@') {
    address.front() = '\0';
  }
  return address;
}

std::int64_t monotonic_us() {
  const auto since_boot = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(since_boot).count();
}

int socket_option(int descriptor, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  return getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

bool is_loopback(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in inet{};
    std::memcpy(&inet, &address, sizeof inet);
    return ntohl(inet.sin_addr.s_addr) >> 24U == 127;
  }
  sockaddr_in6 inet{};
  std::memcpy(&inet, &address, sizeof inet);
  return address.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&inet.sin6_addr) != 0;
}

[[noreturn]] void refuse_socket(int descriptor, std::string_view name, std::string_view why) {
  throw Error(
      ErrorCode::config_invalid,
      fmt::format(
          "descriptor {} ({}) of the service manager {}", descriptor, one_line(name, 60), why),
      "see the .socket unit: ListenStream= with a path or an address of 127.0.0.1 or ::1");
}

InheritedSocket taken_socket(int descriptor, std::string name) {
  if (fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0) {
    refuse_socket(descriptor, name, "is not open");
  }
  InheritedSocket taken{FileHandle(descriptor), std::move(name), false};
  if (socket_option(descriptor, SO_TYPE) != SOCK_STREAM ||
      socket_option(descriptor, SO_ACCEPTCONN) != 1) {
    refuse_socket(descriptor, taken.name, "is not a listening stream socket");
  }
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    refuse_socket(descriptor, taken.name, std::generic_category().message(errno));
  }
  taken.is_unix = address.ss_family == AF_UNIX;
  if (!taken.is_unix && !is_loopback(address)) {
    refuse_socket(descriptor, taken.name, "can be reached from other machines");
  }
  return taken;
}

}  // namespace

ServiceNotifier::ServiceNotifier(const EnvironmentLookup& environment, pid_t self)
    : address_(socket_address(environment)) {
  if (address_.empty()) {
    return;
  }
  socket_ = FileHandle(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto allowed_us = number_in(environment, "WATCHDOG_USEC");
  const bool is_ours = number_in(environment, "WATCHDOG_PID").value_or(self) == self;
  if (allowed_us && *allowed_us > 1 && is_ours) {
    alive_interval_ = std::chrono::microseconds(*allowed_us / 2);
  }
}

void ServiceNotifier::ready(std::string_view text) const {
  send(fmt::format("READY=1\nSTATUS={}", one_line(text, k_longest_status)));
}

void ServiceNotifier::reloading() const {
  send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_us()));
}

void ServiceNotifier::stopping(std::string_view text) const {
  send(fmt::format("STOPPING=1\nSTATUS={}", one_line(text, k_longest_status)));
}

void ServiceNotifier::status(std::string_view text) const {
  send(fmt::format("STATUS={}", one_line(text, k_longest_status)));
}

void ServiceNotifier::alive() const {
  send("WATCHDOG=1");
}

void ServiceNotifier::send(const std::string& message) const {
  if (!socket_.is_open()) {
    return;
  }
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  // An abstract name ends where the address ends, a path with its NUL.
  const bool is_abstract = address_.front() == '\0';
  const std::size_t size =
      offsetof(sockaddr_un, sun_path) + address_.size() + (is_abstract ? 0U : 1U);
  [[maybe_unused]] const auto sent = sendto(socket_.get(),
                                            message.data(),
                                            message.size(),
                                            MSG_NOSIGNAL,
                                            reinterpret_cast<const sockaddr*>(&to),
                                            static_cast<socklen_t>(size));
}

std::vector<InheritedSocket> take_inherited_sockets(const EnvironmentLookup& environment,
                                                    pid_t self,
                                                    int first_descriptor) {
  std::vector<InheritedSocket> sockets;
  const auto count = number_in(environment, "LISTEN_FDS");
  if (!count || number_in(environment, "LISTEN_PID") != self) {
    return sockets;  // none, or meant for a parent of this process
  }
  if (*count < 0 || *count > k_most_inherited) {
    throw Error(ErrorCode::config_invalid,
                fmt::format("LISTEN_FDS={}: must be between 0 and {}", *count, k_most_inherited));
  }
  const auto names = split(environment("LISTEN_FDNAMES").value_or(""), ':');
  for (std::size_t i = 0; i < static_cast<std::size_t>(*count); ++i) {
    const bool is_named = i < names.size() && !names.at(i).empty();
    sockets.push_back(taken_socket(first_descriptor + static_cast<int>(i),
                                   is_named ? names.at(i) : std::string("unknown")));
  }
  return sockets;
}

bool is_journal(const EnvironmentLookup& environment, int descriptor) {
  const auto stream = environment("JOURNAL_STREAM");

  struct stat found {};

  // The variable outlives a redirection of the descriptor: the numbers must be those of the file.
  return stream && fstat(descriptor, &found) == 0 &&
         *stream == fmt::format("{}:{}", found.st_dev, found.st_ino);
}

std::string credential_file(const EnvironmentLookup& environment, std::string_view name) {
  const auto folder = environment("CREDENTIALS_DIRECTORY");
  if (!folder || !folder->starts_with('/')) {
    return {};
  }
  const std::filesystem::path file = std::filesystem::path(*folder) / name;
  std::error_code ignored;
  return std::filesystem::is_regular_file(file, ignored) ? file.string() : std::string();
}

}  // namespace batchllm::daemon

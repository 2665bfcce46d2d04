// SPDX-License-Identifier: Apache-2.0
#include "daemon/http/listener.h"

#include "core/error.h"
#include "core/lock_file.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace batchllm::daemon {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& path, int cause) {
  throw Error(ErrorCode::storage,
              fmt::format("cannot listen at {}: {}", path, std::generic_category().message(cause)));
}

[[noreturn]] void fail_running(const std::string& place, const std::string& holder = {}) {
  throw Error(ErrorCode::daemon_running,
              fmt::format("another process{} listens at {}",
                          holder.empty() ? "" : fmt::format(" (pid {})", holder),
                          place),
              "batchllm daemon status");
}

// The folder is for this user only when it is made here.
void make_folder(const fs::path& folder) {
  std::error_code error;
  if (folder.empty() || fs::exists(folder, error)) {
    return;
  }
  fs::create_directories(folder, error);
  if (!error) {
    fs::permissions(folder, fs::perms::owner_all, error);
  }
  if (error) {
    fail(folder.string(), error.value());
  }
}

// Between the look at a stale socket and taking its place nobody else may do the same.
FileHandle lock_path(const std::string& path) {
  const std::string lock_path = path + ".lock";
  FileHandle lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock.is_open()) {
    fail(lock_path, errno);
  }
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      fail_running(path, lock_file_holder(lock_path));
    }
    fail(lock_path, errno);
  }
  // For those who are refused: a disk without room refuses nobody the lock.
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock.get(), 0) == 0) {
    static_cast<void>(::pwrite(lock.get(), pid.data(), pid.size(), 0) > 0);
  }
  return lock;
}

int option_of(int descriptor, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(descriptor, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

sockaddr_storage bound_address(int descriptor) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
    bound.ss_family = AF_UNSPEC;
  }
  return bound;
}

bool is_local(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in inet{};
    std::memcpy(&inet, &address, sizeof inet);
    return ntohl(inet.sin_addr.s_addr) >> 24U == 127;
  }
  if (address.ss_family == AF_INET6) {
    sockaddr_in6 inet{};
    std::memcpy(&inet, &address, sizeof inet);
    return IN6_IS_ADDR_LOOPBACK(&inet.sin6_addr);
  }
  return address.ss_family == AF_UNIX;
}

}  // namespace

Listener listen_at_path(const std::string& path) {
  make_folder(fs::path(path).parent_path());
  Listener listener;
  listener.is_unix = true;
  listener.lock = lock_path(path);
  if (const auto kind = fs::symlink_status(path).type();
      kind != fs::file_type::not_found && kind != fs::file_type::socket) {
    throw Error(ErrorCode::usage,
                fmt::format("cannot listen at {}: it exists and is not a socket", path),
                "choose another path");
  }
  try {
    listener.own.emplace(ListeningSocket::at_path(path));
  } catch (const Error& error) {
    if (error.code() == ErrorCode::job_conflict) {
      fail_running(path);
    }
    throw;
  }
  if (::chmod(path.c_str(), 0600) != 0) {
    fail(path, errno);
  }
  return listener;
}

Listener listen_on_loopback(const std::string& host, int port) {
  Listener listener;
  try {
    listener.own.emplace(ListeningSocket::on_loopback(host, port));
  } catch (const Error& error) {
    if (error.code() == ErrorCode::job_conflict) {
      fail_running(fmt::format("{} port {}", host, port));
    }
    throw;
  }
  return listener;
}

Listener adopt_socket(int descriptor) {
  Listener listener;
  listener.adopted = FileHandle(descriptor);
  listener.is_unix = option_of(descriptor, SO_DOMAIN) == AF_UNIX;
  if (option_of(descriptor, SO_TYPE) != SOCK_STREAM || option_of(descriptor, SO_ACCEPTCONN) != 1 ||
      !is_local(bound_address(descriptor))) {
    throw Error(
        ErrorCode::usage,
        fmt::format("descriptor {} is not a socket that listens for this machine only", descriptor),
        "a UNIX stream socket, or TCP on 127.0.0.1 or ::1");
  }
  ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) | O_NONBLOCK);
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  return listener;
}

int port_of(int descriptor) {
  const sockaddr_storage bound = bound_address(descriptor);
  // The port lies at the same place in both families.
  in_port_t port = 0;
  if (bound.ss_family == AF_INET || bound.ss_family == AF_INET6) {
    std::memcpy(&port,
                reinterpret_cast<const char*>(&bound) + offsetof(sockaddr_in, sin_port),
                sizeof port);
  }
  return ntohs(port);
}

}  // namespace batchllm::daemon

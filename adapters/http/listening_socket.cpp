// SPDX-License-Identifier: Apache-2.0
#include "adapters/http/listening_socket.h"

#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

namespace batchllm {
namespace {

constexpr int k_backlog = 16'384;  // the kernel lowers it to net.core.somaxconn

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}

  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  ~Descriptor() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }

  int get() const { return descriptor_; }

  int release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
};

[[noreturn]] void fail(std::string_view what, int cause) {
  const bool taken = cause == EADDRINUSE;
  throw Error(taken ? ErrorCode::job_conflict : ErrorCode::storage,
              fmt::format("cannot listen on {}: {}", what, std::generic_category().message(cause)),
              taken ? "choose another port; 0 picks a free one" : "");
}

// Only the loopback interface: what is served is for this machine.
Address loopback_address(const std::string& host, int port) {
  Address address;
  in_addr ipv4{};
  in6_addr ipv6{};
  if (port < 0 || port > 65'535) {
    throw Error(
        ErrorCode::usage, fmt::format("{} is not a port", port), "0 to 65535; 0 picks a free one");
  }
  const std::string name = host == "localhost" ? "127.0.0.1" : host;
  if (inet_pton(AF_INET, name.c_str(), &ipv4) == 1 && ntohl(ipv4.s_addr) >> 24U == 127) {
    sockaddr_in inet{};
    inet.sin_family = AF_INET;
    inet.sin_addr = ipv4;
    inet.sin_port = htons(static_cast<std::uint16_t>(port));
    std::memcpy(&address.storage, &inet, sizeof inet);
    address.size = sizeof inet;
  } else if (inet_pton(AF_INET6, name.c_str(), &ipv6) == 1 && IN6_IS_ADDR_LOOPBACK(&ipv6)) {
    sockaddr_in6 inet{};
    inet.sin6_family = AF_INET6;
    inet.sin6_addr = ipv6;
    inet.sin6_port = htons(static_cast<std::uint16_t>(port));
    std::memcpy(&address.storage, &inet, sizeof inet);
    address.size = sizeof inet;
  } else {
    throw Error(ErrorCode::usage,
                fmt::format("{} is not an address of the loopback interface", one_line(host, 60)),
                "only this machine is served: 127.0.0.1, ::1 or localhost");
  }
  return address;
}

std::string address_name(int descriptor) {
  Address bound;
  bound.size = sizeof bound.storage;
  if (::getsockname(descriptor, bound.get(), &bound.size) != 0) {
    fail("the loopback interface", errno);
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (bound.storage.ss_family == AF_INET) {
    sockaddr_in inet{};
    std::memcpy(&inet, &bound.storage, sizeof inet);
    inet_ntop(AF_INET, &inet.sin_addr, text.data(), text.size());
    return fmt::format("{}:{}", text.data(), ntohs(inet.sin_port));
  }
  sockaddr_in6 inet{};
  std::memcpy(&inet, &bound.storage, sizeof inet);
  inet_ntop(AF_INET6, &inet.sin6_addr, text.data(), text.size());
  return fmt::format("[{}]:{}", text.data(), ntohs(inet.sin6_port));
}

// Removes a socket left behind by a process that is gone.
void make_way(const std::string& path, Address& address) {
  struct stat found {};

  if (::lstat(path.c_str(), &found) != 0) {
    return;
  }
  const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const bool is_dead = S_ISSOCK(found.st_mode) &&
                       ::connect(probe.get(), address.get(), address.size) != 0 &&
                       errno == ECONNREFUSED;
  if (!is_dead || ::unlink(path.c_str()) != 0) {
    throw Error(ErrorCode::job_conflict,
                fmt::format("{}: {}",
                            path,
                            S_ISSOCK(found.st_mode) ? "another process listens there"
                                                    : "exists and is not a socket"),
                "choose another path");
  }
}

}  // namespace

ListeningSocket::ListeningSocket(int descriptor, std::string name, std::string path)
    : descriptor_(descriptor),
      name_(std::move(name)),
      path_(std::move(path)) {}

ListeningSocket::ListeningSocket(ListeningSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      name_(std::move(other.name_)),
      path_(std::exchange(other.path_, {})) {}

ListeningSocket::~ListeningSocket() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
  if (!path_.empty()) {
    ::unlink(path_.c_str());
  }
}

ListeningSocket ListeningSocket::on_loopback(const std::string& host, int port) {
  Address address = loopback_address(host, port);
  Descriptor descriptor(
      ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  const int on = 1;
  const bool listens =
      descriptor.get() >= 0 &&
      ::setsockopt(descriptor.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
      // Accepted sockets inherit it: answers are never held back for an ACK.
      ::setsockopt(descriptor.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
      ::bind(descriptor.get(), address.get(), address.size) == 0 &&
      ::listen(descriptor.get(), k_backlog) == 0;
  if (!listens) {
    fail(fmt::format("{} port {}", host, port), errno);
  }
  std::string name = address_name(descriptor.get());
  return {descriptor.release(), std::move(name), {}};
}

ListeningSocket ListeningSocket::at_path(const std::string& path) {
  sockaddr_un local{};
  if (path.size() >= sizeof local.sun_path) {
    throw Error(ErrorCode::usage,
                fmt::format("the socket's path {} is longer than {} bytes",
                            one_line(path, 60),
                            sizeof local.sun_path - 1),
                "choose a shorter path");
  }
  local.sun_family = AF_UNIX;
  std::memcpy(local.sun_path, path.c_str(), path.size() + 1);
  Address address;
  std::memcpy(&address.storage, &local, sizeof local);
  address.size = sizeof local;
  make_way(path, address);
  Descriptor descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (descriptor.get() < 0 || ::bind(descriptor.get(), address.get(), address.size) != 0 ||
      ::listen(descriptor.get(), k_backlog) != 0) {
    fail(path, errno);
  }
  return {descriptor.release(), path, path};
}

}  // namespace batchllm

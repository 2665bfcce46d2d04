// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/service_environment.h"

#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <map>

using namespace batchllm;
using namespace batchllm::daemon;

namespace {

using Variables = std::map<std::string, std::string>;

constexpr pid_t k_self = 4711;

EnvironmentLookup environment(Variables variables) {
  return [variables = std::move(variables)](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

// What a service manager would be: a datagram socket at a path, or at an abstract name behind '@'.
class Manager {
 public:
  explicit Manager(std::string address)
      : descriptor_(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    const bool is_abstract = address.front() == '@';
    std::memcpy(local.sun_path, address.data(), address.size());
    if (is_abstract) {
      local.sun_path[0] = '\0';
    }
    const auto size = offsetof(sockaddr_un, sun_path) + address.size() + (is_abstract ? 0U : 1U);
    REQUIRE(bind(descriptor_.get(),
                 reinterpret_cast<const sockaddr*>(&local),
                 static_cast<socklen_t>(size)) == 0);
  }

  // The next datagram; empty when there is none.
  std::string heard() const {
    std::array<char, 1024> buffer{};
    const auto got = recv(descriptor_.get(), buffer.data(), buffer.size(), 0);
    return got < 0 ? std::string() : std::string(buffer.data(), static_cast<std::size_t>(got));
  }

 private:
  FileHandle descriptor_;
};

int listening_on(std::uint32_t address) {
  const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in local{};
  local.sin_family = AF_INET;
  local.sin_addr.s_addr = htonl(address);
  REQUIRE(bind(descriptor, reinterpret_cast<const sockaddr*>(&local), sizeof local) == 0);
  REQUIRE(listen(descriptor, 1) == 0);
  return descriptor;
}

int listening_at(const std::string& path) {
  const int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  std::memcpy(local.sun_path, path.data(), path.size());
  REQUIRE(bind(descriptor, reinterpret_cast<const sockaddr*>(&local), sizeof local) == 0);
  REQUIRE(listen(descriptor, 1) == 0);
  return descriptor;
}

Variables sockets_handed_over(int count, pid_t to = k_self) {
  return {{"LISTEN_FDS", std::to_string(count)}, {"LISTEN_PID", std::to_string(to)}};
}

}  // namespace

TEST_CASE("a service manager hears at a path and at an abstract name what becomes of the service",
          "[service]") {
  const ScratchFolder folder;
  const std::string address = GENERATE(
      std::string("path"), std::string("@batchllm-service-test-") + std::to_string(getpid()));
  const std::string where = address == "path" ? folder.path("notify") : address;
  const Manager manager(where);
  const ServiceNotifier notifier(environment({{"NOTIFY_SOCKET", where}}), k_self);

  notifier.ready("two\njobs");
  CHECK(manager.heard() == "READY=1\nSTATUS=two jobs");
  notifier.status("3 jobs queued");
  CHECK(manager.heard() == "STATUS=3 jobs queued");
  notifier.alive();
  CHECK(manager.heard() == "WATCHDOG=1");
  notifier.reloading();
  const std::string reloading = manager.heard();
  REQUIRE(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="));
  CHECK(std::stoll(reloading.substr(reloading.rfind('=') + 1)) > 0);
  notifier.stopping("draining");
  CHECK(manager.heard() == "STOPPING=1\nSTATUS=draining");
  CHECK(manager.heard().empty());
}

TEST_CASE("without a service manager, or with one that left, telling it does nothing",
          "[service]") {
  const ScratchFolder folder;
  const auto address =
      GENERATE(std::string(), std::string("relative"), std::string("vsock:2:3"), std::string("/"));
  for (const std::string& place : {address, folder.path("gone"), "/" + std::string(200, 'x')}) {
    CAPTURE(place);
    CHECK_NOTHROW(ServiceNotifier(environment({{"NOTIFY_SOCKET", place}}), k_self).ready(""));
  }
}

TEST_CASE("the watchdog is fed twice as often as it demands, and only by whom it means",
          "[service]") {
  const auto interval = [](const Variables& more) {
    Variables variables{{"NOTIFY_SOCKET", "/run/notify"}, {"WATCHDOG_USEC", "3000000"}};
    variables.insert(more.begin(), more.end());
    return ServiceNotifier(environment(variables), k_self).alive_interval();
  };
  CHECK(interval({}) == std::chrono::microseconds(1'500'000));
  CHECK(interval({{"WATCHDOG_PID", "4711"}}) == std::chrono::microseconds(1'500'000));
  CHECK(interval({{"WATCHDOG_PID", "4712"}}) == std::nullopt);
  CHECK(ServiceNotifier(environment({{"WATCHDOG_USEC", "3000000"}}), k_self).alive_interval() ==
        std::nullopt);
}

TEST_CASE("sockets of the service manager are taken with their names and not inherited further",
          "[service]") {
  const ScratchFolder folder;
  const int first = listening_at(folder.path("s"));
  const int second = listening_on(INADDR_LOOPBACK);
  REQUIRE(second == first + 1);
  Variables variables = sockets_handed_over(2);
  variables["LISTEN_FDNAMES"] = "api";
  const auto sockets = take_inherited_sockets(environment(variables), k_self, first);
  REQUIRE(sockets.size() == 2);
  CHECK(sockets[0].descriptor.get() == first);
  CHECK(sockets[0].name == "api");
  CHECK(sockets[0].is_unix);
  CHECK(sockets[1].name == "unknown");
  CHECK_FALSE(sockets[1].is_unix);
  CHECK(fcntl(first, F_GETFD) == FD_CLOEXEC);
}

TEST_CASE("sockets meant for another process are left alone", "[service]") {
  CHECK(take_inherited_sockets(environment({}), k_self).empty());
  CHECK(take_inherited_sockets(environment({{"LISTEN_FDS", "1"}}), k_self).empty());
  CHECK(take_inherited_sockets(environment(sockets_handed_over(1, k_self + 1)), k_self).empty());
}

TEST_CASE("a descriptor that is no socket to serve on is refused", "[service]") {
  const ScratchFolder folder;
  const auto message_for = [](int descriptor) {
    const auto error = thrown_error([descriptor] {
      take_inherited_sockets(environment(sockets_handed_over(1)), k_self, descriptor);
    });
    REQUIRE(error);
    CHECK(error->exit_code() == 2);
    return error->message();
  };
  CHECK_THAT(message_for(900), ContainsSubstring("is not open"));
  CHECK_THAT(message_for(open(folder.write("f", "x").c_str(), O_RDONLY | O_CLOEXEC)),
             ContainsSubstring("is not a listening stream socket"));
  CHECK_THAT(message_for(socket(AF_UNIX, SOCK_STREAM, 0)),
             ContainsSubstring("is not a listening stream socket"));
  CHECK_THAT(message_for(socket(AF_UNIX, SOCK_DGRAM, 0)),
             ContainsSubstring("is not a listening stream socket"));
  CHECK_THAT(message_for(listening_on(INADDR_ANY)),
             ContainsSubstring("can be reached from other machines"));
  CHECK(thrown_error([] {
          take_inherited_sockets(environment(sockets_handed_over(100'000)), k_self);
        })->message() == "LISTEN_FDS=100000: must be between 0 and 64");
}

TEST_CASE("the journal is recognised by device and inode, not by the variable alone", "[service]") {
  const ScratchFolder folder;
  const FileHandle file(open(folder.write("f", "").c_str(), O_RDONLY | O_CLOEXEC));

  struct stat found {};

  REQUIRE(fstat(file.get(), &found) == 0);
  const std::string numbers = std::to_string(found.st_dev) + ":" + std::to_string(found.st_ino);
  CHECK(is_journal(environment({{"JOURNAL_STREAM", numbers}}), file.get()));
  CHECK_FALSE(is_journal(environment({{"JOURNAL_STREAM", numbers + "0"}}), file.get()));
  CHECK_FALSE(is_journal(environment({}), file.get()));
}

TEST_CASE("a credential is found in the folder of the service manager", "[service]") {
  const ScratchFolder folder;
  folder.write("token", "secret");
  const auto lookup = environment({{"CREDENTIALS_DIRECTORY", folder.path()}});
  CHECK(credential_file(lookup, "token") == folder.path("token"));
  CHECK(credential_file(lookup, "other").empty());
  CHECK(credential_file(environment({}), "token").empty());
}

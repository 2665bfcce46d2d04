// SPDX-License-Identifier: Apache-2.0
// The process batchllmd and the commands that start it.
#include "core/json_text.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"
#include "tests/support/scratch_folder.h"

#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

using namespace batchllm::test;
using batchllm::eventually;

namespace {

using Words = std::vector<std::string>;

// A user with folders of their own, and batchllmd in PATH.
class User {
 public:
  ProcessOptions options(const std::string& program, const Words& words) const {
    ProcessOptions options;
    options.argv = {program};
    options.argv.insert(options.argv.end(), words.begin(), words.end());
    const std::string folder = std::filesystem::path(BATCHLLM_DAEMON).parent_path().string();
    options.environment = {{"XDG_STATE_HOME", folder_.path("state")},
                           {"XDG_CONFIG_HOME", folder_.path("config")},
                           {"XDG_RUNTIME_DIR", folder_.path("run")},
                           {"PATH", folder + ":/usr/bin:/bin"}};
    return options;
  }

  ProcessResult batchllm(const Words& words) const {
    return run_process(options(BATCHLLM_PROGRAM, words));
  }

  ProcessResult batchllmd(const Words& words) const {
    return run_process(options(BATCHLLM_DAEMON, words));
  }

  const ScratchFolder& folder() const { return folder_; }

  std::string log() const { return folder_.read("state/batchllm/daemon/batchllmd.log"); }

 private:
  ScratchFolder folder_;
};

// "batchllmd is running (process 123)"
pid_t process_in(const std::string& text) {
  const auto at = text.find("(process ");
  REQUIRE(at != std::string::npos);
  return std::atoi(text.c_str() + at + 9);
}

}  // namespace

TEST_CASE("batchllmd tells its version and its options, and names a mistake", "[e2e][daemon]") {
  const User user;
  CHECK(user.batchllmd({"--version"}).output_text == "batchllmd " BATCHLLM_VERSION "\n");
  CHECK_THAT(user.batchllmd({"--help"}).output_text, ContainsSubstring("--max-running-jobs N"));
  const auto wrong = user.batchllmd({"--lisen", "x"});
  CHECK(wrong.exit_code == 2);
  CHECK(wrong.error_text ==
        "error: unknown option --lisen\n  hint: did you mean --listen?  see: batchllmd --help\n");
  user.folder().write("config/batchllm/config.toml", "[daemon]\nlease = \"soon\"\n");
  const auto broken = user.batchllmd({});
  CHECK(broken.exit_code == 2);
  CHECK_THAT(broken.error_text,
             ContainsSubstring(user.folder().path("config/batchllm/config.toml") +
                               ":2: lease = soon: expected a time"));
}

TEST_CASE("batchllmd reads its configuration again on SIGHUP and leaves with 0 on SIGTERM",
          "[e2e][daemon]") {
  const User user;
  Process service(user.options(BATCHLLM_DAEMON, {}));
  REQUIRE(service.wait_for_error("is ready"));
  user.folder().write("config/batchllm/config.toml",
                      "[daemon]\nrpm = 60\nlisten = \"127.0.0.1:1\"\n");
  service.send_signal(SIGHUP);
  REQUIRE(service.wait_for_error("the configuration was read again"));
  CHECK_THAT(service.error_text(), ContainsSubstring("daemon.rpm changes from none to 60\n"));
  CHECK_THAT(
      service.error_text(),
      ContainsSubstring("daemon.listen changes from none to 127.0.0.1:1 with the next start"));

  user.folder().write("config/batchllm/config.toml", "[daemon]\nrpm = -1\n");
  service.send_signal(SIGHUP);
  REQUIRE(service.wait_for_error("the configuration stays as it was"));
  service.send_signal(SIGTERM);
  CHECK(service.wait().exit_code == 0);
}

TEST_CASE("daemon start returns when batchllmd is ready, which goes on in the background",
          "[e2e][daemon]") {
  const User user;
  const auto started = user.batchllm({"daemon", "start", "--rpm", "60", "--log-level", "debug"});
  CAPTURE(started.error_text);
  REQUIRE(started.exit_code == 0);
  const pid_t id = process_in(started.error_text);
  CHECK(getsid(id) == id);
  CHECK_THAT(user.log(), ContainsSubstring("is ready"));

  struct stat folder {};

  REQUIRE(stat(user.folder().path("state/batchllm").c_str(), &folder) == 0);
  CHECK((folder.st_mode & 0777U) == 0700U);

  CHECK_THAT(user.batchllm({"daemon", "logs"}).output_text, ContainsSubstring("is ready"));
  REQUIRE(kill(id, SIGTERM) == 0);
  CHECK(eventually([&] { return user.log().find("stopping") != std::string::npos; }));
  CHECK(eventually([id] { return kill(id, 0) != 0 || getsid(id) != id; }));
}

TEST_CASE("daemon start passes on why batchllmd does not start", "[e2e][daemon]") {
  const User user;
  const auto refused = user.batchllm({"daemon", "start", "--listen", "10.0.0.1:1"});
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.error_text,
             ContainsSubstring("error: batchllmd does not start: --listen 10.0.0.1:1: not an "
                               "address of the loopback interface\n  hint: "));
  auto alone = user.options(BATCHLLM_PROGRAM, {"daemon", "start"});
  alone.environment["PATH"] = "/usr/bin:/bin";
  const bool lie_together = std::filesystem::path(BATCHLLM_DAEMON).parent_path() ==
                            std::filesystem::path(BATCHLLM_PROGRAM).parent_path();
  if (!lie_together) {
    const auto missing = run_process(alone);
    CHECK(missing.exit_code == 8);
    CHECK_THAT(missing.error_text, ContainsSubstring("batchllmd is neither beside "));
  }
}

TEST_CASE("daemon start --foreground becomes batchllmd", "[e2e][daemon]") {
  const User user;
  Process service(user.options(BATCHLLM_PROGRAM, {"daemon", "start", "--foreground"}));
  REQUIRE(service.wait_for_error("is ready"));
  service.send_signal(SIGINT);
  CHECK(service.wait().exit_code == 0);
}

TEST_CASE("commands say that nothing runs", "[e2e][daemon]") {
  const User user;
  const auto status = user.batchllm({"daemon", "status"});
  CHECK(status.exit_code == 8);
  CHECK_THAT(status.output_text, ContainsSubstring("not running"));
  const auto json = user.batchllm({"daemon", "status", "--json"});
  CHECK(json.exit_code == 8);
  CHECK(batchllm::find_in_json(json.output_text, ".state")->text == "stopped");
  CHECK(batchllm::find_in_json(json.output_text, ".address")->text ==
        "unix:" + user.folder().path("run/batchllm/daemon.sock"));
  const auto stopped = user.batchllm({"daemon", "stop"});
  CHECK(stopped.exit_code == 0);
  CHECK(stopped.error_text == "batchllmd is not running\n");
  CHECK(user.batchllm({"daemon", "reload"}).exit_code == 8);
  CHECK(user.batchllm({"daemon", "backup"}).exit_code == 8);
  CHECK(user.batchllm({"daemon", "logs"}).exit_code == 8);
}

TEST_CASE("daemon install writes the units with the program's path, uninstall removes them",
          "[e2e][daemon]") {
  const User user;
  const auto shown = user.batchllm({"daemon", "install", "--socket-activated", "--dry-run"});
  CHECK(shown.exit_code == 0);
  CHECK_THAT(
      shown.output_text,
      ContainsSubstring(std::string("ExecStart=\"") + BATCHLLM_DAEMON + "\" --foreground\n"));
  CHECK_THAT(shown.output_text, ContainsSubstring("ListenStream=%t/batchllm/daemon.sock\n"));
  const std::string service = user.folder().path("config/systemd/user/batchllmd.service");
  CHECK_FALSE(std::filesystem::exists(service));

  const auto installed = user.batchllm({"daemon", "install"});
  CAPTURE(installed.error_text);
  CHECK(installed.exit_code == 0);
  CHECK_THAT(installed.error_text, ContainsSubstring("Wrote " + service));
  CHECK_THAT(installed.error_text, ContainsSubstring("enable --now batchllmd.service"));
  CHECK(std::filesystem::exists(service));
  CHECK(user.batchllm({"daemon", "uninstall"}).exit_code == 0);
  CHECK_FALSE(std::filesystem::exists(service));
  CHECK(user.batchllm({"daemon", "install", "--user", "--system"}).exit_code == 2);
}

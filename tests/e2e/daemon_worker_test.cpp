// SPDX-License-Identifier: Apache-2.0
// The program of the workers: where batchllmd looks for it, and what an upgrade does to it.
#include "tests/support/catch.h"
#include "tests/support/daemon_process.h"
#include "tests/support/process.h"
#include "tests/support/scratch_folder.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

using namespace batchllm::test;

namespace {

namespace fs = std::filesystem;

// A place where batchllmd is installed, with its worker in `worker_folder`.
class Installation {
 public:
  explicit Installation(const fs::path& worker_folder) : worker_(fs::path()) {
    fs::create_directories(folder_.path("bin"));
    fs::copy_file(BATCHLLM_DAEMON, daemon());
    if (!worker_folder.empty()) {
      worker_ = (fs::path(folder_.path("bin")) / worker_folder).lexically_normal();
      fs::create_directories(worker_);
      worker_ /= "batchllm-worker";
      fs::copy_file(BATCHLLM_WORKER, worker_);
    }
  }

  std::string daemon() const { return folder_.path("bin/batchllmd"); }

  fs::path worker() const { return worker_; }

  DaemonProcess::Options options() const { return {daemon(), BATCHLLM_PROGRAM}; }

  std::string path(const std::string& name) const { return folder_.path(name); }

 private:
  ScratchFolder folder_;
  fs::path worker_;
};

std::string finish(DaemonProcess& daemon) {
  const std::string job = daemon.submit(daemon.job_body(R"([{"text":"a"}])"));
  return daemon.wait_for_end(job).at(".state");
}

}  // namespace

TEST_CASE("without the program of its workers batchllmd does not start", "[e2e][daemon][worker]") {
  const Installation installation("");
  ProcessOptions options;
  options.argv = {installation.daemon(), "--no-config", "--state-dir", installation.path("state")};
  options.environment = {{"XDG_RUNTIME_DIR", installation.path("run")}};
  const ProcessResult result = run_process(options);
  CHECK(result.exit_code == 8);
  const std::string folder =
      (fs::path(installation.path("bin")) / BATCHLLM_LIBEXEC_FROM_BIN).lexically_normal().string();
  CHECK(result.error_text == "error: batchllm-worker is neither beside " + installation.daemon() +
                                 " nor in " + folder +
                                 "\n  hint: install it: it comes with batchllmd\n");
  CHECK_FALSE(fs::exists(installation.path("state")));
}

TEST_CASE("batchllmd finds its workers' program beside it and where an installation has it",
          "[e2e][daemon][worker]") {
  const auto folder = GENERATE(values<std::string>({".", BATCHLLM_LIBEXEC_FROM_BIN}));
  CAPTURE(folder);
  const Installation installation(folder);
  DaemonProcess daemon(installation.options());
  CHECK(finish(daemon) == "succeeded");
}

TEST_CASE("an upgrade of the files under a daemon that runs changes nothing for it",
          "[e2e][daemon][worker]") {
  const Installation installation(BATCHLLM_LIBEXEC_FROM_BIN);
  DaemonProcess daemon(installation.options());
  const bool leaves_another = GENERATE(false, true);
  fs::remove(installation.worker());
  if (leaves_another) {
    fs::copy_file("/bin/false", installation.worker());
  }
  CHECK(finish(daemon) == "succeeded");
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a daemon whose workers' program was written over says so and loses nothing",
          "[e2e][daemon][worker]") {
  const Installation installation(BATCHLLM_LIBEXEC_FROM_BIN);
  DaemonProcess daemon(installation.options());
  std::ofstream(installation.worker(), std::ios::trunc) << "half a program";
  const std::string job = daemon.submit(daemon.job_body(R"([{"text":"a"}])"));
  CHECK(daemon.process().wait_for_error(installation.worker().string() +
                                        " was written over while batchllmd runs"));
  CHECK(daemon.get("/jobs/" + job).at(".state") == "queued");
  CHECK(daemon.stop() == 0);
  fs::copy_file(BATCHLLM_WORKER, installation.worker(), fs::copy_options::overwrite_existing);
  daemon.start();
  CHECK(daemon.wait_for_end(job).at(".state") == "succeeded");
}

TEST_CASE("a worker of another version does no work", "[e2e][daemon][worker]") {
  ProcessOptions options;
  options.argv = {BATCHLLM_WORKER, "0.0.1", "/nowhere"};
  const ProcessResult result = run_process(options);
  CHECK(result.exit_code == 8);
  CHECK(result.error_text == "error: batchllm-worker: it is version " BATCHLLM_VERSION
                             " and batchllmd 0.0.1\n  hint: install both anew\n");
}

TEST_CASE("a daemon loads no client for the web", "[e2e][daemon][worker]") {
  DaemonProcess daemon({BATCHLLM_DAEMON, BATCHLLM_PROGRAM});
  CHECK(finish(daemon) == "succeeded");
  std::ifstream file("/proc/" + std::to_string(daemon.process().id()) + "/maps");
  const std::string maps{std::istreambuf_iterator<char>(file), {}};
  CHECK(maps.find("libsqlite3") != std::string::npos);
  CHECK(maps.find("libcurl") == std::string::npos);
}

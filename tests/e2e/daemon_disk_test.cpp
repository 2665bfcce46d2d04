// SPDX-License-Identifier: Apache-2.0
// A disk that fills up under the daemon: jobs pause, nothing is lost, and all goes on with room.
#include "tests/support/catch.h"
#include "tests/support/daemon_process.h"
#include "tests/support/small_disk.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <string>

using namespace batchllm::test;

namespace {

std::string rows(int count) {
  std::string json = "[";
  for (int i = 0; i < count; ++i) {
    json += (i == 0 ? R"({"text":"row )" : R"(,{"text":"row )") + std::to_string(i) + "\"}";
  }
  return json + "]";
}

// Fills the disk to its last block.
void fill(const std::string& path) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  REQUIRE(file >= 0);
  const std::string block(4096, 'x');
  while (write(file, block.data(), block.size()) > 0) {
  }
  close(file);
}

}  // namespace

TEST_CASE("on a full disk jobs pause and none is taken; with room all go on",
          "[e2e][daemon][disk]") {
  const SmallDisk disk("16m");
  if (disk.where().empty()) {
    WARN("skipped: no tmpfs can be mounted here (needs root)");
    return;
  }
  const std::string filler = disk.where() + "/filler";
  const DaemonProcess daemon({.program = BATCHLLM_DAEMON,
                              .batchllm = BATCHLLM_PROGRAM,
                              .words = {"--state-dir", disk.where() + "/state"},
                              .config = "[daemon]\nmin_free = \"1MiB\"\n",
                              .simulator = {"--latency", "20ms"}});
  const std::string job = daemon.submit(daemon.job_body(rows(3000)));
  REQUIRE(daemon.wait_for_state(job, "running"));
  fill(filler);
  CHECK(daemon.wait_for_state(job, "paused"));
  CHECK(daemon.get("/jobs/" + job).at(".reason") == "disk_full");
  const ApiAnswer health = daemon.get("//health");
  CHECK(health.at(".status") == "degraded");
  CHECK(health.at(".database.status") == "full");
  const ApiAnswer refused = daemon.post("/jobs", daemon.job_body(R"([{"text":"more"}])"));
  CAPTURE(refused.body);
  CHECK(refused.status == 507);
  CHECK(refused.at(".code") == "storage_full");
  CHECK_THAT(refused.at(".hint"), ContainsSubstring("make room"));

  std::filesystem::remove(filler);
  const ApiAnswer end = daemon.wait_for_end(job);
  CHECK(end.at(".state") == "succeeded");
  CHECK(end.at(".rows.ok") == "3000");
  CHECK(daemon.get("//health").at(".status") == "ok");
  CHECK(std::filesystem::exists(disk.where() + "/state/daemon/reserve"));
}

TEST_CASE("jobs that paused on a full disk go on when the next daemon finds room",
          "[e2e][daemon][disk]") {
  const SmallDisk disk("16m");
  if (disk.where().empty()) {
    WARN("skipped: no tmpfs can be mounted here (needs root)");
    return;
  }
  const std::string filler = disk.where() + "/filler";
  DaemonProcess daemon({.program = BATCHLLM_DAEMON,
                        .batchllm = BATCHLLM_PROGRAM,
                        .words = {"--state-dir", disk.where() + "/state"},
                        .config = "[daemon]\nmin_free = \"1MiB\"\n",
                        .simulator = {"--latency", "20ms"}});
  const std::string job = daemon.submit(daemon.job_body(rows(3000)));
  REQUIRE(daemon.wait_for_state(job, "running"));
  fill(filler);
  REQUIRE(daemon.wait_for_state(job, "paused"));
  daemon.kill();
  std::filesystem::remove(filler);
  daemon.start();
  CHECK(daemon.wait_for_end(job).at(".rows.ok") == "3000");
}

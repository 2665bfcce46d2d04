// SPDX-License-Identifier: Apache-2.0
// A queue that is damaged: the daemon says so, changes nothing, and the repair loses no job.
#include "tests/support/catch.h"
#include "tests/support/daemon_process.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

using namespace batchllm::test;
namespace fs = std::filesystem;

namespace {

// Overwrites bytes of a file; `byte` again and again.
void overwrite(const std::string& path, off_t at, std::size_t count, char byte) {
  const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  REQUIRE(file >= 0);
  const std::string bytes(count, byte);
  REQUIRE(pwrite(file, bytes.data(), count, at) == static_cast<ssize_t>(count));
  close(file);
}

struct Damage {
  const char* name;
  const char* code;  // what the message says
  std::function<void(const std::string& database)> make;
};

const std::vector<Damage> k_damages = {
    {"the header is overwritten",
     "is damaged",
     [](const std::string& path) { overwrite(path, 0, 100, 'x'); }},
    {"a page is overwritten",
     "is damaged",
     [](const std::string& path) { overwrite(path, 4096, 4096, 'x'); }},
    {"many pages are overwritten",
     "is damaged",
     [](const std::string& path) {
       overwrite(path, 4096, static_cast<std::size_t>(fs::file_size(path)) - 4096, 'x');
     }},
    {"it is cut off", "is damaged", [](const std::string& path) { fs::resize_file(path, 8192); }},
    {"a newer version made it",
     "newer version",
     [](const std::string& path) { overwrite(path, 63, 1, 99); }},
    {"another program made it",
     "another program",
     [](const std::string& path) { overwrite(path, 68, 4, 7); }},
};

}  // namespace

TEST_CASE("a queue that cannot be used stops the start, and its repair loses no job",
          "[e2e][daemon][repair]") {
  const Damage& damage = GENERATE(from_range(k_damages));
  CAPTURE(damage.name);
  DaemonProcess daemon({.program = BATCHLLM_DAEMON, .batchllm = BATCHLLM_PROGRAM});
  const std::string ended = daemon.submit(daemon.job_body(R"([{"text":"one"},{"text":"two"}])"));
  REQUIRE(daemon.wait_for_end(ended).at(".state") == "succeeded");
  std::string later = daemon.job_body(R"([{"text":"three"}])");
  later.insert(1, R"("not_before":"2099-01-01T00:00:00Z",)");
  const std::string waiting = daemon.submit(later);
  REQUIRE(daemon.post("/daemon/backup", "{}").status == 201);
  const std::string after = daemon.submit(daemon.job_body(R"([{"text":"four"}])"));
  REQUIRE(daemon.wait_for_end(after).at(".state") == "succeeded");
  REQUIRE(daemon.stop() == 0);

  const std::string database = daemon.state_folder() + "/daemon/queue.db";
  damage.make(database);
  const std::string damaged = daemon.folder().read("state/batchllm/daemon/queue.db");
  auto service = daemon.command({});
  service.argv = {BATCHLLM_DAEMON};
  const auto refused = run_process(service);
  CAPTURE(refused.error_text);
  CHECK(refused.exit_code == 11);
  CHECK_THAT(refused.error_text, ContainsSubstring(database));
  CHECK_THAT(refused.error_text, ContainsSubstring(damage.code));
  CHECK_THAT(refused.error_text, ContainsSubstring("batchllm daemon repair"));
  CHECK_THAT(refused.error_text, ContainsSubstring("backups/queue-manual-"));
  CHECK(daemon.folder().read("state/batchllm/daemon/queue.db") == damaged);

  const auto repaired = run_process(daemon.command({"daemon", "repair", "--json"}));
  CAPTURE(repaired.error_text, repaired.output_text);
  REQUIRE(repaired.exit_code == 0);
  CHECK_THAT(repaired.output_text, ContainsSubstring("\"moved_to\":\"" + daemon.state_folder()));
  daemon.start();
  for (const std::string& id : {ended, after}) {
    const ApiAnswer job = daemon.get("/jobs/" + id);
    CHECK(job.at(".state") == "succeeded");
    CHECK(job.at(".exit_code") == "0");
    CHECK(job.at(".rows.ok") == (id == ended ? "2" : "1"));
    const ApiAnswer events = daemon.get("/jobs/" + id + "/events");
    CHECK(events.at(".items[0].type") == "job.queued");
    CHECK(events.at(".items[0].seq") == "1");
  }
  CHECK(daemon.get("/jobs/" + waiting).at(".state") == "queued");
  const std::string again = daemon.submit(daemon.job_body(R"([{"text":"five"}])"));
  CHECK(daemon.wait_for_end(again).at(".state") == "succeeded");
}

TEST_CASE("a queue that was lost comes back from the jobs' folders", "[e2e][daemon][repair]") {
  DaemonProcess daemon({.program = BATCHLLM_DAEMON,
                        .batchllm = BATCHLLM_PROGRAM,
                        .simulator = {"--latency", "200ms"}});
  const std::string ended = daemon.submit(daemon.job_body(R"([{"text":"one"}])"));
  REQUIRE(daemon.wait_for_end(ended).at(".state") == "succeeded");
  std::string rows = R"([{"text":"0"})";
  for (int i = 1; i < 40; ++i) {
    rows += R"(,{"text":")" + std::to_string(i) + "\"}";
  }
  const std::string begun =
      daemon.submit(daemon.job_body(rows + "]", "say {text}", "\"concurrency\":1"));
  REQUIRE(eventually([&] { return daemon.simulator().call_count() > 5; }));
  const auto busy = run_process(daemon.command({"daemon", "repair"}));
  CHECK(busy.exit_code == 10);
  REQUIRE(daemon.stop() == 0);
  fs::remove(daemon.state_folder() + "/daemon/queue.db");

  const auto repaired = run_process(daemon.command({"daemon", "repair"}));
  CAPTURE(repaired.error_text, repaired.output_text);
  REQUIRE(repaired.exit_code == 0);
  CHECK_THAT(repaired.output_text, ContainsSubstring("put back " + ended + ": succeeded\n"));
  CHECK_THAT(repaired.output_text, ContainsSubstring("put back " + begun + ": paused\n"));
  const auto once_more = run_process(daemon.command({"daemon", "repair"}));
  CHECK_THAT(once_more.output_text, ContainsSubstring("is whole\njobs in the queue: 2\n"));

  daemon.start();
  CHECK(daemon.get("/jobs/" + begun).at(".reason") == "repaired");
  CHECK(daemon.post("/jobs/" + begun + "/resume", "").status == 200);
  const ApiAnswer end = daemon.wait_for_end(begun);
  CHECK(end.at(".state") == "succeeded");
  CHECK(end.at(".rows.ok") == "40");
  daemon.simulator().stop();
  for (const auto& [message, calls] : daemon.simulator().calls_by_message()) {
    CAPTURE(message);
    CHECK(calls == 1);
  }
}

TEST_CASE("a repair that was killed before its end is finished by the next",
          "[e2e][daemon][repair]") {
  DaemonProcess daemon({.program = BATCHLLM_DAEMON, .batchllm = BATCHLLM_PROGRAM});
  const std::string job = daemon.submit(daemon.job_body(R"([{"text":"one"}])"));
  REQUIRE(daemon.wait_for_end(job).at(".state") == "succeeded");
  REQUIRE(daemon.stop() == 0);
  const std::string folder = daemon.state_folder() + "/daemon/";
  fs::rename(folder + "queue.db", folder + "queue.repaired.db");
  auto service = daemon.command({});
  service.argv = {BATCHLLM_DAEMON};
  const auto refused = run_process(service);
  CHECK(refused.exit_code == 11);
  CHECK_THAT(refused.error_text, ContainsSubstring("batchllm daemon repair finishes it"));
  CHECK(run_process(daemon.command({"daemon", "repair"})).exit_code == 0);
  CHECK_FALSE(fs::exists(folder + "queue.repaired.db"));
  daemon.start();
  CHECK(daemon.get("/jobs/" + job).at(".state") == "succeeded");
}

TEST_CASE("the name of a job's input that a power cut took is made anew when the job begins",
          "[e2e][daemon][repair]") {
  DaemonProcess daemon({.program = BATCHLLM_DAEMON,
                        .batchllm = BATCHLLM_PROGRAM,
                        .simulator = {"--latency", "200ms"}});
  const std::string job = daemon.submit(daemon.job_body(
      R"([{"text":"one"},{"text":"two"},{"text":"three"}])", "say {text}", "\"concurrency\":1"));
  REQUIRE(eventually([&] { return daemon.simulator().call_count() > 0; }));
  daemon.kill();
  REQUIRE(fs::remove_all(daemon.state_folder() + "/uploads") > 1);
  daemon.start();
  const ApiAnswer ended = daemon.wait_for_end(job);
  CHECK(ended.at(".state") == "succeeded");
  CHECK(ended.at(".rows.ok") == "3");
}

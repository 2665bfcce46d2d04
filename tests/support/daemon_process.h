// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/json_document.h"
#include "tests/support/process.h"
#include "tests/support/raw_http_client.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/simulator_process.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm::test {

// The response to a request, its body as JSON where it is JSON.
struct ApiAnswer {
  int status = 0;
  std::string head;  // status line and headers
  std::string body;
  JsonNode json;  // null when the body is no JSON

  // The member at `path` (".rows.ok", ".items[0].id") as text; empty when there is none.
  std::string at(std::string_view path) const;
};

// batchllmd with folders of its own, and a simulator that plays its provider. The folders outlive
// the process: it can be killed and started again. Not thread-safe, except send() and what uses it.
class DaemonProcess {
 public:
  struct Options {
    std::string program;                      // batchllmd
    std::string batchllm;                     // whose `simulate` is the provider
    std::vector<std::string> words = {};      // of batchllmd's command line
    std::string config = {};                  // the user's config.toml
    std::vector<std::string> simulator = {};  // options of `simulate`
  };

  // Returns when it is ready. Throws std::runtime_error when it does not become so.
  explicit DaemonProcess(Options options);

  std::string socket() const { return folder_.path("run/batchllm/daemon.sock"); }

  std::string state_folder() const { return folder_.path("state/batchllm"); }

  const ScratchFolder& folder() const noexcept { return folder_; }

  SimulatorProcess& simulator() noexcept { return simulator_; }

  Process& process() { return *process_; }

  // The command line with the same folders, to be run with run_process().
  ProcessOptions command(const std::vector<std::string>& words) const;

  // SIGKILL: workers notice by themselves.
  void kill();

  // SIGTERM; returns the exit code.
  int stop();

  // Again, in the same folders.
  void start();

  // One request on a connection of its own. `target` is below /api/v1 unless it begins with "//".
  ApiAnswer send(std::string_view method,
                 std::string_view target,
                 std::string_view body = {},
                 const std::vector<std::string>& headers = {}) const;

  ApiAnswer get(std::string_view target) const { return send("GET", target); }

  ApiAnswer post(std::string_view target, std::string_view json) const {
    return send("POST", target, json, {"Content-Type: application/json"});
  }

  // The body of POST /jobs for rows in the request: `rows` is a JSON array of objects, `options`
  // further members of "options" as JSON ("\"rpm\": 1").
  std::string job_body(std::string_view rows,
                       std::string_view prompt = "say {text}",
                       std::string_view options = {}) const;

  // Queues it; the id. Throws when it is refused.
  std::string submit(std::string_view job_body) const;

  // Waits until the job is in `state`; false when it does not come to be so.
  bool wait_for_state(const std::string& job, std::string_view state) const;

  // Waits until it has ended; the job's last document.
  ApiAnswer wait_for_end(const std::string& job) const;

 private:
  ProcessOptions process_options(const std::string& program,
                                 const std::vector<std::string>& words) const;

  ScratchFolder folder_;
  Options options_;
  SimulatorProcess simulator_;
  std::unique_ptr<Process> process_;
};

}  // namespace batchllm::test

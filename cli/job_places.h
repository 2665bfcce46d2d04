// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/daemon_client.h"
#include "cli/queued_job.h"
#include "cli/ui.h"
#include "core/config_layers.h"
#include "core/job_directory.h"

#include <optional>
#include <stop_token>
#include <string>

namespace batchllm {

// A job wherever it is: what the daemon says of it, its folder, or both.
struct FoundJob {
  std::string id;
  std::optional<DaemonJob> queued;     // the daemon has it
  std::optional<JobDirectory> folder;  // it has been begun, and its folder can be read here
};

// The places where jobs are: the state folder and batchllmd, with one id space. Not thread-safe.
class JobPlaces {
 public:
  JobPlaces(const Settings& settings,
            const EnvironmentLookup& environment,
            Ui& ui,
            std::stop_token stop = {});

  // nullptr when nobody listens. Throws Error(daemon_unreachable) then only when --host says where;
  // what else prevents talking to it is a warning, once.
  DaemonClient* daemon();

  // The daemon, or Error(daemon_unreachable) that says how to start it.
  DaemonClient& require_daemon();

  // True when batchllmd listens, or would, on a socket of this machine.
  bool is_local() const noexcept { return is_local_; }

  // Throws Error(job_not_found); Error(daemon_unreachable) for a job of the daemon's while that is
  // not running: nobody else may touch it.
  FoundJob find(const std::string& id);

  // What the daemon says of it; nothing when it does not know the job or is not running.
  std::optional<DaemonJob> ask_daemon(const std::string& id);

  Ui& ui() noexcept { return ui_; }

 private:
  Ui& ui_;
  bool is_local_;
  bool was_chosen_;  // by --host
  bool was_asked_ = false;
  bool is_there_ = false;
  DaemonClient client_;
};

// True for a job that batchllmd made: it is the daemon's, even while that is not running.
bool is_the_daemons(const JobRecord& record);

// The same from the folder; false when job.json cannot be read.
bool is_the_daemons(const JobDirectory& directory);

}  // namespace batchllm

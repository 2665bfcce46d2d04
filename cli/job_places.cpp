// SPDX-License-Identifier: Apache-2.0
#include "cli/job_places.h"

#include "cli/daemon_connection.h"
#include "core/error.h"
#include "core/job_id.h"
#include "core/setting_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace batchllm {
namespace {

std::optional<JobDirectory> folder_of(const std::string& state_dir, const std::string& id) {
  try {
    return JobDirectory::open(state_dir, id);
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

JobPlaces::JobPlaces(const Settings& settings,
                     const EnvironmentLookup& environment,
                     Ui& ui,
                     std::stop_token stop)
    : ui_(ui),
      is_local_(is_local_daemon(daemon_connection(settings, environment))),
      was_chosen_(!SettingReader(settings).text("host").empty()),
      client_(daemon_connection(settings, environment, std::move(stop))) {}

DaemonClient* JobPlaces::daemon() {
  if (!was_asked_) {
    try {
      is_there_ = client_.is_running();
    } catch (const Error& error) {
      if (was_chosen_ || error.code() != ErrorCode::daemon_unreachable) {
        throw;
      }
      ui_.messages().warning(error.message());
    }
    was_asked_ = true;
    if (!is_there_ && was_chosen_) {
      require_daemon();
    }
  }
  return is_there_ ? &client_ : nullptr;
}

DaemonClient& JobPlaces::require_daemon() {
  if (!was_asked_) {
    is_there_ = client_.is_running();
    was_asked_ = true;
  }
  if (!is_there_) {
    throw Error(ErrorCode::daemon_unreachable,
                fmt::format("batchllmd is not running: nobody listens at {}", client_.address()),
                "start it with: batchllm daemon start");
  }
  return client_;
}

std::optional<DaemonJob> JobPlaces::ask_daemon(const std::string& id) {
  if (!is_job_id(id) || daemon() == nullptr) {
    return std::nullopt;
  }
  try {
    return read_daemon_job(client_.get(url_path({"jobs", id})));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::job_not_found) {
      throw;
    }
    return std::nullopt;
  }
}

FoundJob JobPlaces::find(const std::string& id) {
  FoundJob found{id, ask_daemon(id), folder_of(ui_.state_dir(), id)};
  if (found.queued) {
    return found;
  }
  if (!found.folder) {
    found.folder = JobDirectory::open(ui_.state_dir(), id);  // throws, with the nearest id
  }
  if (!is_there_ && is_the_daemons(*found.folder)) {
    throw Error(ErrorCode::daemon_unreachable,
                fmt::format("{} is a job of batchllmd, which is not running", id),
                "start it with: batchllm daemon start");
  }
  return found;
}

bool is_the_daemons(const JobRecord& record) {
  return std::any_of(record.inputs.begin(), record.inputs.end(), [](const auto& input) {
    return input.is_stored;
  });
}

bool is_the_daemons(const JobDirectory& directory) {
  try {
    return is_the_daemons(directory.load());
  } catch (const Error&) {
    return false;
  }
}

}  // namespace batchllm

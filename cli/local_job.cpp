// SPDX-License-Identifier: Apache-2.0
#include "cli/local_job.h"

#include "core/error.h"
#include "core/lock_file.h"
#include "core/text.h"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <system_error>

namespace batchllm {
namespace {

int code_of(ErrorCode code) {
  return error_kind(code).exit_code;
}

}  // namespace

int local_exit_code(const JobReport& report) {
  const JobRecord& record = report.record;
  switch (record.status) {
    case JobStatus::succeeded:
      return 0;
    case JobStatus::partial:
      return record.settings.fail_on == FailOn::none ? 0 : code_of(ErrorCode::rows_failed);
    default: {
      const auto stopped_by = find_error_code(record.stop_code);
      return code_of(stopped_by.value_or(ErrorCode::interrupted));
    }
  }
}

void interrupt_local_job(const JobDirectory& directory) {
  const std::string id = directory.folder().filename().string();
  const std::filesystem::path lock = directory.folder() / "lock";
  const auto process = parse_integer(lock_file_holder(lock));
  // The number in the file means something only while its process holds the lock.
  if (!process || *process <= 1 || !is_lock_file_held(lock)) {
    throw Error(ErrorCode::job_conflict,
                fmt::format("{} is not running", id),
                fmt::format("batchllm jobs rm {} removes it, batchllm resume {} goes on", id, id));
  }
  if (kill(static_cast<pid_t>(*process), SIGINT) != 0) {
    throw Error(ErrorCode::job_conflict,
                fmt::format("cannot stop process {}, which runs {}: {}",
                            *process,
                            id,
                            std::generic_category().message(errno)));
  }
}

}  // namespace batchllm

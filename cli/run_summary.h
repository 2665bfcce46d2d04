// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/ui.h"
#include "core/engine.h"
#include "core/job_record.h"

#include <optional>
#include <string>

namespace batchllm {

struct RunEnd {
  const JobRecord& record;
  const EngineResult& result;
  std::optional<Error> stop;  // why it ended before its time
  std::string output_path;    // where the result is; empty: there is none yet
  std::string rejects_path;   // empty: no bad rows
  int exit_code = 0;
};

// Says how a run ended: for people on standard error, with --json as one object on standard output
// (schema "batchllm.run/1").
void report_run(const RunEnd& end, Ui& ui);

// Says that nothing was left to do and where the result is.
void report_already_done(const RunEnd& end, Ui& ui);

}  // namespace batchllm

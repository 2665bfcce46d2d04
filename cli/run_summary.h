// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/job/gold_report.h"
#include "adapters/job/job_run.h"
#include "cli/ui.h"
#include "core/job_record.h"

#include <optional>

namespace batchllm {

// Says how a run ended: for people on standard error, with --json as one object on standard output
// (schema "batchllm.run/1"). `gold`: its answers beside the right ones, when that was asked for.
void report_run(const JobRecord& record,
                const JobEnd& end,
                const std::optional<GoldReport>& gold,
                Ui& ui);

// Says that nothing was left to do and where the result is.
void report_already_done(const JobRecord& record,
                         const JobEnd& end,
                         const std::optional<GoldReport>& gold,
                         Ui& ui);

}  // namespace batchllm

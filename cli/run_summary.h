// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/job/job_run.h"
#include "cli/answer_reports.h"
#include "cli/ui.h"
#include "core/job_record.h"

namespace batchllm {

// Says how a run ended: for people on standard error, with --json as one object on standard output
// (schema "batchllm.run/1"), with what is to be said of its answers.
void report_run(const JobRecord& record, const JobEnd& end, const AnswerReports& reports, Ui& ui);

// Says that nothing was left to do and where the result is.
void report_already_done(const JobRecord& record,
                         const JobEnd& end,
                         const AnswerReports& reports,
                         Ui& ui);

}  // namespace batchllm

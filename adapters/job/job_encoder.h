// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/job/job_model.h"
#include "core/chat_row_encoder.h"
#include "core/chat_template.h"
#include "core/job_record.h"
#include "core/row_source.h"

#include <memory>
#include <vector>

namespace batchllm {

// Makes --prompt, --system or --template (a file, which is read here) into the messages of a job;
// the template's model and parameters are taken where the settings say none. Throws Error.
std::vector<MessageText> make_messages(JobSettings& settings);

// The messages of a template that is in memory; model and parameters as above.
std::vector<MessageText> take_template(const ChatTemplateText& text, JobSettings& settings);

// Compiles templates, filter and special columns against the source's columns; what the model must
// be told of the answer's form goes behind the prompt. `model` outlives the encoder. Throws
// Error(usage | column_missing | template_invalid).
std::unique_ptr<ChatRowEncoder> make_encoder(const JobRecord& record,
                                             const RowSource& source,
                                             const JobModel& model);

}  // namespace batchllm

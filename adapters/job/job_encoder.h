// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/job/job_model.h"
#include "core/chat_row_encoder.h"
#include "core/chat_template.h"
#include "core/job_record.h"
#include "core/row_source.h"
#include "core/step_names.h"

#include <cstddef>
#include <memory>
#include <vector>

namespace batchllm {

// Makes --prompt (once or several times), --system or --template (a file, which is read here) into
// what a job asks: messages, model and form of its only or first step, and the steps behind it;
// with
// --compare a step for each model. A template's model and parameters are taken where the settings
// say none; a step's own come before them. What the settings say of the answer's form is meant for
// the last step. Throws Error.
void make_questions(JobRecord& record);

// The same for steps that are in memory, one at least.
void make_steps(std::vector<ChatTemplateText::Step> steps, JobRecord& record);

// When the settings name models to compare, the messages become the question to each of them, in
// their order. Throws Error(usage) when they cannot be compared.
void ask_compared_models(JobRecord& record);

// The messages of a template that is in memory; model and parameters as above.
std::vector<MessageText> take_template(const ChatTemplateText& text, JobSettings& settings);

// How the steps of a job and the fields of their answers are called; empty for a job of one step.
std::vector<StepNames> step_names(const JobRecord& record);

// The same of those whose answers other steps may read: none where models are compared.
std::vector<StepNames> readable_steps(const JobRecord& record);

// Compiles templates, filter and special columns against the source's columns; what the model must
// be told of the answer's form goes behind the prompt. `model` outlives the encoder. Throws
// Error(usage | column_missing | template_invalid).
std::unique_ptr<ChatRowEncoder> make_encoder(const JobRecord& record,
                                             const RowSource& source,
                                             const JobModel& model);

// The same for a step behind the first, 0 being the second. Its columns are those of the row and
// the answers of the steps before.
std::unique_ptr<ChatRowEncoder> make_step_encoder(const JobRecord& record,
                                                  std::size_t later_step,
                                                  const RowSource& source,
                                                  const JobModel& model);

}  // namespace batchllm

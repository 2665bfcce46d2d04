// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/answer_check.h"
#include "core/answer_form.h"
#include "core/job_settings.h"

#include <memory>
#include <optional>
#include <string>

namespace batchllm {

// The form that a job's answers must have; null when any will do. Throws Error(usage) for one that
// cannot be.
std::shared_ptr<const AnswerForm> make_form(const AnswerSettings& settings);

// The JSON Schema of that form in one line, as a provider is told it; nullopt when there is none.
std::optional<std::string> schema_of(const AnswerSettings& settings);

// Reads the file that --schema names into the settings; a schema that stands there already stays.
// Throws Error(usage) when it cannot be read.
void take_schema(AnswerSettings& settings);

// Looks at answers for a form. Not thread-safe.
class FormCheck final : public AnswerCheck {
 public:
  explicit FormCheck(std::shared_ptr<const AnswerForm> form) : form_(std::move(form)) {}

  CheckedAnswer check(std::string_view answer) override;

 private:
  std::shared_ptr<const AnswerForm> form_;
  std::string formed_;
};

}  // namespace batchllm

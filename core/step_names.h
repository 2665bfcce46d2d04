// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// What later steps of a row may say of the answer of one: {steps.NAME.output} and, when its answers
// have fields, {steps.NAME.FIELD}. NUMBER (from 1) stands for NAME, too.
struct StepNames {
  std::string name;
  std::vector<std::string> fields;  // of a structured answer, in its schema's order
};

// The names of the cells that one step adds to a row: "steps.first.output", "steps.first.label",
// then the same with its number where that is not its name. `index` counts from 0.
std::vector<std::string> step_columns(const StepNames& step, std::size_t index);

// The same of all steps, in their order.
std::vector<std::string> step_columns(const std::vector<StepNames>& steps);

// Throws Error(template_invalid) when one of `columns`, which step `index` reads, is an answer of
// itself or of a later step.
void check_step_columns(const std::vector<StepNames>& steps,
                        std::size_t index,
                        const std::vector<std::string>& columns);

// Letters, digits, _ and -, not beginning with a digit.
bool is_step_name(std::string_view name) noexcept;

}  // namespace batchllm

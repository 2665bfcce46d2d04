// SPDX-License-Identifier: Apache-2.0
#include "core/step_names.h"

#include "core/error.h"
#include "core/template_names.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace batchllm {
namespace {

void add_columns(const StepNames& step,
                 std::string_view called,
                 std::vector<std::string>& columns) {
  columns.push_back(fmt::format("steps.{}.output", called));
  for (const std::string& field : step.fields) {
    columns.push_back(fmt::format("steps.{}.{}", called, field));
  }
}

}  // namespace

std::vector<std::string> step_columns(const StepNames& step, std::size_t index) {
  std::vector<std::string> columns;
  const std::string number = std::to_string(index + 1);
  add_columns(step, step.name, columns);
  if (step.name != number) {
    add_columns(step, number, columns);
  }
  return columns;
}

std::vector<std::string> step_columns(const std::vector<StepNames>& steps) {
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    auto of_step = step_columns(steps[i], i);
    std::move(of_step.begin(), of_step.end(), std::back_inserter(columns));
  }
  return columns;
}

void check_step_columns(const std::vector<StepNames>& steps,
                        std::size_t index,
                        const std::vector<std::string>& columns) {
  for (std::size_t other = index; other < steps.size(); ++other) {
    for (const std::string& column : step_columns(steps[other], other)) {
      if (std::find(columns.begin(), columns.end(), column) == columns.end()) {
        continue;
      }
      std::vector<std::string> before;
      for (std::size_t i = 0; i < index; ++i) {
        before.push_back(steps[i].name);
      }
      throw Error(
          ErrorCode::template_invalid,
          fmt::format("step {}: {} is not known by then: {}",
                      steps[index].name,
                      one_line(column, 60),
                      other == index ? "a step cannot read its own answer"
                                     : fmt::format("step {} comes later", steps[other].name)),
          before.empty() ? "the first step reads no other: it speaks of columns only"
                         : fmt::format("a step may read those before it: {}", name_list(before)));
    }
  }
}

bool is_step_name(std::string_view name) noexcept {
  return !name.empty() && path_length(name) == name.size() && path_head(name) == name;
}

}  // namespace batchllm

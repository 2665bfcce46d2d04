// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/chat_template.h"

#include <string>
#include <string_view>
#include <vector>

namespace batchllm::daemon {

// What a task can ask: a template of the gallery.
struct TaskType {
  std::string name;
  ChatTemplateText chat;
  std::vector<std::string> inputs;  // names that its messages use, sorted
};

// All of them, by name. Read once; thread-safe.
const std::vector<TaskType>& task_types();

// Throws Error(task_type_unknown) with the nearest name.
const TaskType& require_task_type(std::string_view name);

}  // namespace batchllm::daemon

// SPDX-License-Identifier: Apache-2.0
#include "daemon/api/task_types.h"

#include "adapters/config/template_file.h"
#include "core/error.h"
#include "core/text.h"
#include "daemon/api/builtin_templates.h"

#include <fmt/format.h>

#include <algorithm>

namespace batchllm::daemon {
namespace {

TaskType read_type(const BuiltinTemplate& file) {
  TaskType type;
  type.name = file.name;
  type.chat = parse_template_file(file.toml, fmt::format("{}.toml", file.name));
  TemplateNames names;
  names.open_ended = true;  // whatever the messages name is to come with the task
  type.inputs = ChatTemplate::compile(type.chat, names).columns();
  std::sort(type.inputs.begin(), type.inputs.end());
  return type;
}

std::vector<TaskType> read_types() {
  std::vector<TaskType> types;
  for (const BuiltinTemplate& file : builtin_templates()) {
    types.push_back(read_type(file));
  }
  return types;
}

}  // namespace

const std::vector<TaskType>& task_types() {
  static const std::vector<TaskType> types = read_types();
  return types;
}

const TaskType& require_task_type(std::string_view name) {
  std::vector<std::string> known;
  for (const TaskType& type : task_types()) {
    if (type.name == name) {
      return type;
    }
    known.push_back(type.name);
  }
  const auto nearest = nearest_name(name, known);
  throw Error(ErrorCode::task_type_unknown,
              fmt::format("there is no task type {}", printable(name)),
              nearest ? fmt::format("did you mean {}?", *nearest)
                      : fmt::format("there are {}", name_list(known)));
}

}  // namespace batchllm::daemon

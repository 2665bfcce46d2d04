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

// What stands in braces and looks like a name: compiling tells which of it is one.
TemplateNames possible_names(const ChatTemplateText& chat) {
  TemplateNames names;
  for (const auto& message : chat.messages) {
    std::string_view rest = message.text;
    while (rest.find('{') != std::string_view::npos) {
      rest.remove_prefix(rest.find('{') + 1);
      const std::string_view inside =
          rest.substr(std::min(rest.find_first_not_of(' '), rest.size()));
      const std::string name(path_head(inside.substr(0, path_length(inside))));
      if (!name.empty() &&
          std::find(names.columns.begin(), names.columns.end(), name) == names.columns.end()) {
        names.columns.push_back(name);
      }
    }
  }
  return names;
}

TaskType read_type(const BuiltinTemplate& file) {
  TaskType type;
  type.name = file.name;
  type.chat = parse_template_file(file.toml, fmt::format("{}.toml", file.name));
  type.inputs = ChatTemplate::compile(type.chat, possible_names(type.chat)).columns();
  std::sort(type.inputs.begin(), type.inputs.end());
  return type;
}

std::vector<TaskType> read_types() {
  std::vector<TaskType> types;
  for (const BuiltinTemplate& file : builtin_templates()) {
    types.push_back(read_type(file));
  }
  std::sort(types.begin(), types.end(), [](const TaskType& a, const TaskType& b) {
    return a.name < b.name;
  });
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

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace batchllm::daemon {

// Throws Error(usage) for what cannot be a project's name: a letter or digit, then at most 99
// letters, digits, dots, dashes and underscores can. So a name is always one part of a path.
void check_project_name(std::string_view name);

}  // namespace batchllm::daemon

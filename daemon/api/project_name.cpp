// SPDX-License-Identifier: Apache-2.0
#include "daemon/api/project_name.h"

#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace batchllm::daemon {
namespace {

constexpr std::size_t k_longest_name = 100;

bool is_plain(char byte) noexcept {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9');
}

}  // namespace

void check_project_name(std::string_view name) {
  const bool can_be = !name.empty() && name.size() <= k_longest_name && is_plain(name.front()) &&
                      std::all_of(name.begin(), name.end(), [](char byte) {
                        return is_plain(byte) || byte == '.' || byte == '_' || byte == '-';
                      });
  if (!can_be) {
    throw Error(ErrorCode::usage,
                fmt::format("{} cannot be the name of a project", printable(name)),
                "a letter or digit, then at most 99 letters, digits, dots, dashes and underscores");
  }
}

}  // namespace batchllm::daemon

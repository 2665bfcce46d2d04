// SPDX-License-Identifier: Apache-2.0
#include "core/outcome.h"

#include <array>

namespace batchllm {
namespace {

constexpr std::array<std::string_view, 18> k_failure_names = {
    "none",
    "rate_limited",
    "quota_exhausted",
    "auth_refused",
    "bad_request",
    "context_too_long",
    "content_filtered",
    "refused",
    "truncated",
    "empty_answer",
    "invalid_answer",
    "server_error",
    "overloaded",
    "timeout",
    "connection_failed",
    "protocol_error",
    "cancelled",
    "in_doubt",
};

constexpr std::array<std::string_view, 3> k_status_names = {"ok", "failed", "skipped"};

template <typename Enum, std::size_t N>
std::optional<Enum> from_name(const std::array<std::string_view, N>& names,
                              std::string_view name) noexcept {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) {
      return static_cast<Enum>(i);
    }
  }
  return std::nullopt;
}

}  // namespace

std::string_view failure_name(RowFailure failure) noexcept {
  return k_failure_names[static_cast<std::size_t>(failure)];
}

std::optional<RowFailure> failure_from_name(std::string_view name) noexcept {
  return from_name<RowFailure>(k_failure_names, name);
}

std::string_view status_name(RowStatus status) noexcept {
  return k_status_names[static_cast<std::size_t>(status)];
}

std::optional<RowStatus> status_from_name(std::string_view name) noexcept {
  return from_name<RowStatus>(k_status_names, name);
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "core/error.h"

#include <algorithm>
#include <array>

namespace batchllm {
namespace {

constexpr std::array k_error_kinds = {
    ErrorKind{ErrorCode::internal, "internal", 1, 500},
    ErrorKind{ErrorCode::usage, "usage", 2, 400},
    ErrorKind{ErrorCode::config_invalid, "config_invalid", 2, 400},
    ErrorKind{ErrorCode::template_invalid, "template_invalid", 2, 400},
    ErrorKind{ErrorCode::input_missing, "input_missing", 3, 422},
    ErrorKind{ErrorCode::input_unreadable, "input_unreadable", 3, 422},
    ErrorKind{ErrorCode::input_malformed, "input_malformed", 3, 422},
    ErrorKind{ErrorCode::input_changed, "input_changed", 3, 409},
    ErrorKind{ErrorCode::bad_row, "bad_row", 3, 422},
    ErrorKind{ErrorCode::column_missing, "column_missing", 3, 422},
    ErrorKind{ErrorCode::rows_failed, "rows_failed", 4, 200},
    ErrorKind{ErrorCode::cost_limit, "cost_limit", 5, 402},
    ErrorKind{ErrorCode::deadline, "deadline", 5, 408},
    ErrorKind{ErrorCode::failure_limit, "failure_limit", 5, 409},
    ErrorKind{ErrorCode::key_missing, "key_missing", 6, 401},
    ErrorKind{ErrorCode::key_refused, "key_refused", 6, 401},
    ErrorKind{ErrorCode::provider_unreachable, "provider_unreachable", 7, 502},
    ErrorKind{ErrorCode::provider_failing, "provider_failing", 7, 502},
    ErrorKind{ErrorCode::quota_exhausted, "quota_exhausted", 7, 402},
    ErrorKind{ErrorCode::daemon_unreachable, "daemon_unreachable", 8, 503},
    ErrorKind{ErrorCode::peer_refused, "peer_refused", 8, 403},
    ErrorKind{ErrorCode::body_too_large, "body_too_large", 3, 413},
    ErrorKind{ErrorCode::daemon_busy, "daemon_busy", 8, 503},
    ErrorKind{ErrorCode::job_not_found, "job_not_found", 9, 404},
    ErrorKind{ErrorCode::model_unknown, "model_unknown", 9, 404},
    ErrorKind{ErrorCode::topic_unknown, "topic_unknown", 9, 404},
    ErrorKind{ErrorCode::output_exists, "output_exists", 10, 409},
    ErrorKind{ErrorCode::job_locked, "job_locked", 10, 409},
    ErrorKind{ErrorCode::job_conflict, "job_conflict", 10, 409},
    ErrorKind{ErrorCode::daemon_running, "daemon_running", 10, 409},
    ErrorKind{ErrorCode::storage, "storage", 11, 507},
    ErrorKind{ErrorCode::storage_full, "storage_full", 11, 507},
    ErrorKind{ErrorCode::job_corrupt, "job_corrupt", 11, 500},
    ErrorKind{ErrorCode::database_corrupt, "database_corrupt", 11, 500},
    ErrorKind{ErrorCode::database_newer, "database_newer", 11, 500},
    ErrorKind{ErrorCode::auth_required, "auth_required", 6, 401},
    ErrorKind{ErrorCode::path_unknown, "path_unknown", 9, 404},
    ErrorKind{ErrorCode::method_not_allowed, "method_not_allowed", 2, 405},
    ErrorKind{ErrorCode::idempotency_conflict, "idempotency_conflict", 10, 409},
    ErrorKind{ErrorCode::task_not_found, "task_not_found", 9, 404},
    ErrorKind{ErrorCode::task_type_unknown, "task_type_unknown", 9, 404},
    ErrorKind{ErrorCode::schedule_not_found, "schedule_not_found", 9, 404},
    ErrorKind{ErrorCode::key_not_found, "key_not_found", 9, 404},
    ErrorKind{ErrorCode::project_not_found, "project_not_found", 9, 404},
    ErrorKind{ErrorCode::name_taken, "name_taken", 10, 409},
    ErrorKind{ErrorCode::project_in_use, "project_in_use", 10, 409},
    ErrorKind{ErrorCode::daemon_draining, "daemon_draining", 8, 503},
    ErrorKind{ErrorCode::dependency_failed, "dependency_failed", 10, 409},
    ErrorKind{ErrorCode::declined, "declined", 12, 400},
    ErrorKind{ErrorCode::timeout, "timeout", 124, 504},
    ErrorKind{ErrorCode::interrupted, "interrupted", 130, 499},
    ErrorKind{ErrorCode::terminated, "terminated", 143, 499},
    ErrorKind{ErrorCode::file_too_large, "file_too_large", 3, 413},
    ErrorKind{ErrorCode::file_type_refused, "file_type_refused", 3, 415},
    ErrorKind{ErrorCode::file_not_found, "file_not_found", 9, 404},
    ErrorKind{ErrorCode::file_in_use, "file_in_use", 10, 409},
    ErrorKind{ErrorCode::vault_unreadable, "vault_unreadable", 11, 500},
    ErrorKind{ErrorCode::key_store_locked, "key_store_locked", 6, 401},
};

// nullptr when no row of the table is it.
template <typename IsIt>
const ErrorKind* find_kind(IsIt is_it) noexcept {
  const auto* kind = std::find_if(k_error_kinds.begin(), k_error_kinds.end(), is_it);
  return kind == k_error_kinds.end() ? nullptr : kind;
}

std::optional<ErrorCode> code_of(const ErrorKind* kind) noexcept {
  return kind == nullptr ? std::nullopt : std::optional(kind->code);
}

}  // namespace

const ErrorKind& error_kind(ErrorCode code) noexcept {
  const ErrorKind* kind = find_kind([code](const ErrorKind& row) { return row.code == code; });
  return kind == nullptr ? k_error_kinds.front() : *kind;
}

std::optional<ErrorCode> find_error_code(std::string_view name) noexcept {
  return code_of(find_kind([name](const ErrorKind& row) { return row.name == name; }));
}

std::optional<ErrorCode> find_error_code(int exit_code) noexcept {
  return code_of(
      find_kind([exit_code](const ErrorKind& row) { return row.exit_code == exit_code; }));
}

Error::Error(ErrorCode code, std::string message, std::string hint)
    : code_(code),
      message_(std::move(message)),
      hint_(std::move(hint)) {}

Error&& Error::with_context(std::string_view place) && {
  message_.insert(0, ": ").insert(0, place);
  return std::move(*this);
}

Error&& Error::with_detail(std::string key, std::string value) && {
  details_.emplace_back(std::move(key), std::move(value));
  return std::move(*this);
}

}  // namespace batchllm

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
    ErrorKind{ErrorCode::job_not_found, "job_not_found", 9, 404},
    ErrorKind{ErrorCode::model_unknown, "model_unknown", 9, 404},
    ErrorKind{ErrorCode::topic_unknown, "topic_unknown", 9, 404},
    ErrorKind{ErrorCode::output_exists, "output_exists", 10, 409},
    ErrorKind{ErrorCode::job_locked, "job_locked", 10, 409},
    ErrorKind{ErrorCode::job_conflict, "job_conflict", 10, 409},
    ErrorKind{ErrorCode::storage, "storage", 11, 507},
    ErrorKind{ErrorCode::storage_full, "storage_full", 11, 507},
    ErrorKind{ErrorCode::job_corrupt, "job_corrupt", 11, 500},
    ErrorKind{ErrorCode::declined, "declined", 12, 400},
    ErrorKind{ErrorCode::timeout, "timeout", 124, 504},
    ErrorKind{ErrorCode::interrupted, "interrupted", 130, 499},
    ErrorKind{ErrorCode::terminated, "terminated", 143, 499},
    ErrorKind{ErrorCode::file_too_large, "file_too_large", 3, 413},
    ErrorKind{ErrorCode::file_type_refused, "file_type_refused", 3, 415},
    ErrorKind{ErrorCode::file_not_found, "file_not_found", 9, 404},
    ErrorKind{ErrorCode::file_in_use, "file_in_use", 10, 409},
    ErrorKind{ErrorCode::vault_unreadable, "vault_unreadable", 11, 500},
};

}  // namespace

const ErrorKind& error_kind(ErrorCode code) noexcept {
  const auto* kind = std::find_if(k_error_kinds.begin(),
                                  k_error_kinds.end(),
                                  [code](const auto& entry) { return entry.code == code; });
  return kind == k_error_kinds.end() ? k_error_kinds.front() : *kind;
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

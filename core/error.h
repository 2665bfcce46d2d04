// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm {

// What stopped a command. One code per cause; the table in error.cpp gives each its JSON name, exit
// code and HTTP status. Names are an interface for scripts: they are never renamed or reused.
enum class ErrorCode {
  internal,
  usage,
  config_invalid,
  template_invalid,
  input_missing,
  input_unreadable,
  input_malformed,
  input_changed,
  bad_row,
  column_missing,
  rows_failed,
  cost_limit,
  deadline,
  failure_limit,
  key_missing,
  key_refused,
  provider_unreachable,
  provider_failing,
  quota_exhausted,
  daemon_unreachable,
  daemon_running,
  peer_refused,
  body_too_large,
  daemon_busy,
  job_not_found,
  model_unknown,
  topic_unknown,
  output_exists,
  job_locked,
  job_conflict,
  storage,
  storage_full,
  job_corrupt,
  database_corrupt,
  database_newer,
  declined,
  timeout,
  interrupted,
  terminated,
  auth_required,
  path_unknown,
  method_not_allowed,
  idempotency_conflict,
  task_not_found,
  task_type_unknown,
  schedule_not_found,
  key_not_found,
  project_not_found,
  name_taken,
  project_in_use,
  daemon_draining,
  dependency_failed,
  file_too_large,
  file_type_refused,
  file_not_found,
  file_in_use,
  vault_unreadable,
  key_store_locked,
};

struct ErrorKind {
  ErrorCode code;
  std::string_view name;
  int exit_code;
  int http_status;
};

// The row of the table that belongs to `code`.
const ErrorKind& error_kind(ErrorCode code) noexcept;

// The code with that name in JSON; nothing for a name that is none (of a newer version, say).
std::optional<ErrorCode> find_error_code(std::string_view name) noexcept;

// The first code of the table with that exit code: what a newer version's code comes closest to.
std::optional<ErrorCode> find_error_code(int exit_code) noexcept;

// A command or a job cannot go on. Thrown where the fact is known; caught in `main` (and in the
// API's handler). `message` says what happened and where, `hint` what to do next; both are text for
// people, already free of secrets. `details` are facts for `--json`, as JSON object members in
// order.
class Error : public std::exception {
 public:
  Error(ErrorCode code, std::string message, std::string hint = {});

  ErrorCode code() const noexcept { return code_; }

  const std::string& message() const noexcept { return message_; }

  const std::string& hint() const noexcept { return hint_; }

  const std::vector<std::pair<std::string, std::string>>& details() const noexcept {
    return details_;
  }

  int exit_code() const noexcept { return error_kind(code_).exit_code; }

  std::string_view name() const noexcept { return error_kind(code_).name; }

  const char* what() const noexcept override { return message_.c_str(); }

  // Puts the place before the message ("in --prompt-file ask.txt: line 3: …") while the error
  // rises.
  Error&& with_context(std::string_view place) &&;

  // Adds a fact for `--json`.
  Error&& with_detail(std::string key, std::string value) &&;

 private:
  ErrorCode code_;
  std::string message_;
  std::string hint_;
  std::vector<std::pair<std::string, std::string>> details_;
};

}  // namespace batchllm

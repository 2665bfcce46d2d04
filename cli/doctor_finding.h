// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/error.h"

#include <string>
#include <utility>
#include <vector>

namespace batchllm {

enum class Health { ok, warn, fail };

// One thing that was looked at.
struct Finding {
  Health health = Health::ok;
  std::string subject;  // "state folder"
  std::string message;
  std::string advice;  // what to do; empty for what is well
  int exit_code = 0;   // of a failure
};

// What was found, in order. Not thread-safe.
class Findings {
 public:
  void ok(std::string subject, std::string message) {
    all_.push_back({Health::ok, std::move(subject), std::move(message), {}, 0});
  }

  void warn(std::string subject, std::string message, std::string advice) {
    all_.push_back({Health::warn, std::move(subject), std::move(message), std::move(advice), 0});
  }

  void fail(std::string subject, ErrorCode code, std::string message, std::string advice) {
    all_.push_back({Health::fail,
                    std::move(subject),
                    std::move(message),
                    std::move(advice),
                    error_kind(code).exit_code});
  }

  void fail(std::string subject, const Error& error) {
    fail(std::move(subject), error.code(), error.message(), error.hint());
  }

  const std::vector<Finding>& all() const noexcept { return all_; }

 private:
  std::vector<Finding> all_;
};

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/outcome.h"

#include <string>
#include <string_view>

namespace batchllm::wire {

// What a provider's error says, for the classification.
struct ErrorBody {
  std::string message;
  std::string type;
  std::string code;

  bool is(std::string_view word) const noexcept { return type == word || code == word; }
};

// True for the ways in which providers say that a prompt does not fit, and for nothing that says
// that too many were sent.
bool says_context_too_long(std::string_view message);

// What an HTTP status with this error means by the rules that hold across providers: 401 and 403
// are the key's fault, 402 and used-up quotas end the run, 429 is worth waiting, every 5xx worth
// trying again. A dialect looks at its own words first.
RowFailure classify_error(int status, const ErrorBody& error);

// No row can succeed after this one: it ends the run.
bool ends_run(RowFailure failure) noexcept;

// A provider's text in one line of at most `columns`, with `secret` and whatever core/redaction
// knows masked wherever it stands: some servers repeat the key that they refuse.
std::string for_people(std::string_view text, std::string_view secret, std::size_t columns);

}  // namespace batchllm::wire

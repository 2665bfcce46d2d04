// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/provider.h"

#include <string>
#include <string_view>

namespace batchllm {

// A dialect for tests: the answer of a 200 is its body, at 10 tokens in and 5 out; any other status
// is the name of its failure (core/outcome.h) in the body.
class PlainProvider final : public Provider {
 public:
  HttpEndpoint endpoint() const override { return {}; }

  void encode(const Prompt& prompt, std::string& body) const override {
    body = prompt.messages.at(0).text;
  }

  void append_turns(std::string& body,
                    std::string_view answer,
                    std::string_view request) const override {
    body.append("\n").append(answer).append("\n").append(request);
  }

  Answer decode(HttpResponse& response) override {
    Answer answer;
    answer.usage = {10, 5, 0};
    if (response.status == 200) {
      answer.text = response.text();
      return answer;
    }
    answer.usage = {};
    answer.failure = failure_from_name(response.text()).value_or(RowFailure::protocol_error);
    answer.message = "HTTP " + std::to_string(response.status);
    answer.stops_run =
        answer.failure == RowFailure::auth_refused || answer.failure == RowFailure::quota_exhausted;
    return answer;
  }
};

}  // namespace batchllm

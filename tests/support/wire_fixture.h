// SPDX-License-Identifier: Apache-2.0
// Requests and responses of a dialect as bytes.
#pragma once

#include "adapters/registry.h"
#include "core/json_text.h"
#include "tests/support/catch.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm::test {

// What a decoder said, with bytes of its own.
struct DecodedAnswer {
  RowFailure failure = RowFailure::none;
  std::string text;
  std::string message;
  Usage usage;
  bool stops_run = false;
  std::optional<std::int64_t> retry_after_ms;
};

// A body as the transport hands it over: 64 readable bytes behind its end.
inline DecodedAnswer decoded(Provider& provider,
                             int status,
                             std::string body,
                             std::string error_type = {}) {
  const std::size_t size = body.size();
  body.resize(size + 64);
  HttpResponse response;
  response.status = status;
  response.body = body.data();
  response.body_size = size;
  response.error_type = std::move(error_type);
  const Answer answer = provider.decode(response);
  return {answer.failure,
          std::string(answer.text),
          answer.message,
          answer.usage,
          answer.stops_run,
          answer.retry_after_ms};
}

inline ModelRequest request_for(std::string base_url = "http://h") {
  ModelRequest model;
  model.model = "m";
  model.base_url = std::move(base_url);
  model.max_tokens = 50;
  model.is_sent = false;
  return model;
}

inline std::unique_ptr<Provider> provider_of(std::string_view dialect, ModelRequest model) {
  const Dialect* found = find_dialect(dialect);
  REQUIRE(found != nullptr);
  return found->make(std::move(model));
}

inline std::string encoded(std::string_view dialect, ModelRequest model, const Prompt& prompt) {
  std::string body = "left over";
  provider_of(dialect, std::move(model))->encode(prompt, body);
  CHECK(is_json(body));
  return body;
}

// The value of a header; empty when it is not sent.
inline std::string header_of(const HttpEndpoint& endpoint, std::string_view name) {
  for (const auto& [other, value] : endpoint.headers) {
    if (other == name) {
      return value;
    }
  }
  return {};
}

inline Prompt few_shot_prompt() {
  Prompt prompt;
  prompt.messages = {{"system", "be \"brief\""},
                     {"user", "1+1?"},
                     {"assistant", "2"},
                     {"user", "gr\u00f6\u00dfe\n"}};
  return prompt;
}

inline Prompt image_prompt(std::string url = "data:image/png;base64,AA==") {
  Prompt prompt;
  prompt.messages = {{"user", "what is it?"}};
  prompt.attachments = {{Attachment::Kind::image, std::move(url)}};
  return prompt;
}

inline AnswerSchema small_schema() {
  return {"answer", R"({"type":"object"})"};
}

// One response and what it means.
struct WireCase {
  int status;
  std::string body;
  RowFailure failure;
  std::string text = {};
  bool stops_run = false;
  std::string error_type = {};
};

inline void check_cases(Provider& provider, const std::vector<WireCase>& cases) {
  for (const WireCase& c : cases) {
    CAPTURE(c.status, c.body, c.error_type);
    const DecodedAnswer answer = decoded(provider, c.status, c.body, c.error_type);
    CHECK(failure_name(answer.failure) == failure_name(c.failure));
    CHECK(answer.text == c.text);
    CHECK(answer.stops_run == c.stops_run);
    CHECK(answer.message.empty() == (c.failure == RowFailure::none));
    CHECK(answer.message.find('\n') == std::string::npos);
  }
}

}  // namespace batchllm::test

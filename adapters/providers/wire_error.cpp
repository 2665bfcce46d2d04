// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/wire_error.h"

#include "core/redaction.h"
#include "core/text.h"

#include <algorithm>
#include <array>

namespace batchllm::wire {
namespace {

constexpr std::array<std::string_view, 4> k_throttling = {
    "rate limit", "too many requests", "throttl", "per minute"};

// Source: the words of each provider, in lower case.
constexpr std::array<std::string_view, 12> k_too_long = {
    "prompt is too long",                       // Anthropic
    "maximum context length",                   // OpenAI, vLLM, OpenRouter, Mistral
    "exceeds the context window",               // OpenAI
    "exceeds the maximum number of tokens",     // Gemini
    "exceeds the available context size",       // llama.cpp
    "reduce the length of the messages",        // Groq
    "longer than the model's context length",   // Together
    "input is too long for requested model",    // Bedrock
    "prompt too long; exceeded",                // Ollama
    "exceeds max context length",               // Ollama
    "too many tokens: total number of tokens",  // Cohere
    "context length exceeded",
};

constexpr std::array<std::string_view, 5> k_quota_codes = {"insufficient_quota",
                                                           "credit_balance_exhausted",
                                                           "billing_hard_limit_reached",
                                                           "billing_not_active",
                                                           "billing_error"};

template <typename Words>
bool has_any(std::string_view text, const Words& words) {
  return std::any_of(words.begin(), words.end(), [text](std::string_view word) {
    return text.find(word) != std::string_view::npos;
  });
}

bool is_quota(const ErrorBody& error) {
  return std::any_of(k_quota_codes.begin(), k_quota_codes.end(), [&](std::string_view code) {
    return error.is(code);
  });
}

bool is_filtered(const ErrorBody& error) {
  return error.is("content_filter") || error.is("content_policy_violation");
}

RowFailure classify_refusal(const ErrorBody& error) {
  if (error.is("context_length_exceeded") || error.is("exceed_context_size_error") ||
      says_context_too_long(error.message)) {
    return RowFailure::context_too_long;
  }
  if (is_filtered(error)) {
    return RowFailure::content_filtered;
  }
  // Groq: the answer did not match the schema.
  return error.is("json_validate_failed") ? RowFailure::invalid_answer : RowFailure::bad_request;
}

RowFailure classify_429(const ErrorBody& error) {
  if (is_quota(error)) {
    return RowFailure::quota_exhausted;
  }
  // One request above the whole minute's limit never fits.
  return error.message.starts_with("Request too large") ? RowFailure::context_too_long
                                                        : RowFailure::rate_limited;
}

}  // namespace

bool says_context_too_long(std::string_view message) {
  const std::string text = lowercase(message);
  if (has_any(text, k_throttling)) {
    return false;
  }
  const bool gemini = text.find("input token count") != std::string::npos &&
                      text.find("exceeds the maximum") != std::string::npos;
  return gemini || has_any(text, k_too_long);
}

RowFailure classify_error(int status, const ErrorBody& error) {
  switch (status) {
    case 401:
      return RowFailure::auth_refused;
    case 403:  // of routers, also for what their moderation refuses
      return is_filtered(error) ? RowFailure::content_filtered : RowFailure::auth_refused;
    case 402:
      return error.is("in_flight_budget_exhausted") ? RowFailure::rate_limited
                                                    : RowFailure::quota_exhausted;
    case 408:
      return RowFailure::timeout;
    case 409:
      return RowFailure::server_error;
    case 413:
      return RowFailure::context_too_long;
    case 429:
      return classify_429(error);
    case 498:  // Groq's flex tier
    case 503:
    case 529:
      return RowFailure::overloaded;
    default:
      return status >= 500 ? RowFailure::server_error : classify_refusal(error);
  }
}

bool ends_run(RowFailure failure) noexcept {
  return failure == RowFailure::auth_refused || failure == RowFailure::quota_exhausted;
}

std::string for_people(std::string_view text, std::string_view secret, std::size_t columns) {
  // More than can be shown is not needed: four bytes are the longest character, and a secret that
  // begins at the end of what is shown must be whole to be seen.
  constexpr std::size_t k_longest_secret = 8192;
  std::string clean;
  std::string_view rest = text.substr(0, columns * 4 + k_longest_secret);
  while (!secret.empty() && !rest.empty()) {
    const auto at = std::min(rest.find(secret), rest.size());
    clean += rest.substr(0, at);
    clean += at == rest.size() ? "" : "***";
    rest.remove_prefix(std::min(rest.size(), at + secret.size()));
  }
  clean += rest;
  return one_line(redacted(clean), columns);
}

}  // namespace batchllm::wire

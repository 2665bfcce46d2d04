// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/simulator_service.h"

#include "adapters/simulator/answer.h"
#include "adapters/simulator/error_body.h"
#include "adapters/simulator/random_draw.h"
#include "adapters/simulator/schema_answer.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <xxhash.h>

#include <algorithm>
#include <optional>

namespace batchllm::simulator {
namespace {

constexpr std::string_view k_refusal = "I'm sorry, but I can't help with that.";

std::string_view bearer_key(std::string_view authorization) {
  constexpr std::string_view k_scheme = "bearer ";
  return equals_ignoring_case(authorization.substr(0, k_scheme.size()), k_scheme)
             ? trim(authorization.substr(k_scheme.size()))
             : std::string_view{};
}

// The address without the "/v1" that clients put before it or leave out.
std::string_view without_version(std::string_view path) {
  return path.substr(0, 4) == "/v1/" ? path.substr(3) : path;
}

void refuse(SimulatedReply& reply, int status, const RequestError& error) {
  reply.status = status;
  append_error(reply.body, error.message, "invalid_request_error", error.param, error.code);
}

// The first `bytes` of `text`, less what would be half a character.
std::string_view cut(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) {
    return text;
  }
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) {
    --bytes;
  }
  return text.substr(0, bytes);
}

void add_limit_headers(const std::optional<LimitState>& state,
                       std::string_view name,
                       SimulatedReply& reply) {
  if (state) {
    reply.headers.emplace_back(fmt::format("x-ratelimit-limit-{}", name),
                               std::to_string(state->limit));
    reply.headers.emplace_back(fmt::format("x-ratelimit-remaining-{}", name),
                               std::to_string(state->remaining));
    reply.headers.emplace_back(fmt::format("x-ratelimit-reset-{}", name),
                               reset_text(state->full_in_us));
  }
}

void write_rate_error(const RateVerdict& verdict,
                      std::string_view model,
                      std::int64_t tokens,
                      SimulatedReply& reply) {
  const bool by_requests = verdict.refused == RateVerdict::Refused::requests;
  const LimitState& state = by_requests ? *verdict.requests : *verdict.tokens;
  const std::string_view unit = by_requests ? "requests per min (RPM)" : "tokens per min (TPM)";
  reply.status = 429;
  if (verdict.refused == RateVerdict::Refused::too_large) {
    append_error(
        reply.body,
        fmt::format("Request too large for {} in organization org-simulator on {}: Limit {}, "
                    "Requested {}. The input or output tokens must be reduced in order to "
                    "run successfully.",
                    model,
                    unit,
                    state.limit,
                    tokens),
        "tokens",
        "",
        "rate_limit_exceeded");
    return;
  }
  append_error(
      reply.body,
      fmt::format("Rate limit reached for {} in organization org-simulator on {}: Limit {}, "
                  "Used {}, Requested {}. Please try again in {}.",
                  model,
                  unit,
                  state.limit,
                  verdict.used,
                  by_requests ? 1 : tokens,
                  reset_text(verdict.retry_after_us)),
      by_requests ? "requests" : "tokens",
      "",
      "rate_limit_exceeded");
  const std::int64_t ms = (verdict.retry_after_us + 999) / 1000;
  reply.headers.emplace_back("retry-after", std::to_string((ms + 999) / 1000));
  reply.headers.emplace_back("retry-after-ms", std::to_string(ms));
}

}  // namespace

struct SimulatorService::Facts {
  std::string_view key;
  std::string_view model;
  std::string_view user_text;
  std::string_view fault;  // name of a fault that is no HTTP status
  std::uint32_t attempt = 0;
  std::int64_t now_us = 0;
  RateVerdict verdict;
};

void SimulatedReply::clear() {
  delivery = Delivery::answer;
  status = 200;
  content_type = "application/json";
  delay_us = 0;
  body.clear();
  ends.clear();
  headers.clear();
}

SimulatorService::SimulatorService(SimulatorSettings settings)
    : settings_(std::move(settings)),
      limits_(settings_.requests_per_minute, settings_.tokens_per_minute) {
  if (!settings_.script_path.empty()) {
    script_ = Script::read_file(settings_.script_path);
  }
  if (!settings_.log_path.empty()) {
    log_ = std::make_unique<RequestLog>(settings_.log_path);
  }
}

void SimulatorService::decide(const SimulatedRequest& request,
                              const RequestTime& now,
                              SimulatedReply& reply) {
  reply.clear();
  ++ordinal_;
  Facts facts;
  facts.key = bearer_key(request.authorization);
  facts.now_us = now.monotonic_us;
  route(request, facts, reply);
  add_headers(facts, reply);
  if (log_) {
    write_log(request, now, facts, reply);
  }
}

void SimulatorService::route(const SimulatedRequest& request, Facts& facts, SimulatedReply& reply) {
  constexpr std::string_view k_model = "/models/";
  const std::string_view path = without_version(request.path);
  const bool chat_path = path == "/chat/completions";
  const bool embeddings_path = path == "/embeddings";
  const bool one_model = path.substr(0, k_model.size()) == k_model;
  if (!chat_path && !embeddings_path && !one_model && path != "/models" && path != "/health") {
    refuse(reply,
           404,
           {fmt::format("Invalid URL ({} {})",
                        request.method,
                        printable(one_line(is_utf8(request.path) ? request.path : "?", 200))),
            "",
            "unknown_url"});
    return;
  }
  const std::string_view allowed = chat_path || embeddings_path ? "POST" : "GET";
  if (request.method != allowed && !(allowed == "GET" && request.method == "HEAD")) {
    refuse(reply,
           405,
           {fmt::format("Not allowed to {} on {}.", request.method, path),
            "",
            "method_not_supported"});
    reply.headers.emplace_back("allow", allowed);
    return;
  }
  if (path == "/health") {
    reply.body = R"({"status":"ok"})";
    return;
  }
  if (!settings_.required_key.empty() && facts.key != settings_.required_key) {
    refuse(reply,
           401,
           {facts.key.empty() ? "You didn't provide an API key."
                              : "Incorrect API key provided: " + masked_key(facts.key) + ".",
            "",
            "invalid_api_key"});
    return;
  }
  if (chat_path) {
    chat(request, facts, reply);
  } else if (embeddings_path) {
    embeddings(request, facts, reply);
  } else if (!one_model) {
    append_model_list(reply.body);
  } else if (!append_model(reply.body, path.substr(k_model.size()))) {
    refuse(reply, 404, {"The requested model does not exist.", "model", "model_not_found"});
  }
}

bool SimulatorService::let_through(std::int64_t tokens,
                                   std::uint64_t identity,
                                   Facts& facts,
                                   SimulatedReply& reply) {
  if (limits_.any()) {
    facts.verdict = limits_.charge(facts.key, tokens, facts.now_us);
    if (facts.verdict.refused != RateVerdict::Refused::no) {
      write_rate_error(facts.verdict, facts.model, tokens, reply);
      return false;
    }
  }
  if (log_ || !settings_.faults.empty()) {
    facts.attempt = seen_.count(identity);
  }
  reply.delay_us = settings_.latency.draw_us(mix(settings_.seed, identity));
  return true;
}

// The faults that replace the answer or its delivery; false for those that change what it says.
bool SimulatorService::apply_http_fault(const FaultRule& rule, SimulatedReply& reply) {
  switch (rule.kind) {
    case FaultKind::status:
      reply.status = rule.status;
      append_status_error(reply.body, rule.status);
      if (rule.status == 429) {
        reply.headers.emplace_back("retry-after", "1");
        reply.headers.emplace_back("retry-after-ms", "100");
      }
      return true;
    case FaultKind::quota:
      reply.status = 429;
      append_error(reply.body,
                   "You exceeded your current quota, please check your plan and billing details.",
                   "insufficient_quota",
                   "",
                   "insufficient_quota");
      return true;
    case FaultKind::context:
      refuse(
          reply,
          400,
          {"This model's maximum context length is 128000 tokens. Please reduce the length of the "
           "messages.",
           "messages",
           "context_length_exceeded"});
      return true;
    case FaultKind::garbage:
      reply.content_type = "text/html";
      reply.body = "<html><body><h1>It works!</h1></body></html>\n";
      return true;
    case FaultKind::reset:
      reply.delivery = Delivery::reset;
      return true;
    case FaultKind::close:
      reply.delivery = Delivery::close;
      return true;
    case FaultKind::hang:
      reply.delivery = Delivery::hang;
      return true;
    case FaultKind::slow:
      reply.delay_us = rule.delay_ms * 1000;
      return false;
    case FaultKind::none:
    case FaultKind::truncated:
    case FaultKind::empty:
    case FaultKind::refusal:
    case FaultKind::length:
    case FaultKind::content_filter:
      return false;
  }
  return false;
}

void SimulatorService::chat(const SimulatedRequest& request, Facts& facts, SimulatedReply& reply) {
  const std::optional<RequestError> error = parser_.parse_chat(request.body, chat_);
  if (error) {
    refuse(reply, 400, *error);
    return;
  }
  facts.model = chat_.model;
  facts.user_text = chat_.user_text;
  chat_.identity = mix(chat_.identity, settings_.seed);
  const std::int64_t tokens = tokens_of_bytes(chat_.prompt_bytes) + chat_.max_tokens.value_or(0);
  if (!let_through(tokens, chat_.identity, facts, reply)) {
    return;
  }
  const ScriptedAnswer* scripted = script_.find(chat_.user_text);
  const FaultRule* fault =
      draw_fault(settings_.faults, settings_.seed, chat_.identity, facts.attempt);
  if (scripted != nullptr) {
    fault = scripted->fault ? &*scripted->fault : nullptr;
    reply.delay_us = scripted->delay_ms ? *scripted->delay_ms * 1000 : reply.delay_us;
    reply.headers = scripted->headers;
  }
  if (fault != nullptr && fault->kind != FaultKind::status) {
    facts.fault = fault_name(fault->kind);
  }
  if (fault != nullptr && apply_http_fault(*fault, reply)) {
    return;
  }
  if (scripted != nullptr && (scripted->status || scripted->body)) {
    reply.status = scripted->status.value_or(200);
    if (scripted->body) {
      reply.body = *scripted->body;
    } else if (reply.status >= 400) {
      append_status_error(reply.body, reply.status);
    } else {
      write_completion(chat_, fault, scripted, reply);
    }
  } else {
    write_completion(chat_, fault, scripted, reply);
  }
  if (fault != nullptr && fault->kind == FaultKind::truncated) {
    reply.delivery = Delivery::truncated;
  }
}

// Puts the made-up answer into `content_`.
void SimulatorService::make_content(const ChatRequest& request) {
  content_.clear();
  if (request.format == AnswerFormat::text) {
    append_answer(content_, request.system_text, request.user_text, request.identity);
    return;
  }
  sentence_.clear();
  append_answer(sentence_, request.system_text, request.user_text, request.identity);
  if (request.format == AnswerFormat::json_schema &&
      append_schema_answer(content_, request.schema, sentence_, request.identity)) {
    return;
  }
  content_.append(R"({"answer":)");
  append_json_string(content_, sentence_);
  content_.push_back('}');
}

void SimulatorService::write_completion(const ChatRequest& request,
                                        const FaultRule* fault,
                                        const ScriptedAnswer* scripted,
                                        SimulatedReply& reply) {
  const FaultKind kind = fault == nullptr ? FaultKind::none : fault->kind;
  Completion completion;
  completion.identity = request.identity;
  completion.model = request.model;
  if (scripted != nullptr && scripted->content) {
    content_ = *scripted->content;
  } else {
    make_content(request);
  }
  completion.content = content_;
  if (kind == FaultKind::empty || kind == FaultKind::content_filter) {
    completion.content = completion.content.substr(0, 0);
  }
  const bool scripted_refusal = scripted != nullptr && scripted->refusal;
  if (kind == FaultKind::refusal || scripted_refusal) {
    completion.content = {};
    completion.refusal = scripted_refusal ? std::string_view(*scripted->refusal) : k_refusal;
  }
  completion.finish_reason = kind == FaultKind::content_filter ? "content_filter" : "stop";
  std::size_t longest = completion.content.size();
  if (request.max_tokens && *request.max_tokens < tokens_of_bytes(longest)) {
    longest = static_cast<std::size_t>(*request.max_tokens) * 4;
    completion.finish_reason = "length";
  }
  if (kind == FaultKind::length) {
    longest = std::min(longest, completion.content.size() / 2);
    completion.finish_reason = "length";
  }
  if (completion.content.data() != nullptr) {
    completion.content = cut(completion.content, longest);
  }
  completion.prompt_tokens = tokens_of_bytes(request.prompt_bytes);
  completion.completion_tokens =
      tokens_of_bytes(completion.content.size() + completion.refusal.size());
  if (scripted != nullptr) {
    completion.finish_reason = scripted->finish_reason ? std::string_view(*scripted->finish_reason)
                                                       : completion.finish_reason;
    completion.prompt_tokens = scripted->prompt_tokens.value_or(completion.prompt_tokens);
    completion.completion_tokens =
        scripted->completion_tokens.value_or(completion.completion_tokens);
  }
  if (request.stream) {
    reply.delivery = Delivery::events;
    reply.content_type = "text/event-stream; charset=utf-8";
    append_completion_events(reply.body, completion, request.include_usage, reply.ends);
  } else {
    append_completion(reply.body, completion);
  }
}

void SimulatorService::embeddings(const SimulatedRequest& request,
                                  Facts& facts,
                                  SimulatedReply& reply) {
  const std::optional<RequestError> error = parser_.parse_embeddings(request.body, embeddings_);
  if (error) {
    refuse(reply, 400, *error);
    return;
  }
  facts.model = embeddings_.model;
  const std::uint64_t identity = mix(embeddings_.identity, settings_.seed);
  if (!let_through(tokens_of_bytes(embeddings_.prompt_bytes), identity, facts, reply)) {
    return;
  }
  const FaultRule* fault = draw_fault(settings_.faults, settings_.seed, identity, facts.attempt);
  if (fault != nullptr && fault->kind != FaultKind::status) {
    facts.fault = fault_name(fault->kind);
  }
  if (fault != nullptr && apply_http_fault(*fault, reply)) {
    return;
  }
  for (std::uint64_t& input : embeddings_.inputs) {
    input = mix(input, settings_.seed);
  }
  append_embeddings(reply.body, embeddings_);
  if (fault != nullptr && fault->kind == FaultKind::truncated) {
    reply.delivery = Delivery::truncated;
  }
}

void SimulatorService::add_headers(const Facts& facts, SimulatedReply& reply) {
  reply.headers.emplace_back("x-request-id",
                             fmt::format("req_{:016x}", mix(settings_.seed, ordinal_)));
  reply.headers.emplace_back("openai-processing-ms", std::to_string(reply.delay_us / 1000));
  add_limit_headers(facts.verdict.requests, "requests", reply);
  add_limit_headers(facts.verdict.tokens, "tokens", reply);
}

void SimulatorService::write_log(const SimulatedRequest& request,
                                 const RequestTime& now,
                                 const Facts& facts,
                                 const SimulatedReply& reply) {
  const std::string status = std::to_string(reply.status);
  log_->add({.ordinal = ordinal_,
             .time_ms = now.wall_ms,
             .connection = request.connection,
             .method = request.method,
             .path = request.path,
             .verdict = facts.fault.empty() ? std::string_view(status) : facts.fault,
             .body_hash = XXH3_64bits(request.body.data(), request.body.size()),
             .attempt = facts.attempt,
             .model = facts.model,
             .user_text = facts.user_text,
             .api_key = facts.key,
             .body = settings_.log_bodies ? request.body : std::string_view{}});
}

}  // namespace batchllm::simulator

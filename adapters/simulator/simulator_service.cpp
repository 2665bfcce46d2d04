// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/simulator_service.h"

#include "adapters/simulator/answer.h"
#include "adapters/simulator/random_draw.h"
#include "adapters/simulator/request_reader.h"
#include "adapters/simulator/schema_answer.h"
#include "core/json_text.h"
#include "core/percent_decoding.h"
#include "core/text.h"

#include <fmt/format.h>

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace batchllm::simulator {
namespace {

constexpr std::string_view k_refusal = "I'm sorry, but I can't help with that.";
constexpr std::int64_t k_fault_wait_us = 100'000;  // that a 429 made by --fault asks for

void write_error(const Dialect& dialect, const SimulatedError& error, SimulatedReply& reply) {
  reply.status = error.status;
  dialect.write_error(error, reply);
}

SimulatedError rate_error(const RateVerdict& verdict, std::string_view model, std::int64_t tokens) {
  const bool by_requests = verdict.refused == RateVerdict::Refused::requests;
  const bool never = verdict.refused == RateVerdict::Refused::too_large;
  const LimitState& state = by_requests ? *verdict.requests : *verdict.tokens;
  const std::string_view unit = by_requests ? "requests per min (RPM)" : "tokens per min (TPM)";
  SimulatedError error{.cause = by_requests ? ErrorCause::requests
                                : never     ? ErrorCause::too_large
                                            : ErrorCause::tokens,
                       .status = 429};
  error.what.code = "rate_limit_exceeded";
  if (never) {
    error.what.message = fmt::format(
        "Request too large for {} in organization org-simulator on {}: Limit {}, "
        "Requested {}. The input or output tokens must be reduced in order to "
        "run successfully.",
        model,
        unit,
        state.limit,
        tokens);
    return error;
  }
  error.wait_us = verdict.retry_after_us;
  error.what.message = fmt::format(
      "Rate limit reached for {} in organization org-simulator on {}: Limit {}, "
      "Used {}, Requested {}. Please try again in {}.",
      model,
      unit,
      state.limit,
      verdict.used,
      by_requests ? 1 : tokens,
      reset_text(verdict.retry_after_us));
  return error;
}

// The word of a script, which is OpenAI's, in every dialect's own; other words stay as they are.
void set_finish(Completion& completion, std::string_view word) {
  constexpr std::array<std::pair<std::string_view, Finish>, 3> k_words = {{
      {"stop", Finish::stop},
      {"length", Finish::length},
      {"content_filter", Finish::content_filter},
  }};
  const auto* found = std::find_if(
      k_words.begin(), k_words.end(), [word](const auto& entry) { return entry.first == word; });
  if (found == k_words.end()) {
    completion.finish_word = word;
  } else {
    completion.finish = found->second;
  }
}

}  // namespace

struct SimulatorService::Facts {
  const Dialect* dialect = nullptr;
  Route route;
  std::string_view key;
  std::string_view model;
  std::string_view user_text;
  std::string_view fault;  // name of a fault that is no HTTP status
  std::uint64_t request_id = 0;
  std::uint32_t attempt = 0;
  std::int64_t now_us = 0;
  RateVerdict verdict;

  void fail(SimulatedError error, SimulatedReply& reply) const {
    error.request_id = request_id;
    write_error(*dialect, error, reply);
  }
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
      limits_(settings_.requests_per_minute, settings_.tokens_per_minute),
      reader_(std::make_unique<RequestReader>()) {
  if (!settings_.script_path.empty()) {
    script_ = Script::read_file(settings_.script_path);
  }
  if (!settings_.log_path.empty()) {
    log_ = std::make_unique<RequestLog>(settings_.log_path);
  }
}

SimulatorService::~SimulatorService() = default;

void SimulatorService::decide(const SimulatedRequest& request,
                              const RequestTime& now,
                              SimulatedReply& reply) {
  reply.clear();
  ++ordinal_;
  const DialectChoice choice = find_dialect(request);
  Facts facts;
  facts.dialect = choice.dialect;
  facts.route = choice.route;
  facts.key = choice.dialect->key(request);
  facts.request_id = mix(settings_.seed, ordinal_);
  facts.now_us = now.monotonic_us;
  answer(request, facts, reply);
  choice.dialect->add_headers({facts.request_id, now.wall_ms, facts.verdict}, reply);
  if (log_) {
    write_log(request, now, facts, reply);
  }
}

// What is wrong with the request before its body is looked at.
bool SimulatorService::refuse_request(const SimulatedRequest& request,
                                      Facts& facts,
                                      SimulatedReply& reply) {
  const Route& route = facts.route;
  if (route.endpoint == Endpoint::nothing) {
    facts.fail({.cause = ErrorCause::path,
                .status = 404,
                .what = {fmt::format("Invalid URL ({} {})",
                                     request.method,
                                     printable(one_line(as_utf8(request.path), 200))),
                         "",
                         "unknown_url"}},
               reply);
    return true;
  }
  if (request.method != route.method && !(route.method == "GET" && request.method == "HEAD")) {
    facts.fail({.cause = ErrorCause::method,
                .status = 405,
                .what = {fmt::format("Not allowed to {} here.", request.method),
                         "",
                         "method_not_supported"}},
               reply);
    reply.headers.emplace_back("allow", route.method);
    return true;
  }
  if (route.needs_key && !settings_.required_key.empty() && facts.key != settings_.required_key) {
    const bool is_missing = facts.key.empty();
    facts.fail({.cause = is_missing ? ErrorCause::key_missing : ErrorCause::key_wrong,
                .status = 401,
                .what = {is_missing ? "You didn't provide an API key."
                                    : "Incorrect API key provided: " + masked_key(facts.key) + ".",
                         "",
                         "invalid_api_key"}},
               reply);
    return true;
  }
  if (const auto error =
          facts.dialect->check == nullptr ? std::nullopt : facts.dialect->check(request, route)) {
    facts.fail(*error, reply);
    return true;
  }
  return false;
}

void SimulatorService::answer(const SimulatedRequest& request,
                              Facts& facts,
                              SimulatedReply& reply) {
  if (refuse_request(request, facts, reply)) {
    return;
  }
  Route& route = facts.route;
  if (route.model.find('%') != std::string_view::npos) {
    path_model_ = percent_decoded(route.model);
    route.model = is_utf8(path_model_) ? path_model_ : std::string_view("?");
  }
  switch (route.endpoint) {
    case Endpoint::chat:
      chat(request, facts, reply);
      return;
    case Endpoint::embeddings:
      embeddings(request, facts, reply);
      return;
    case Endpoint::page:
      if (!facts.dialect->write_page(route, request.body, reply)) {
        facts.fail({.cause = ErrorCause::model,
                    .status = 404,
                    .what = {"The requested model does not exist.", "model", "model_not_found"}},
                   reply);
      }
      return;
    case Endpoint::nothing:
      return;
  }
}

bool SimulatorService::let_through(std::int64_t tokens,
                                   std::uint64_t identity,
                                   Facts& facts,
                                   SimulatedReply& reply) {
  if (limits_.any()) {
    facts.verdict = limits_.charge(facts.key, tokens, facts.now_us);
    if (facts.verdict.refused != RateVerdict::Refused::no) {
      facts.fail(rate_error(facts.verdict, facts.model, tokens), reply);
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
bool SimulatorService::apply_http_fault(const FaultRule& rule,
                                        const Facts& facts,
                                        SimulatedReply& reply) {
  switch (rule.kind) {
    case FaultKind::status:
      facts.fail({.cause = ErrorCause::status,
                  .status = rule.status,
                  .what = {},
                  .wait_us = rule.status == 429 ? k_fault_wait_us : 0},
                 reply);
      return true;
    case FaultKind::quota:
      facts.fail({.cause = ErrorCause::quota, .status = 429}, reply);
      return true;
    case FaultKind::context:
      facts.fail({.cause = ErrorCause::context, .status = 400}, reply);
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
  const Dialect& dialect = *facts.dialect;
  chat_ = ChatRequest{};
  chat_.model = facts.route.model;
  dialect.read_chat(facts.route, request.body, *reader_, chat_);
  if (auto error = reader_->take_error()) {
    facts.fail({.what = std::move(*error)}, reply);
    return;
  }
  facts.model = chat_.model;
  facts.user_text = chat_.user_text;
  chat_.identity = mix(chat_.identity, settings_.seed);
  const std::int64_t tokens = tokens_of_bytes(chat_.prompt_bytes) + chat_.max_tokens.value_or(0);
  if (!let_through(tokens, chat_.identity, facts, reply)) {
    return;
  }
  const ScriptedAnswer* scripted = script_.find(chat_.user_text, chat_.model);
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
  if (fault != nullptr && apply_http_fault(*fault, facts, reply)) {
    return;
  }
  const int status = scripted == nullptr ? 200 : scripted->status.value_or(200);
  if (scripted != nullptr && scripted->body) {
    reply.status = status;
    reply.body = *scripted->body;
  } else if (scripted != nullptr && scripted->error) {
    facts.fail({.cause = ErrorCause::script, .status = status, .what = {*scripted->error, "", ""}},
               reply);
  } else if (status >= 400) {
    facts.fail({.cause = ErrorCause::status, .status = status}, reply);
  } else {
    reply.status = status;
    dialect.write_answer(chat_, make_completion(fault, scripted), reply);
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

Completion SimulatorService::make_completion(const FaultRule* fault,
                                             const ScriptedAnswer* scripted) {
  const FaultKind kind = fault == nullptr ? FaultKind::none : fault->kind;
  Completion completion;
  completion.identity = chat_.identity;
  completion.model = chat_.model;
  if (scripted != nullptr && scripted->content) {
    content_ = *scripted->content;
  } else {
    make_content(chat_);
  }
  completion.content = content_;
  completion.tool = chat_.tool;
  completion.finish = chat_.tool.empty() ? Finish::stop : Finish::tool;
  if (kind == FaultKind::empty || kind == FaultKind::content_filter) {
    completion.content = completion.content.substr(0, 0);
    completion.tool = {};
    completion.finish = kind == FaultKind::empty ? Finish::stop : Finish::content_filter;
  }
  const bool scripted_refusal = scripted != nullptr && scripted->refusal;
  if (kind == FaultKind::refusal || scripted_refusal) {
    completion.content = {};
    completion.tool = {};
    completion.finish = Finish::stop;
    completion.refusal = scripted_refusal ? std::string_view(*scripted->refusal) : k_refusal;
  }
  std::size_t longest = completion.content.size();
  if (chat_.max_tokens && *chat_.max_tokens < tokens_of_bytes(longest)) {
    longest = static_cast<std::size_t>(*chat_.max_tokens) * 4;
    completion.finish = Finish::length;
  }
  if (kind == FaultKind::length) {
    longest = std::min(longest, completion.content.size() / 2);
    completion.finish = Finish::length;
  }
  if (completion.content.data() != nullptr) {
    completion.content = cut_text(completion.content, longest);
  }
  completion.prompt_tokens = tokens_of_bytes(chat_.prompt_bytes);
  completion.completion_tokens =
      tokens_of_bytes(completion.content.size() + completion.refusal.size());
  if (scripted != nullptr) {
    if (scripted->finish_reason) {
      set_finish(completion, *scripted->finish_reason);
    }
    completion.prompt_tokens = scripted->prompt_tokens.value_or(completion.prompt_tokens);
    completion.completion_tokens =
        scripted->completion_tokens.value_or(completion.completion_tokens);
  }
  return completion;
}

void SimulatorService::embeddings(const SimulatedRequest& request,
                                  Facts& facts,
                                  SimulatedReply& reply) {
  embeddings_ = EmbeddingsRequest{};
  embeddings_.model = facts.route.model;
  facts.dialect->read_embeddings(facts.route, request.body, *reader_, embeddings_);
  if (auto error = reader_->take_error()) {
    facts.fail({.what = std::move(*error)}, reply);
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
  if (fault != nullptr && apply_http_fault(*fault, facts, reply)) {
    return;
  }
  for (std::uint64_t& input : embeddings_.inputs) {
    input = mix(input, settings_.seed);
  }
  facts.dialect->write_embeddings(embeddings_, reply);
  if (fault != nullptr && fault->kind == FaultKind::truncated) {
    reply.delivery = Delivery::truncated;
  }
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

// SPDX-License-Identifier: Apache-2.0
#include "core/job_replay.h"

#include "core/error.h"
#include "core/json_text.h"
#include "core/text.h"
#include "core/time_text.h"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <optional>

namespace batchllm {
namespace {

constexpr std::string_view k_null = "null";

constexpr std::array<std::string_view, 25> k_facts = {"state",
                                                      "reason",
                                                      "desired",
                                                      "priority",
                                                      "attempt",
                                                      "crash_count",
                                                      "exit_code",
                                                      "rows.total",
                                                      "rows.ok",
                                                      "rows.failed",
                                                      "rows.skipped",
                                                      "rows.done",
                                                      "cost_usd",
                                                      "usage.input_tokens",
                                                      "usage.output_tokens",
                                                      "not_before",
                                                      "question.kind",
                                                      "question.text",
                                                      "error.code",
                                                      "error.message",
                                                      "error.hint",
                                                      "created_at",
                                                      "started_at",
                                                      "finished_at",
                                                      "last_event"};

[[noreturn]] void refuse(std::string_view what) {
  throw Error(ErrorCode::job_corrupt, fmt::format("an event {}", what));
}

std::int64_t whole_number(const JsonNode& document, std::string_view name) {
  const JsonNode* found = document.find(name);
  const auto number = found == nullptr ? std::nullopt : found->integer();
  if (!number) {
    refuse(fmt::format("has no whole number as {}", name));
  }
  return *number;
}

std::string_view text_of(const JsonNode& document, std::string_view name) {
  const auto text = document.find_string(name);
  if (!text) {
    refuse(fmt::format("has no text as {}", name));
  }
  return *text;
}

std::string number_fact(std::optional<std::int64_t> number) {
  return number ? fmt::format("{}", *number) : std::string(k_null);
}

std::string text_fact(std::string_view text) {
  return text.empty() ? std::string(k_null) : json_string(text);
}

std::string time_fact(std::optional<std::int64_t> time_ms) {
  return time_ms ? json_string(rfc3339_text(*time_ms)) : std::string(k_null);
}

// As a decimal string, which is how money is written in the API.
std::string money_fact(std::int64_t micro_usd) {
  constexpr std::int64_t k_micro = 1'000'000;
  return fmt::format("\"{}.{:06}\"", micro_usd / k_micro, micro_usd % k_micro);
}

// The value at "rows.ok".
std::string fact_at(const JsonNode& job, std::string_view place) {
  const JsonNode* node = &job;
  for (const std::string& name : split(place, '.')) {
    node = node->find(name);
    if (node == nullptr) {
      return std::string(k_null);
    }
  }
  const bool is_empty_text = node->string() == std::string_view();
  return is_empty_text ? std::string(k_null) : node->to_json();
}

}  // namespace

JobEvent parse_job_event_document(std::string_view document) {
  const auto parsed = parse_json_document(document);
  if (!parsed) {
    refuse("is no JSON");
  }
  return parse_job_event_document(*parsed);
}

JobEvent parse_job_event_document(const JsonNode& document) {
  const JsonNode* data = document.find("data");
  if (data == nullptr) {
    refuse("has no data");
  }
  const auto at_ms = parse_rfc3339(text_of(document, "at"));
  if (!at_ms) {
    refuse("has no time as at");
  }
  const std::int64_t version = whole_number(document, "version");
  if (version < 1 || version > std::numeric_limits<int>::max()) {
    refuse("has a version that cannot be");
  }
  return {
      whole_number(document, "seq"),
      *at_ms,
      std::string(text_of(document, "actor")),
      parse_job_event(text_of(document, "type"), static_cast<int>(version), data->to_json()),
  };
}

JobFacts job_facts(const JobView& view) {
  const JobFault fault = view.fault.value_or(JobFault{});
  const JobQuestion question = view.question.value_or(JobQuestion{});
  const JobCounts& counts = view.counts;
  return {
      {"state", text_fact(job_state_name(view.state))},
      {"reason", text_fact(view.reason)},
      {"desired", text_fact(job_wish_name(view.wish))},
      {"priority", number_fact(view.priority)},
      {"attempt", number_fact(view.attempt)},
      {"crash_count", number_fact(view.crash_count)},
      {"exit_code", number_fact(view.exit_code)},
      {"rows.total", number_fact(counts.rows_total)},
      {"rows.ok", number_fact(counts.ok)},
      {"rows.failed", number_fact(counts.failed)},
      {"rows.skipped", number_fact(counts.skipped)},
      {"rows.done", number_fact(counts.done())},
      {"cost_usd", money_fact(counts.cost_micro_usd)},
      {"usage.input_tokens", number_fact(counts.input_tokens)},
      {"usage.output_tokens", number_fact(counts.output_tokens)},
      {"not_before", time_fact(view.not_before_ms)},
      {"question.kind", text_fact(question.kind)},
      {"question.text", text_fact(question.text)},
      {"error.code", text_fact(fault.code)},
      {"error.message", text_fact(fault.message)},
      {"error.hint", text_fact(fault.hint)},
      {"created_at", time_fact(view.created_ms)},
      {"started_at", time_fact(view.started_ms)},
      {"finished_at", time_fact(view.finished_ms)},
      {"last_event", number_fact(view.last_seq)},
  };
}

JobFacts job_facts(const JsonNode& job) {
  JobFacts facts;
  for (const std::string_view fact : k_facts) {
    facts.emplace(fact, fact_at(job, fact));
  }
  return facts;
}

std::vector<FactDifference> compare_facts(const JobFacts& replayed, const JobFacts& stored) {
  std::vector<FactDifference> differences;
  for (const auto& [fact, value] : stored) {
    const auto found = replayed.find(fact);
    const std::string told = found == replayed.end() ? std::string(k_null) : found->second;
    if (told != value) {
      differences.push_back({fact, told, value});
    }
  }
  return differences;
}

}  // namespace batchllm

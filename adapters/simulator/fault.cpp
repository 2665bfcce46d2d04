// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/fault.h"

#include "adapters/simulator/random_draw.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace batchllm::simulator {
namespace {

constexpr std::int64_t k_default_slow_ms = 30'000;

constexpr std::array<std::pair<std::string_view, FaultKind>, 12> k_names = {{
    {"reset", FaultKind::reset},
    {"close", FaultKind::close},
    {"slow", FaultKind::slow},
    {"truncated", FaultKind::truncated},
    {"garbage", FaultKind::garbage},
    {"empty", FaultKind::empty},
    {"refusal", FaultKind::refusal},
    {"length", FaultKind::length},
    {"content_filter", FaultKind::content_filter},
    {"quota", FaultKind::quota},
    {"context", FaultKind::context},
    {"hang", FaultKind::hang},
}};

[[noreturn]] void refuse(std::string_view text, std::string_view reason) {
  throw Error(ErrorCode::usage,
              fmt::format("--fault {}: {}", one_line(text, 60), reason),
              "write KIND:P, as in 500:1%, reset:0.5%, slow:0.1%:45s or 503:100%:once");
}

void set_kind(FaultRule& rule, std::string_view whole, std::string_view name) {
  const std::optional<std::int64_t> status = parse_integer(name);
  if (status) {
    if (*status < 400 || *status > 599) {
      refuse(whole, "an HTTP status must be 400 to 599");
    }
    rule.kind = FaultKind::status;
    rule.status = static_cast<int>(*status);
    return;
  }
  const auto* found = std::find_if(
      k_names.begin(), k_names.end(), [name](const auto& entry) { return entry.first == name; });
  if (found == k_names.end()) {
    std::vector<std::string> names;
    for (const auto& entry : k_names) {
      names.emplace_back(entry.first);
    }
    const std::optional<std::string> near = nearest_name(name, names);
    refuse(whole,
           fmt::format("\"{}\" is not a fault{}",
                       one_line(name, 30),
                       near ? fmt::format("; did you mean {}?", *near)
                            : fmt::format(" (an HTTP status, {})", name_list(names))));
  }
  rule.kind = found->second;
  if (rule.kind == FaultKind::slow) {
    rule.delay_ms = k_default_slow_ms;
  }
}

double parse_probability(std::string_view whole, std::string_view text) {
  const bool percent = !text.empty() && text.back() == '%';
  const std::optional<double> number =
      parse_number(percent ? text.substr(0, text.size() - 1) : text);
  const double probability = number.value_or(-1) / (percent ? 100.0 : 1.0);
  if (probability < 0 || probability > 1) {
    refuse(whole, "the probability must be 0 to 1, or 0% to 100%");
  }
  return probability;
}

void set_option(FaultRule& rule, std::string_view whole, std::string_view option) {
  constexpr std::string_view k_first = "first=";
  if (option == "once") {
    rule.first = 1;
    return;
  }
  if (option.substr(0, k_first.size()) == k_first) {
    const std::optional<std::int64_t> first = parse_integer(option.substr(k_first.size()));
    if (!first || *first < 1 || *first > UINT32_MAX) {
      refuse(whole, "first=N takes a number from 1 on");
    }
    rule.first = static_cast<std::uint32_t>(*first);
    return;
  }
  const std::optional<std::int64_t> delay = parse_duration_ms(option);
  if (rule.kind != FaultKind::slow || !delay) {
    refuse(whole, fmt::format("\"{}\" is not an option of it", one_line(option, 30)));
  }
  rule.delay_ms = *delay;
}

}  // namespace

std::string_view fault_name(FaultKind kind) noexcept {
  if (kind == FaultKind::status) {
    return "status";
  }
  const auto* found = std::find_if(
      k_names.begin(), k_names.end(), [kind](const auto& entry) { return entry.second == kind; });
  return found == k_names.end() ? "none" : found->first;
}

FaultRule parse_fault(std::string_view text) {
  const std::vector<std::string> parts = split(text, ':');
  if (parts.size() < 2) {
    refuse(text, "it has no probability");
  }
  FaultRule rule;
  set_kind(rule, text, trim(parts[0]));
  rule.probability = parse_probability(text, trim(parts[1]));
  for (std::size_t i = 2; i < parts.size(); ++i) {
    set_option(rule, text, trim(parts[i]));
  }
  return rule;
}

FaultRule parse_fault_kind(std::string_view text) {
  FaultRule rule;
  set_kind(rule, text, text);
  rule.probability = 1;
  return rule;
}

const FaultRule* draw_fault(std::span<const FaultRule> rules,
                            std::uint64_t seed,
                            std::uint64_t identity,
                            std::uint32_t attempt) noexcept {
  // Rules share one draw, laid side by side on [0, 1): 1% and 2% make 3% of faulty answers.
  double draw = unit_draw(mix(mix(seed, identity), 0xFA017000ULL + attempt));
  for (const FaultRule& rule : rules) {
    if (attempt >= rule.first) {
      continue;
    }
    if (draw < rule.probability) {
      return &rule;
    }
    draw -= rule.probability;
  }
  return nullptr;
}

}  // namespace batchllm::simulator

// SPDX-License-Identifier: Apache-2.0
#include "daemon/api/request_members.h"

#include "core/error.h"
#include "core/text.h"
#include "core/time_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace batchllm::daemon {
namespace {

constexpr std::size_t k_most_tags = 50;
constexpr std::size_t k_longest_tag = 200;
constexpr double k_micro = 1e6;
constexpr double k_most_usd = 1e9;

[[noreturn]] void refuse(std::string_view name, std::string_view what) {
  throw Error(ErrorCode::usage, fmt::format("{} {}", name, what));
}

}  // namespace

RequestMembers::RequestMembers(const JsonNode& object,
                               std::initializer_list<std::string_view> known)
    : object_(object) {
  if (object.kind() != JsonNode::Kind::object) {
    throw Error(ErrorCode::usage, "an object was expected");
  }
  for (const JsonMember& member : object.members()) {
    if (std::find(known.begin(), known.end(), member.key) != known.end()) {
      continue;
    }
    const auto nearest =
        nearest_name(member.key, std::vector<std::string>(known.begin(), known.end()));
    throw Error(ErrorCode::usage,
                fmt::format("there is no member {} here", printable(member.key)),
                nearest ? fmt::format("did you mean {}?", *nearest) : "see /docs");
  }
}

const JsonNode* RequestMembers::find(std::string_view name) const {
  const JsonNode* found = object_.find(name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

const JsonNode& RequestMembers::require(std::string_view name) const {
  const JsonNode* found = find(name);
  if (found == nullptr) {
    refuse(name, "is missing");
  }
  return *found;
}

std::optional<std::string> RequestMembers::text(std::string_view name,
                                                std::size_t most_bytes) const {
  const JsonNode* found = find(name);
  if (found == nullptr) {
    return std::nullopt;
  }
  const auto text = found->string();
  if (!text) {
    refuse(name, "must be a text");
  }
  if (text->size() > most_bytes) {
    refuse(name, fmt::format("is longer than {} bytes", most_bytes));
  }
  return std::string(*text);
}

std::string RequestMembers::require_text(std::string_view name, std::size_t most_bytes) const {
  require(name);
  auto found = text(name, most_bytes);
  if (found->empty()) {
    refuse(name, "must not be empty");
  }
  return *std::move(found);
}

std::optional<bool> RequestMembers::flag(std::string_view name) const {
  const JsonNode* found = find(name);
  if (found == nullptr) {
    return std::nullopt;
  }
  if (!found->boolean()) {
    refuse(name, "must be true or false");
  }
  return found->boolean();
}

std::optional<std::int64_t> RequestMembers::integer(std::string_view name,
                                                    std::int64_t least,
                                                    std::int64_t most) const {
  const JsonNode* found = find(name);
  if (found == nullptr) {
    return std::nullopt;
  }
  const auto number = found->integer();
  if (!number || *number < least || *number > most) {
    refuse(name, fmt::format("must be a whole number from {} to {}", least, most));
  }
  return number;
}

std::optional<std::size_t> RequestMembers::choice(
    std::string_view name, std::initializer_list<std::string_view> names) const {
  const auto chosen = text(name);
  if (!chosen) {
    return std::nullopt;
  }
  const auto* found = std::find(names.begin(), names.end(), *chosen);
  if (found == names.end()) {
    refuse(name,
           fmt::format("must be one of {}, not {}",
                       name_list(std::vector<std::string>(names.begin(), names.end())),
                       printable(*chosen)));
  }
  return static_cast<std::size_t>(found - names.begin());
}

std::optional<std::int64_t> RequestMembers::time(std::string_view name) const {
  const auto given = text(name);
  if (!given) {
    return std::nullopt;
  }
  const auto time = parse_rfc3339(*given);
  if (!time) {
    refuse(name,
           fmt::format("must be a time such as 2026-01-02T03:04:05Z, not {}", printable(*given)));
  }
  return *time;
}

std::optional<std::int64_t> RequestMembers::usd(std::string_view name) const {
  const JsonNode* found = find(name);
  if (found == nullptr) {
    return std::nullopt;
  }
  const auto amount = found->string() ? parse_number(*found->string()) : found->number();
  if (!amount || *amount < 0 || *amount > k_most_usd) {
    refuse(name, "must be an amount in USD, such as 12.50");
  }
  return std::llround(*amount * k_micro);
}

std::optional<std::string> RequestMembers::tags(std::string_view name) const {
  const JsonNode* found = find(name);
  if (found == nullptr) {
    return std::nullopt;
  }
  if (found->kind() != JsonNode::Kind::object || found->members().size() > k_most_tags) {
    refuse(name, fmt::format("must be an object with at most {} members", k_most_tags));
  }
  for (const JsonMember& tag : found->members()) {
    const auto value = tag.value.string();
    if (!value || tag.key.empty() || tag.key.size() > k_longest_tag ||
        value->size() > k_longest_tag) {
      refuse(name, fmt::format("must hold texts of at most {} bytes", k_longest_tag));
    }
  }
  return found->to_json();
}

}  // namespace batchllm::daemon

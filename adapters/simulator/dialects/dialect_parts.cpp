// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/dialects/dialect_parts.h"

#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace batchllm::simulator {

std::string_view bearer_key(const SimulatedRequest& request) {
  constexpr std::string_view k_scheme = "bearer ";
  const std::string_view authorization = request.header("Authorization");
  return equals_ignoring_case(authorization.substr(0, k_scheme.size()), k_scheme)
             ? trim(authorization.substr(k_scheme.size()))
             : std::string_view{};
}

bool take_prefix(std::string_view& text, std::string_view prefix) noexcept {
  if (!text.starts_with(prefix)) {
    return false;
  }
  text.remove_prefix(prefix.size());
  return true;
}

std::string_view query_value(std::string_view query, std::string_view name) noexcept {
  while (!query.empty()) {
    std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (take_prefix(pair, name) && take_prefix(pair, "=")) {
      return pair;
    }
  }
  return {};
}

ListPart list_part(std::size_t count, std::size_t begin, std::string_view size, std::size_t usual) {
  constexpr std::int64_t k_most = 1000;
  const std::int64_t wanted = parse_integer(size).value_or(static_cast<std::int64_t>(usual));
  const auto taken = static_cast<std::size_t>(std::clamp<std::int64_t>(wanted, 1, k_most));
  return {begin, std::min(begin + taken, count)};
}

std::string part_token(std::size_t begin) {
  return fmt::format("part{}", begin);
}

std::optional<std::size_t> part_begin(std::string_view token, std::size_t count) {
  if (token.empty()) {
    return 0;
  }
  const auto begin = take_prefix(token, "part") ? parse_integer(token) : std::nullopt;
  return begin && *begin > 0 && *begin < static_cast<std::int64_t>(count)
             ? std::optional(static_cast<std::size_t>(*begin))
             : std::nullopt;
}

void add_header(SimulatedReply& reply, std::string_view name, std::string value) {
  reply.headers.emplace_back(name, std::move(value));
}

void add_retry_after(const SimulatedError& error, SimulatedReply& reply) {
  if (error.wait_us > 0) {
    add_header(reply, "retry-after", std::to_string((error.wait_us + 999'999) / 1'000'000));
  }
}

void append_arguments(std::string& out, std::string_view json) {
  out.append(json.starts_with('{') && is_json(json) ? json : "{}");
}

std::string request_id(std::string_view prefix, const ReplyFacts& facts) {
  return fmt::format("{}{:016x}", prefix, facts.request_id);
}

EventStream::EventStream(SimulatedReply& reply)
    : EventStream(reply, "text/event-stream; charset=utf-8", "\n\n") {}

EventStream::EventStream(SimulatedReply& reply, const char* content_type, std::string_view end)
    : reply_(reply),
      end_(end) {
  reply.delivery = Delivery::events;
  reply.content_type = content_type;
}

std::string& EventStream::begin(std::string_view type) {
  if (!type.empty()) {
    reply_.body.append("event: ").append(type).append("\n");
  }
  return reply_.body.append("data: ");
}

void EventStream::end() {
  reply_.body.append(end_);
  reply_.ends.push_back(reply_.body.size());
}

}  // namespace batchllm::simulator

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm::simulator {

// Bytes that must be readable behind the body of a request.
constexpr std::size_t k_body_padding = 64;

// A request as it came in.
struct SimulatedRequest {
  std::string_view method;
  std::string_view path;   // without the query
  std::string_view query;  // without the question mark
  std::string_view body;   // with k_body_padding readable bytes behind it
  // The value of a header; empty when it is not there.
  std::function<std::string_view(const char* name)> header;
  std::uint64_t connection = 0;
};

// When it came in.
struct RequestTime {
  std::int64_t monotonic_us = 0;
  std::int64_t wall_ms = 0;
};

enum class Delivery : std::uint8_t {
  answer,     // as HTTP wants it
  events,     // the same, cut at `ends` into chunks
  truncated,  // full Content-Length, half of the body, end of the connection
  reset,      // TCP reset instead of an answer
  close,      // end of the connection instead of an answer
  hang,       // nothing
};

// What is to be done about it.
struct SimulatedReply {
  Delivery delivery = Delivery::answer;
  int status = 200;
  const char* content_type = "application/json";
  std::int64_t delay_us = 0;
  std::string body;
  std::vector<std::size_t> ends;
  std::vector<std::pair<std::string, std::string>> headers;

  // Back to the defaults; keeps the memory.
  void clear();
};

}  // namespace batchllm::simulator

// SPDX-License-Identifier: Apache-2.0
// Any bytes as a stream of events: the events are the same however the bytes are cut, and no event
// is larger than the limit.
#include "adapters/http/sse_parser.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

constexpr std::size_t k_limit = 200;

struct Parsed {
  std::string events;
  batchllm::SseParser::Fed fed = batchllm::SseParser::Fed::more;

  bool operator==(const Parsed&) const = default;
};

Parsed parse(std::string_view text, std::size_t piece) {
  Parsed parsed;
  batchllm::SseParser parser(
      [&parsed](const batchllm::SseEvent& event) {
        if (event.type.empty() || event.data.size() > k_limit) {
          std::fprintf(stderr, "an event without type or too large\n");
          std::abort();
        }
        parsed.events += event.type + '\0' + event.data + '\0' + event.last_id + '\0';
        return true;
      },
      k_limit);
  for (std::size_t at = 0; at < text.size(); at += piece) {
    parsed.fed = parser.feed(text.substr(at, piece));
  }
  parsed.events += parser.last_id();
  return parsed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const Parsed whole = parse(text, size + 1);
  for (const std::size_t piece : {1U, 2U, 7U}) {
    if (parse(text, piece) != whole) {
      std::fprintf(stderr, "pieces of %zu bytes give other events\n", piece);
      std::abort();
    }
  }
  return 0;
}

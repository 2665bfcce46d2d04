// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/simulator/simulator_service.h"
#include "core/json_text.h"
#include "core/text.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm::test {

using Headers = std::vector<std::pair<std::string, std::string>>;

// Asks the service as the HTTP server does; `target` may have a query.
inline simulator::SimulatedReply ask(simulator::SimulatorService& service,
                                     std::string_view body,
                                     std::string_view target,
                                     const Headers& headers = {},
                                     std::string_view method = "POST") {
  std::string padded(body);
  padded.resize(body.size() + simulator::k_body_padding);
  const std::string_view path = target.substr(0, target.find('?'));
  simulator::SimulatedReply reply;
  service.decide({.method = method,
                  .path = path,
                  .query = target.substr(std::min(path.size() + 1, target.size())),
                  .body = std::string_view(padded).substr(0, body.size()),
                  .header =
                      [&headers](const char* name) {
                        for (const auto& [key, value] : headers) {
                          if (equals_ignoring_case(key, name)) {
                            return std::string_view(value);
                          }
                        }
                        return std::string_view{};
                      }},
                 {},
                 reply);
  return reply;
}

inline std::string member(std::string_view json, std::string_view path) {
  const auto found = find_in_json(json, path);
  return found ? found->text : "nothing";
}

inline std::string member(const simulator::SimulatedReply& reply, std::string_view path) {
  return member(reply.body, path);
}

inline std::string header(const simulator::SimulatedReply& reply, std::string_view name) {
  for (const auto& [key, value] : reply.headers) {
    if (key == name) {
      return value;
    }
  }
  return "nothing";
}

// The pieces of a stream, without "event:" lines and the "data: " before each.
inline std::vector<std::string> events_of(const simulator::SimulatedReply& reply) {
  std::vector<std::string> events;
  std::size_t begin = 0;
  for (const std::size_t end : reply.ends) {
    std::string event = reply.body.substr(begin, end - begin);
    const std::size_t data = event.find("data: ");
    events.emplace_back(trim(data == std::string::npos ? event : event.substr(data + 6)));
    begin = end;
  }
  return events;
}

// What the pieces of a stream have at `path`, joined.
inline std::string joined(const simulator::SimulatedReply& reply, std::string_view path) {
  std::string text;
  for (const std::string& event : events_of(reply)) {
    const auto piece = find_in_json(event, path);
    text += piece && !piece->is_null ? piece->text : "";
  }
  return text;
}

inline SimulatorSettings with_fault(std::string_view fault) {
  SimulatorSettings settings;
  settings.faults = {simulator::parse_fault(fault)};
  return settings;
}

}  // namespace batchllm::test

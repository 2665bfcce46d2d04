// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/wire_json.h"

#include "adapters/json/json_scan.h"
#include "core/text.h"

#include <algorithm>

namespace batchllm::wire {

std::string_view string_or_empty(ondemand::value value) {
  std::string_view text;
  return value.get_string().get(text) == simdjson::SUCCESS ? text : std::string_view{};
}

std::string text_of(ondemand::value value) {
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) {
    return std::string(text);
  }
  std::int64_t number = 0;
  return value.get_int64().get(number) == simdjson::SUCCESS ? std::to_string(number)
                                                            : std::string();
}

std::string_view raw_json(ondemand::value value) {
  std::string_view json;
  return simdjson::to_json_string(value).get(json) == simdjson::SUCCESS ? json : std::string_view{};
}

std::int64_t count_of(ondemand::value value) {
  constexpr std::int64_t k_most = 1'000'000'000'000;  // so that sums of them stay in range
  std::int64_t count = 0;
  return value.get_int64().get(count) == simdjson::SUCCESS
             ? std::clamp<std::int64_t>(count, 0, k_most)
             : 0;
}

namespace {

// OpenRouter's: what went wrong in a word, and why its moderation refuses a prompt.
void read_metadata(ondemand::value value, ErrorBody& error) {
  (void)for_each_member(value, [&error](std::string_view key, ondemand::value member) {
    if (key == "error_type") {
      error.type = text_of(member);
    } else if (key == "reasons" && error.type.empty()) {
      error.type = "content_policy_violation";
    }
  });
}

}  // namespace

void read_error(ondemand::value value, ErrorBody& error) {
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) {
    error.message = text;
    return;
  }
  (void)for_each_member(value, [&](std::string_view key, ondemand::value member) {
    if (key == "message") {
      error.message = text_of(member);
    } else if (key == "type") {
      error.type = text_of(member);
    } else if (key == "code") {
      error.code = text_of(member);
    } else if (key == "metadata") {
      read_metadata(member, error);
    }
  });
}

bool is_whole(const HttpResponse& response) {
  const std::string_view text = trim(response.text());
  json::BracketScan scan;
  return json::scan_brackets(text, scan) == text.size();
}

}  // namespace batchllm::wire

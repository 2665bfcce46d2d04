// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/openai.h"

#include "adapters/json/json_scan.h"
#include "adapters/providers/base_url.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>

namespace batchllm {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::size_t k_longest_message = 500;

// Members of the provider's error object, for the classification.
struct ErrorBody {
  std::string message;
  std::string type;
  std::string code;
};

bool contains(std::string_view text, std::string_view part) noexcept {
  return text.find(part) != std::string_view::npos;
}

bool is_quota(const ErrorBody& error) {
  constexpr std::array<std::string_view, 3> k_codes = {
      "insufficient_quota", "credit_balance_exhausted", "billing_hard_limit_reached"};
  return std::any_of(k_codes.begin(), k_codes.end(), [&](std::string_view code) {
    return error.code == code || error.type == code;
  });
}

RowFailure classify_400(const ErrorBody& error) {
  if (error.code == "context_length_exceeded" ||
      contains(error.message, "maximum context length")) {
    return RowFailure::context_too_long;
  }
  if (error.code == "content_filter" || error.code == "content_policy_violation") {
    return RowFailure::content_filtered;
  }
  return RowFailure::bad_request;
}

RowFailure classify_429(const ErrorBody& error) {
  if (is_quota(error)) {
    return RowFailure::quota_exhausted;
  }
  // One request above the whole minute's limit never fits.
  return error.message.starts_with("Request too large") ? RowFailure::context_too_long
                                                        : RowFailure::rate_limited;
}

RowFailure classify(int status, const ErrorBody& error) {
  switch (status) {
    case 401:
    case 403:
      return RowFailure::auth_refused;
    case 402:
      return RowFailure::quota_exhausted;
    case 408:
      return RowFailure::timeout;
    case 409:
      return RowFailure::server_error;
    case 429:
      return classify_429(error);
    case 503:
    case 529:
      return RowFailure::overloaded;
    default:
      return status >= 500 ? RowFailure::server_error : classify_400(error);
  }
}

// The string, or an empty one for null and everything else.
std::string_view string_or_empty(ondemand::value value) {
  std::string_view text;
  return value.get_string().get(text) == simdjson::SUCCESS ? text : std::string_view{};
}

std::string text_of(ondemand::value value) {
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) {
    return std::string(text);
  }
  std::int64_t number = 0;  // compatible servers put a number where OpenAI has a word
  return value.get_int64().get(number) == simdjson::SUCCESS ? std::to_string(number)
                                                            : std::string();
}

// Calls `visit(key, value)` for every member of an object. False when `value` is no object, or ends
// in the middle.
template <typename Visit>
bool for_each_member(ondemand::value value, Visit visit) {
  ondemand::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) {
    return false;
  }
  for (auto field : object) {
    std::string_view key;
    ondemand::value member;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS ||
        field.value().get(member) != simdjson::SUCCESS) {
      return false;
    }
    visit(key, member);
  }
  return true;
}

void read_error_object(ondemand::value value, ErrorBody& error) {
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
    }
  });
}

std::int64_t token_count(ondemand::value value) {
  std::int64_t count = 0;
  return value.get_int64().get(count) == simdjson::SUCCESS && count > 0 ? count : 0;
}

class OpenAiProvider final : public Provider {
 public:
  explicit OpenAiProvider(ChatModel model);
  HttpEndpoint endpoint() const override;
  void encode(const Prompt& prompt, std::string& body) const override;
  Answer decode(HttpResponse& response) override;

 private:
  struct Choice {
    std::string_view content;
    std::string_view refusal;
    std::string_view finish_reason;
    bool seen = false;
  };

  Answer decode_error(HttpResponse& response);
  Answer decode_completion(HttpResponse& response);
  bool read_document(HttpResponse& response, Choice& choice, Usage& usage, ErrorBody& error);
  void read_choice(ondemand::value value, Choice& choice);
  void read_message(ondemand::value value, Choice& choice);
  void read_content(ondemand::value value, Choice& choice);
  static void read_usage(ondemand::value value, Usage& usage);
  std::string for_people(std::string_view text, std::size_t columns) const;

  ChatModel model_;
  std::string head_;  // {"model":"…","messages":[
  std::string tail_;  // ],"temperature":0,…}
  ondemand::parser parser_;
  std::string joined_content_;
};

OpenAiProvider::OpenAiProvider(ChatModel model) : model_(std::move(model)) {
  head_ = R"({"model":)" + json_string(model_.name) + R"(,"messages":[)";
  tail_ = "]";
  const auto add = [this](std::string_view name, std::string_view json) {
    tail_ += ',';
    append_json_string(tail_, name);
    tail_ += ':';
    tail_ += json;
  };
  if (model_.temperature) {
    add("temperature", fmt::format("{}", *model_.temperature));
  }
  if (model_.max_tokens) {
    add(model_.token_limit_name, std::to_string(*model_.max_tokens));
  }
  for (const auto& [name, json] : model_.parameters) {
    add(name, json);
  }
  tail_ += '}';
}

HttpEndpoint OpenAiProvider::endpoint() const {
  HttpEndpoint endpoint = parse_base_url(model_.base_url);
  endpoint.url += "/chat/completions";
  endpoint.headers.emplace_back("Content-Type", "application/json");
  if (!model_.key.empty()) {
    endpoint.headers.emplace_back("Authorization", "Bearer " + model_.key);
  }
  endpoint.ca_file = model_.ca_file;
  endpoint.http2 = model_.http2;
  return endpoint;
}

void OpenAiProvider::encode(const Prompt& prompt, std::string& body) const {
  body.assign(head_);
  std::size_t with_image = prompt.messages.size();
  for (std::size_t i = 0; i < prompt.messages.size() && !prompt.image_url.empty(); ++i) {
    with_image = prompt.messages[i].role == "user" ? i : with_image;
  }
  for (std::size_t i = 0; i < prompt.messages.size(); ++i) {
    const auto& message = prompt.messages[i];
    body += i == 0 ? R"({"role":")" : R"(,{"role":")";
    append_json_escaped(body, message.role);
    if (i != with_image) {
      body += R"(","content":")";
      append_json_escaped(body, message.text);
      body += "\"}";
      continue;
    }
    body += R"(","content":[{"type":"text","text":")";
    append_json_escaped(body, message.text);
    body += R"("},{"type":"image_url","image_url":{"url":")";
    append_json_escaped(body, prompt.image_url);
    body += R"("}}]})";
  }
  body += tail_;
}

Answer OpenAiProvider::decode(HttpResponse& response) {
  if (response.status < 200 || response.status > 299) {
    return decode_error(response);
  }
  return decode_completion(response);
}

Answer OpenAiProvider::decode_error(HttpResponse& response) {
  ErrorBody error;
  Choice choice;
  Usage usage;
  Answer answer;
  const bool readable = read_document(response, choice, usage, error) && !error.message.empty();
  answer.failure = classify(response.status, error);
  answer.stops_run =
      answer.failure == RowFailure::auth_refused || answer.failure == RowFailure::quota_exhausted;
  if (response.status >= 300 && response.status < 400) {
    answer.message = fmt::format("HTTP {}: the server redirects; give its address by --base-url",
                                 response.status);
  } else if (readable) {
    answer.message =
        fmt::format("HTTP {}: {}", response.status, for_people(error.message, k_longest_message));
  } else {
    answer.message = fmt::format("HTTP {}: {}", response.status, for_people(response.text(), 200));
  }
  return answer;
}

// Some servers repeat the key that they refuse: it is masked before anything is cut off.
std::string OpenAiProvider::for_people(std::string_view text, std::size_t columns) const {
  if (model_.key.empty()) {
    return one_line(text, columns);
  }
  std::string clean;
  // More than can be shown is not needed: four bytes are the longest character.
  while (!text.empty() && clean.size() <= columns * 4) {
    const auto at = std::min(text.find(model_.key), text.size());
    clean += text.substr(0, at);
    clean += at == text.size() ? "" : "***";
    text.remove_prefix(std::min(text.size(), at + model_.key.size()));
  }
  return one_line(clean, columns);
}

Answer OpenAiProvider::decode_completion(HttpResponse& response) {
  ErrorBody error;
  Choice choice;
  Answer answer;
  if (!read_document(response, choice, answer.usage, error)) {
    answer.failure = RowFailure::protocol_error;
    answer.message = fmt::format(
        "HTTP {}: not a chat completion: {}", response.status, for_people(response.text(), 200));
    return answer;
  }
  answer.text = choice.content;
  if (!choice.seen) {
    answer.failure = error.message.empty() ? RowFailure::protocol_error : RowFailure::server_error;
    answer.message = error.message.empty() ? "the response holds no choice"
                                           : for_people(error.message, k_longest_message);
  } else if (choice.finish_reason == "content_filter") {
    answer.failure = RowFailure::content_filtered;
    answer.message = "the provider's content filter cut the answer off";
  } else if (!choice.refusal.empty()) {
    answer.failure = RowFailure::refused;
    answer.message = "the model refused: " + for_people(choice.refusal, k_longest_message);
  } else if (choice.finish_reason == "length") {
    answer.failure = RowFailure::truncated;
    answer.message = fmt::format("the answer was cut off after {} tokens; raise --max-tokens",
                                 answer.usage.output_tokens);
  } else if (trim(choice.content).empty()) {
    answer.failure = RowFailure::empty_answer;
    answer.message = "the answer is empty";
  }
  return answer;
}

bool OpenAiProvider::read_document(HttpResponse& response,
                                   Choice& choice,
                                   Usage& usage,
                                   ErrorBody& error) {
  ondemand::document document;
  ondemand::object root;
  if (parser_.iterate(
                 response.body, response.body_size, response.body_size + simdjson::SIMDJSON_PADDING)
              .get(document) != simdjson::SUCCESS ||
      document.get_object().get(root) != simdjson::SUCCESS) {
    return false;
  }
  for (auto field : root) {
    std::string_view key;
    ondemand::value value;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS ||
        field.value().get(value) != simdjson::SUCCESS) {
      return false;
    }
    if (key == "choices") {
      ondemand::array choices;
      ondemand::value first;
      if (value.get_array().get(choices) != simdjson::SUCCESS) {
        return false;
      }
      for (auto element : choices) {
        if (element.get(first) != simdjson::SUCCESS) {
          return false;
        }
        if (!choice.seen) {
          read_choice(first, choice);
        }
      }
    } else if (key == "usage") {
      read_usage(value, usage);
    } else if (key == "error") {
      read_error_object(value, error);
    }
  }
  // A document that was cut off may end with a brace, too, and lack the finish_reason that matters.
  const std::string_view text = trim(response.text());
  json::BracketScan scan;
  return json::scan_brackets(text, scan) == text.size();
}

void OpenAiProvider::read_choice(ondemand::value value, Choice& choice) {
  (void)for_each_member(value, [&](std::string_view key, ondemand::value member) {
    if (key == "message") {
      choice.seen = true;
      read_message(member, choice);
    } else if (key == "finish_reason") {
      choice.finish_reason = string_or_empty(member);
    }
  });
}

void OpenAiProvider::read_message(ondemand::value value, Choice& choice) {
  (void)for_each_member(value, [&](std::string_view key, ondemand::value member) {
    if (key == "content") {
      read_content(member, choice);
    } else if (key == "refusal") {
      choice.refusal = string_or_empty(member);
    }
  });
}

// A string, null, or (some servers) a list of parts whose texts belong together.
void OpenAiProvider::read_content(ondemand::value value, Choice& choice) {
  ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) {
    return;
  }
  if (type == ondemand::json_type::string) {
    choice.content = string_or_empty(value);
    return;
  }
  ondemand::array parts;
  if (type != ondemand::json_type::array || value.get_array().get(parts) != simdjson::SUCCESS) {
    return;
  }
  joined_content_.clear();
  for (auto part : parts) {
    ondemand::object object;
    if (part.get_object().get(object) != simdjson::SUCCESS) {
      return;
    }
    std::string_view text;
    if (object.find_field_unordered("text").get_string().get(text) == simdjson::SUCCESS) {
      joined_content_ += text;
    }
  }
  choice.content = joined_content_;
}

void OpenAiProvider::read_usage(ondemand::value value, Usage& usage) {
  (void)for_each_member(value, [&](std::string_view key, ondemand::value member) {
    if (key == "prompt_tokens") {
      usage.input_tokens = token_count(member);
    } else if (key == "completion_tokens") {
      usage.output_tokens = token_count(member);
    } else if (key == "prompt_tokens_details") {
      ondemand::object details;
      ondemand::value cached;
      if (member.get_object().get(details) == simdjson::SUCCESS &&
          details.find_field_unordered("cached_tokens").get(cached) == simdjson::SUCCESS) {
        usage.cached_tokens = token_count(cached);
      }
    }
  });
}

}  // namespace

std::unique_ptr<Provider> make_openai_provider(ChatModel model) {
  return std::make_unique<OpenAiProvider>(std::move(model));
}

}  // namespace batchllm

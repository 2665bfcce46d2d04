// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/chat_provider.h"

#include "adapters/providers/base_url.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

namespace batchllm {
namespace {

constexpr std::size_t k_longest_message = 500;
constexpr std::size_t k_longest_sample = 200;  // of a body that cannot be read

// The object of a response; some gateways put it into an array.
bool find_root(wire::ondemand::document& document, wire::ondemand::object& root) {
  if (document.get_object().get(root) == simdjson::SUCCESS) {
    return true;
  }
  wire::ondemand::array array;
  if (document.get_array().get(array) != simdjson::SUCCESS) {
    return false;
  }
  for (auto element : array) {
    return element.get_object().get(root) == simdjson::SUCCESS;
  }
  return false;
}

// Of an error that comes with status 200: routers put the status that they got into its code.
RowFailure failure_in_answer(const wire::ErrorBody& error) {
  const auto status = parse_integer(error.code);
  return status && *status >= 400 && *status <= 599
             ? wire::classify_error(static_cast<int>(*status), error)
             : RowFailure::server_error;
}

}  // namespace

ChatProvider::ChatProvider(ModelRequest request)
    : request_(std::move(request)),
      endpoint_(parse_base_url(request_.base_url)) {
  endpoint_.ca_file = request_.ca_file;
  endpoint_.http2 = request_.http2;
  add_header("Content-Type", "application/json");
}

void ChatProvider::encode(const Prompt& prompt, std::string& body) const {
  body.assign(head_);
  write_messages(prompt, body);
  body += tail_;
}

void ChatProvider::append_turns(std::string& body,
                                std::string_view answer,
                                std::string_view request) const {
  body.resize(body.size() - tail_.size());
  write_turn("assistant", answer, body);
  write_turn("user", request, body);
  body += tail_;
}

Answer ChatProvider::decode(HttpResponse& response) {
  Reply reply;
  const bool is_readable = read(response, reply);
  if (response.status < 200 || response.status > 299) {
    return decode_error(response, reply, is_readable);
  }
  Answer answer;
  answer.usage = reply.usage;
  if (!is_readable) {
    answer.failure = RowFailure::protocol_error;
    answer.message = fmt::format("HTTP {}: not an answer of this API: {}",
                                 response.status,
                                 shown(response.text(), k_longest_sample));
    return answer;
  }
  judge(reply, answer);
  return answer;
}

void ChatProvider::judge(Reply& reply, Answer& answer) const {
  answer.text = reply.text;
  answer.failure = meaning_of(reply.finish);
  if (!reply.error.message.empty() && (!reply.has_answer || answer.failure != RowFailure::none)) {
    answer.failure = failure_in_answer(reply.error);
    answer.stops_run = wire::ends_run(answer.failure);
    answer.message = shown(reply.error.message, k_longest_message);
  } else if (!reply.has_answer && answer.failure == RowFailure::none) {
    answer.failure = RowFailure::protocol_error;
    answer.message = "the response holds no answer";
  } else if (answer.failure == RowFailure::content_filtered) {
    answer.message = "the provider's content filter cut the answer off";
  } else if (!reply.refusal.empty() || answer.failure == RowFailure::refused) {
    answer.failure = RowFailure::refused;
    answer.message = reply.refusal.empty()
                         ? "the model refused"
                         : "the model refused: " + shown(reply.refusal, k_longest_message);
  } else if (answer.failure == RowFailure::truncated) {
    answer.message = fmt::format("the answer was cut off after {} tokens; raise --max-tokens",
                                 answer.usage.output_tokens);
  } else if (answer.failure != RowFailure::none) {
    answer.message = fmt::format("the answer ended with \"{}\"", shown(reply.finish, 60));
  } else if (trim(reply.text).empty()) {
    answer.failure = RowFailure::empty_answer;
    answer.message = "the answer is empty";
  }
}

Answer ChatProvider::decode_error(const HttpResponse& response,
                                  Reply& reply,
                                  bool is_readable) const {
  Answer answer;
  answer.failure = failure_of(response, reply);
  answer.stops_run = wire::ends_run(answer.failure);
  answer.retry_after_ms = reply.retry_after_ms;
  if (response.status >= 300 && response.status < 400) {
    answer.message = fmt::format("HTTP {}: the server redirects; give its address by --base-url",
                                 response.status);
  } else if (is_readable && !reply.error.message.empty()) {
    answer.message =
        fmt::format("HTTP {}: {}", response.status, shown(reply.error.message, k_longest_message));
  } else {
    answer.message =
        fmt::format("HTTP {}: {}", response.status, shown(response.text(), k_longest_sample));
  }
  return answer;
}

RowFailure ChatProvider::failure_of(const HttpResponse& response, const Reply& reply) const {
  return wire::classify_error(response.status, reply.error);
}

bool ChatProvider::read(HttpResponse& response, Reply& reply) {
  namespace ondemand = wire::ondemand;
  joined_text_.clear();
  ondemand::document document;
  ondemand::object root;
  if (parser_.iterate(
                 response.body, response.body_size, response.body_size + simdjson::SIMDJSON_PADDING)
              .get(document) != simdjson::SUCCESS ||
      !find_root(document, root)) {
    return false;
  }
  for (auto field : root) {
    std::string_view key;
    ondemand::value value;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS ||
        field.value().get(value) != simdjson::SUCCESS || !read_member(key, value, reply)) {
      return false;
    }
  }
  return wire::is_whole(response);
}

void ChatProvider::add_text(std::string_view piece, Reply& reply) {
  if (reply.text.empty()) {
    reply.text = piece;
    return;
  }
  if (joined_text_.empty()) {
    joined_text_ = reply.text;
  }
  joined_text_ += piece;
  reply.text = joined_text_;
}

std::size_t ChatProvider::last_of_user(const Prompt& prompt) {
  std::size_t last = prompt.messages.size();
  for (std::size_t i = 0; i < prompt.messages.size(); ++i) {
    last = prompt.messages[i].role == "user" ? i : last;
  }
  return last;
}

std::string ChatProvider::shown(std::string_view text, std::size_t columns) const {
  return wire::for_people(text, request_.key, columns);
}

std::optional<DataUrl> split_data_url(std::string_view url) {
  constexpr std::string_view k_scheme = "data:";
  constexpr std::string_view k_encoding = ";base64,";
  const auto comma = url.find(k_encoding);
  if (!url.starts_with(k_scheme) || comma == std::string_view::npos) {
    return std::nullopt;
  }
  return DataUrl{url.substr(k_scheme.size(), comma - k_scheme.size()),
                 url.substr(comma + k_encoding.size())};
}

void append_member(std::string& object, std::string_view name, std::string_view json) {
  object += object.empty() || object.back() == '{' ? "" : ",";
  append_json_string(object, name);
  object += ':';
  object += json;
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/chat_provider.h"

#include "adapters/providers/base_url.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

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
  return array.at(0).get_object().get(root) == simdjson::SUCCESS;
}

// The one with the attachments; the number of messages when there is none.
std::size_t last_of_user(const Prompt& prompt) {
  std::size_t last = prompt.messages.size();
  for (std::size_t i = 0; i < prompt.messages.size(); ++i) {
    last = prompt.messages[i].role == "user" ? i : last;
  }
  return last;
}

}  // namespace

ChatProvider::ChatProvider(ModelRequest request)
    : request_(std::move(request)),
      endpoint_(parse_base_url(request_.base_url)) {
  endpoint_.ca_file = request_.ca_file;
  endpoint_.http2 = request_.http2;
  add_header("Content-Type", "application/json");
}

void ChatProvider::send_to(std::string_view path) {
  endpoint_.url.insert(std::min(endpoint_.url.find('?'), endpoint_.url.size()), path);
}

void ChatProvider::send_to(std::string_view version, std::string_view path) {
  const std::string_view url = endpoint_.url;
  const bool has_version = url.substr(0, url.find('?')).ends_with(version);
  send_to(has_version ? std::string(path) : std::string(version).append(path));
}

void ChatProvider::add_key(std::string_view usual_header) {
  if (request_.key.empty()) {
    return;
  }
  const std::string& header = request_.traits.key_header;
  std::string name(header.empty() ? usual_header : header);
  const bool is_bearer = equals_ignoring_case(name, "authorization");
  add_header(std::move(name), (is_bearer ? "Bearer " : "") + request_.key);
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
  body += ',';
  write_turn(role_of("assistant"), answer, {}, body);
  body += ',';
  write_turn(role_of("user"), request, {}, body);
  body += tail_;
}

void ChatProvider::write_turns(const Prompt& prompt,
                               Instructions instructions,
                               std::string& body) const {
  const std::size_t with_image =
      prompt.image_url.empty() ? prompt.messages.size() : last_of_user(prompt);
  bool is_first = true;
  for (std::size_t i = 0; i < prompt.messages.size(); ++i) {
    const auto& message = prompt.messages[i];
    if (instructions == Instructions::apart && is_instruction(message)) {
      continue;
    }
    body += is_first ? "" : ",";
    is_first = false;
    const std::string_view image = prompt.image_url;
    write_turn(role_of(message.role),
               message.text,
               image.substr(0, i == with_image ? image.npos : 0),
               body);
  }
}

void ChatProvider::write_turn(std::string_view role,
                              std::string_view text,
                              std::string_view image_url,
                              std::string& body) const {
  body += R"({"role":")";
  append_json_escaped(body, role);
  if (image_url.empty()) {
    body += R"(","content":")";
    append_json_escaped(body, text);
    body += "\"}";
    return;
  }
  body += R"(","content":[)";
  write_parts(text, image_url, body);
  body += "]}";
}

void ChatProvider::write_parts(std::string_view text,
                               std::string_view image_url,
                               std::string& body) const {
  body += R"({"type":"text","text":")";
  append_json_escaped(body, text);
  body += R"("},{"type":"image_url","image_url":{"url":")";
  append_json_escaped(body, image_url);
  body += "\"}}";
}

std::string_view ChatProvider::role_of(std::string_view role) const {
  if (role == "system") {
    return request_.traits.system_role;
  }
  return role == "assistant" ? role : "user";
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
    answer.failure = failure_of(status_of(reply.error), reply);
    answer.stops_run = wire::ends_run(answer.failure);
    answer.message = shown(reply.error.message, k_longest_message);
  } else if (!reply.has_answer && answer.failure == RowFailure::none) {
    answer.failure = RowFailure::protocol_error;
    answer.message = "the response holds no answer";
  } else if (answer.failure == RowFailure::content_filtered) {
    answer.message = reply.has_answer ? "the provider's content filter cut the answer off"
                                      : "the provider's content filter refuses the prompt";
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
  if (reply.error.type.empty()) {
    reply.error.type = response.error_type;
  }
  answer.failure = failure_of(response.status, reply);
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

RowFailure ChatProvider::failure_of(int status, const Reply& reply) const {
  return wire::classify_error(status, reply.error);
}

// Routers put the status that they got into the error's code.
int ChatProvider::status_of(const wire::ErrorBody& error) const {
  const auto status = parse_integer(error.code);
  return status && *status >= 400 && *status <= 599 ? static_cast<int>(*status) : 500;
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

void ChatProvider::add_sampling(std::string_view token_limit) {
  if (request_.temperature && request_.traits.takes_temperature) {
    append_member(tail_, "temperature", fmt::format("{}", *request_.temperature));
  }
  if (request_.max_tokens) {
    append_member(tail_, token_limit, std::to_string(*request_.max_tokens));
  }
  if (!request_.effort.empty() && !request_.traits.effort.empty()) {
    append_nested(tail_, request_.traits.effort, json_string(request_.effort));
  }
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

void ChatProvider::write_instructions(const Prompt& prompt,
                                      std::string_view before,
                                      std::string_view after,
                                      std::string& body) const {
  bool is_first = true;
  for (const Prompt::Message& message : prompt.messages) {
    if (is_instruction(message)) {
      body += is_first ? before : R"(\n\n)";
      append_json_escaped(body, message.text);
      is_first = false;
    }
  }
  body += is_first ? "" : after;
}

const std::string* ChatProvider::parameter(std::string_view name) const noexcept {
  for (const auto& [other, json] : request_.parameters) {
    if (other == name) {
      return &json;
    }
  }
  return nullptr;
}

void ChatProvider::add_parameters(std::string& object,
                                  const std::function<bool(std::string_view name)>& belongs) const {
  for (const auto& [name, json] : request_.parameters) {
    const std::string& its_name = name == "seed" ? request_.traits.seed : name;
    if (belongs(name) && !its_name.empty()) {
      append_member(object, its_name, json);
    }
  }
}

void ChatProvider::add_extras(std::string& object) const {
  if (!request_.traits.extra.empty()) {
    object += "," + request_.traits.extra;
  }
  add_parameters(object, [](std::string_view) { return true; });
}

std::string ChatProvider::shown(std::string_view text, std::size_t columns) const {
  return wire::for_people(text, secret(), columns);
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

void append_nested(std::string& object, std::string_view path, std::string_view json) {
  const auto dot = path.find('.');
  if (dot == std::string_view::npos) {
    append_member(object, path, json);
    return;
  }
  std::string inside;
  append_nested(inside, path.substr(dot + 1), json);
  append_member(object, path.substr(0, dot), "{" + inside + "}");
}

std::optional<std::int64_t> thinking_tokens(std::string_view effort) {
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 7> k_words = {{
      {"none", 0},
      {"minimal", 512},
      {"low", 1024},
      {"medium", 8192},
      {"high", 24'576},
      {"xhigh", 32'768},
      {"max", 65'536},
  }};
  for (const auto& [word, tokens] : k_words) {
    if (word == effort) {
      return tokens;
    }
  }
  return parse_integer(effort);
}

}  // namespace batchllm

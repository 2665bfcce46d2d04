// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/chat_provider.h"

#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace batchllm {
namespace {

// The one with the attachments; the number of messages when there is none.
std::size_t last_of_user(const Prompt& prompt) {
  std::size_t last = prompt.messages.size();
  for (std::size_t i = 0; i < prompt.messages.size(); ++i) {
    last = prompt.messages[i].role == "user" ? i : last;
  }
  return last;
}

}  // namespace

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
  const std::size_t with_attachments =
      prompt.attachments.empty() ? prompt.messages.size() : last_of_user(prompt);
  bool is_first = true;
  for (std::size_t i = 0; i < prompt.messages.size(); ++i) {
    const auto& message = prompt.messages[i];
    if (instructions == Instructions::apart && is_instruction(message)) {
      continue;
    }
    body += is_first ? "" : ",";
    is_first = false;
    write_turn(role_of(message.role),
               message.text,
               i == with_attachments ? Attachments(prompt.attachments) : Attachments(),
               body);
  }
}

void ChatProvider::write_turn(std::string_view role,
                              std::string_view text,
                              Attachments attachments,
                              std::string& body) const {
  body += R"({"role":")";
  append_json_escaped(body, role);
  if (attachments.empty()) {
    body += R"(","content":")";
    append_json_escaped(body, text);
    body += "\"}";
    return;
  }
  body += R"(","content":[)";
  write_parts(text, attachments, body);
  body += "]}";
}

void ChatProvider::write_parts(std::string_view text,
                               Attachments attachments,
                               std::string& body) const {
  body += R"({"type":"text","text":")";
  append_json_escaped(body, text);
  body += "\"}";
  for (const Attachment& attachment : attachments) {
    if (attachment.kind == Attachment::Kind::image) {
      body += R"(,{"type":"image_url","image_url":{"url":")";
    } else {
      body += R"(,{"type":"file","file":{"filename":")";
      append_json_escaped(body, attachment.name);
      body += R"(","file_data":")";
    }
    append_json_escaped(body, attachment.url);
    body += "\"}}";
  }
}

std::string_view ChatProvider::role_of(std::string_view role) const {
  if (role == "system") {
    return request().traits.system_role;
  }
  return role == "assistant" ? role : "user";
}

Answer ChatProvider::decode(HttpResponse& response) {
  Reply reply;
  joined_text_.clear();
  const bool is_readable =
      read_members(response, [&](std::string_view key, wire::ondemand::value value) {
        return read_member(key, value, reply);
      });
  if (response.status < 200 || response.status > 299) {
    return error_answer(response, reply, is_readable);
  }
  Answer answer = is_readable ? Answer{} : unreadable_answer(response);
  answer.usage = reply.usage;
  if (is_readable) {
    judge(reply, answer);
  }
  return answer;
}

void ChatProvider::judge(Reply& reply, Answer& answer) const {
  answer.text = reply.text;
  answer.failure = meaning_of(reply.finish);
  if (!reply.error.message.empty() && (!reply.has_answer || answer.failure != RowFailure::none)) {
    take_error(status_of(reply.error), reply, answer);
  } else if (!reply.has_answer && answer.failure == RowFailure::none) {
    answer.failure = RowFailure::protocol_error;
    answer.message = "the response holds no answer";
  } else if (answer.failure == RowFailure::content_filtered) {
    answer.message = reply.has_answer ? "the provider's content filter cut the answer off"
                                      : "the provider's content filter refuses the prompt";
  } else if (!reply.refusal.empty() || answer.failure == RowFailure::refused) {
    answer.failure = RowFailure::refused;
    answer.message =
        reply.refusal.empty() ? "the model refused" : "the model refused: " + shown(reply.refusal);
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

// Routers put the status that they got into the error's code.
int ChatProvider::status_of(const wire::ErrorBody& error) const {
  const auto status = parse_integer(error.code);
  return status && *status >= 400 && *status <= 599 ? static_cast<int>(*status) : 500;
}

void ChatProvider::add_sampling(std::string_view token_limit) {
  if (request().temperature && request().traits.takes_temperature) {
    append_member(tail_, "temperature", fmt::format("{}", *request().temperature));
  }
  if (request().max_tokens) {
    append_member(tail_, token_limit, std::to_string(*request().max_tokens));
  }
  if (!request().effort.empty() && !request().traits.effort.empty()) {
    append_nested(tail_, request().traits.effort, json_string(request().effort));
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

// SPDX-License-Identifier: Apache-2.0
#include "core/chat_template.h"

#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace batchllm {
namespace {

constexpr std::array<std::string_view, 3> k_roles = {"system", "user", "assistant"};

void add_missing(std::vector<std::string>& all, const std::vector<std::string>& some) {
  for (const auto& name : some) {
    if (std::find(all.begin(), all.end(), name) == all.end()) {
      all.push_back(name);
    }
  }
}

void check_role(const ChatTemplateText::Message& message) {
  if (!is_chat_role(message.role)) {
    throw Error(ErrorCode::template_invalid,
                fmt::format("{}:{}: \"{}\" is not a role",
                            message.origin.name,
                            message.origin.line,
                            one_line(message.role, 40)),
                "roles are: system, user and assistant");
  }
}

}  // namespace

bool is_chat_role(std::string_view role) noexcept {
  return std::find(k_roles.begin(), k_roles.end(), role) != k_roles.end();
}

ChatTemplate ChatTemplate::compile(const ChatTemplateText& text, const TemplateNames& names) {
  ChatTemplate chat;
  for (const auto& message : text.messages) {
    check_role(message);
    chat.messages_.push_back(
        {message.role, PromptTemplate::compile(message.text, names, message.origin)});
    const PromptTemplate& compiled = chat.messages_.back().text;
    add_missing(chat.columns_, compiled.columns());
    add_missing(chat.variables_, compiled.variables());
    chat.warnings_.insert(
        chat.warnings_.end(), compiled.warnings().begin(), compiled.warnings().end());
  }
  const auto is_user = [](const auto& message) { return message.role == "user"; };
  if (std::none_of(chat.messages_.begin(), chat.messages_.end(), is_user)) {
    throw Error(ErrorCode::template_invalid,
                "the prompt has no message of the user",
                "give --prompt, or prompt = \"…\" in the template file");
  }
  return chat;
}

void ChatTemplate::bind(const std::vector<std::string>& selected) {
  for (auto& message : messages_) {
    message.text.bind(selected);
  }
}

void ChatTemplate::render(const RowBatch& batch, std::size_t row, Prompt& prompt) const {
  prompt.messages.resize(messages_.size());
  prompt.attachments.clear();
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    Prompt::Message& message = prompt.messages[i];
    message.role = messages_[i].role;
    message.text.clear();
    messages_[i].text.render(batch, row, message.text);
  }
}

}  // namespace batchllm

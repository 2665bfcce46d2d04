// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/job_settings.h"
#include "core/prompt.h"
#include "core/prompt_template.h"
#include "core/row_batch.h"
#include "core/template_names.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm {

// A whole prompt as a person wrote it, before it is compiled: from --system and --prompt, or from a
// template file (adapters/config/template_file.h).
struct ChatTemplateText {
  struct Message {
    std::string role;
    std::string text;
    TemplateOrigin origin;
  };

  // One of several steps. Of `model` and `answer` only what a template can say is set; a schema is
  // JSON or the path of a file.
  struct Step {
    std::string name;  // empty: its number
    std::string when;  // an expression of core/row_filter.h; empty: always
    std::vector<Message> messages;
    ModelSettings model;
    AnswerSettings answer;
  };

  std::string description;                                      // for people; may be empty
  std::vector<Message> messages;                                // empty when there are steps
  std::vector<Step> steps;                                      // none, or at least one
  std::string model;                                            // model spec; empty when not given
  std::vector<std::pair<std::string, std::string>> parameters;  // name, JSON text; in file order
};

// The roles that a message may have.
bool is_chat_role(std::string_view role) noexcept;

// Several prompt templates with roles, rendered together. Thread rule as for PromptTemplate.
class ChatTemplate {
 public:
  // Throws what PromptTemplate::compile throws, and Error(template_invalid) for a role that is
  // unknown or when there is no message of the user.
  static ChatTemplate compile(const ChatTemplateText& text, const TemplateNames& names);

  // The union of the columns of all messages, each once.
  const std::vector<std::string>& columns() const noexcept { return columns_; }

  const std::vector<std::string>& variables() const noexcept { return variables_; }

  bool uses_rows() const noexcept { return !columns_.empty(); }

  const std::vector<std::string>& warnings() const noexcept { return warnings_; }

  void bind(const std::vector<std::string>& selected);

  // Makes `prompt` the prompt of one row; its attachments are cleared. Strings keep their memory.
  void render(const RowBatch& batch, std::size_t row, Prompt& prompt) const;

 private:
  struct Message {
    std::string role;
    PromptTemplate text;
  };

  std::vector<Message> messages_;
  std::vector<std::string> columns_;
  std::vector<std::string> variables_;
  std::vector<std::string> warnings_;
};

}  // namespace batchllm

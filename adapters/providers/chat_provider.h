// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/json_provider.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm {

// What a response said, before anybody judges it. Views live as long as the response.
struct Reply : ErrorReply {
  bool has_answer = false;   // it holds an answer, be it an empty one
  std::string_view text;     // what is not thought
  std::string_view refusal;  // the model's own words
  std::string_view finish;   // why it ended, in the dialect's word
  Usage usage;
};

// What every dialect of conversations has in common. A dialect is a class that says where requests
// go (its constructor), how messages are written and where in a response things are.
class ChatProvider : public JsonProvider {
 public:
  void encode(const Prompt& prompt, std::string& body) const override;
  void append_turns(std::string& body,
                    std::string_view answer,
                    std::string_view request) const override;
  Answer decode(HttpResponse& response) override;

 protected:
  // What a word for the end of an answer means; `none`: it is whole.
  struct FinishWord {
    std::string_view word;
    RowFailure failure;
  };

  explicit ChatProvider(ModelRequest request) : JsonProvider(std::move(request)) {}

  // Writes the messages between head_ and tail_.
  virtual void write_messages(const Prompt& prompt, std::string& body) const = 0;

  enum class Instructions { apart, among_turns };

  // Writes the prompt's messages with commas between them; instructions that stand `apart` are left
  // out.
  void write_turns(const Prompt& prompt, Instructions instructions, std::string& body) const;

  // Writes one message: {"role":…,"content":…} unless the dialect says otherwise. `role` is the
  // dialect's word.
  virtual void write_turn(std::string_view role,
                          std::string_view text,
                          Attachments attachments,
                          std::string& body) const;

  // Writes text and attachments as the elements of the content's array.
  virtual void write_parts(std::string_view text, Attachments attachments, std::string& body) const;

  // The dialect's word for a prompt's role.
  virtual std::string_view role_of(std::string_view role) const;

  // Takes what matters out of one member of the response's object. False: it cannot be read.
  virtual bool read_member(std::string_view key, wire::ondemand::value value, Reply& reply) = 0;

  // What the dialect's word for the end of an answer means. Words that nobody knows count as whole.
  virtual RowFailure meaning_of(std::string_view finish) const = 0;

  // The HTTP status that an error inside a response of status 200 would have had.
  virtual int status_of(const wire::ErrorBody& error) const;

  // Writes temperature, limit of tokens and effort into tail_, as far as they are given and taken.
  void add_sampling(std::string_view token_limit);

  // Puts a further piece behind the answer's text.
  void add_text(std::string_view piece, Reply& reply);

  // True for a message that stands apart from the conversation: not where the model takes
  // instructions only from its user.
  bool is_instruction(const Prompt::Message& message) const {
    return message.role == "system" && request().traits.system_role != "user";
  }

  // Writes the prompt's instructions, if it has any, as the inside of one JSON string between
  // `before` and `after`.
  void write_instructions(const Prompt& prompt,
                          std::string_view before,
                          std::string_view after,
                          std::string& body) const;

 private:
  void judge(Reply& reply, Answer& answer) const;

  std::string joined_text_;
};

// Looks `finish` up; RowFailure::none for a word that is not there.
template <typename Words>
RowFailure find_finish(const Words& words, std::string_view finish) {
  for (const auto& [word, failure] : words) {
    if (word == finish) {
      return failure;
    }
  }
  return RowFailure::none;
}

// A data: URL in its parts; nullopt for every other URL.
struct DataUrl {
  std::string_view media_type;
  std::string_view base64;
};

std::optional<DataUrl> split_data_url(std::string_view url);

// Appends ,"a":{"b":json} for "a.b".
void append_nested(std::string& object, std::string_view path, std::string_view json);

// The tokens of thought that stand for "low", "high" …, for models that are told a number: 0 for
// "none", nullopt for a word without meaning. A number stands for itself.
std::optional<std::int64_t> thinking_tokens(std::string_view effort);

}  // namespace batchllm

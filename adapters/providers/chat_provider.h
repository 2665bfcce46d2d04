// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/model_request.h"
#include "adapters/providers/wire_error.h"
#include "adapters/providers/wire_json.h"
#include "core/provider.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm {

// What a response said, before anybody judges it. Views live as long as the response.
struct Reply {
  bool has_answer = false;   // it holds an answer, be it an empty one
  std::string_view text;     // what is not thought
  std::string_view refusal;  // the model's own words
  std::string_view finish;   // why it ended, in the dialect's word
  Usage usage;
  wire::ErrorBody error;
  std::optional<std::int64_t> retry_after_ms;  // told in the body
};

// What every dialect of JSON over HTTP has in common. A dialect is a class that says where requests
// go (its constructor), how messages are written and where in a response things are.
//
// A request is head_ + messages + tail_: what does not change from row to row is made once.
class ChatProvider : public Provider {
 public:
  HttpEndpoint endpoint() const override { return endpoint_; }

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

  // Takes base URL, certificates and HTTP version into the endpoint. Throws Error(usage) for a URL
  // that cannot be.
  explicit ChatProvider(ModelRequest request);

  // `path` behind the base URL, before its query when it has one.
  void send_to(std::string_view path);

  // The same, with `version` ("/v1") before it unless the base URL already ends with that.
  void send_to(std::string_view version, std::string_view path);

  void add_header(std::string name, std::string value) {
    endpoint_.headers.emplace_back(std::move(name), std::move(value));
  }

  // Sends the key, when there is one, in the header that the traits name, else in `usual_header`.
  void add_key(std::string_view usual_header);

  void sign_with(std::function<HeaderFields(std::string_view body)> sign) {
    endpoint_.sign = std::move(sign);
  }

  // Writes the messages between head_ and tail_.
  virtual void write_messages(const Prompt& prompt, std::string& body) const = 0;

  enum class Instructions { apart, among_turns };

  // Writes the prompt's messages with commas between them; instructions that stand `apart` are left
  // out.
  void write_turns(const Prompt& prompt, Instructions instructions, std::string& body) const;

  // Writes one message: {"role":…,"content":…} unless the dialect says otherwise. `role` is the
  // dialect's word; an empty `image_url` is no image.
  virtual void write_turn(std::string_view role,
                          std::string_view text,
                          std::string_view image_url,
                          std::string& body) const;

  // Writes text and image as the elements of the content's array.
  virtual void write_parts(std::string_view text,
                           std::string_view image_url,
                           std::string& body) const;

  // The dialect's word for a prompt's role.
  virtual std::string_view role_of(std::string_view role) const;

  // Takes what matters out of one member of the response's object. False: it cannot be read.
  virtual bool read_member(std::string_view key, wire::ondemand::value value, Reply& reply) = 0;

  // What the dialect's word for the end of an answer means. Words that nobody knows count as whole.
  virtual RowFailure meaning_of(std::string_view finish) const = 0;

  // What an error response of that HTTP status means. `reply.error` is what its body says.
  virtual RowFailure failure_of(int status, const Reply& reply) const;

  // The HTTP status that an error inside a response of status 200 would have had.
  virtual int status_of(const wire::ErrorBody& error) const;

  // What must not be shown although a server may repeat it; empty: nothing.
  virtual std::string_view secret() const { return request_.key; }

  // Writes temperature, limit of tokens and effort into tail_, as far as they are given and taken.
  void add_sampling(std::string_view token_limit);

  // Puts a further piece behind the answer's text.
  void add_text(std::string_view piece, Reply& reply);

  // True for a message that stands apart from the conversation: not where the model takes
  // instructions only from its user.
  bool is_instruction(const Prompt::Message& message) const {
    return message.role == "system" && request_.traits.system_role != "user";
  }

  // Writes the prompt's instructions, if it has any, as the inside of one JSON string between
  // `before` and `after`.
  void write_instructions(const Prompt& prompt,
                          std::string_view before,
                          std::string_view after,
                          std::string& body) const;

  // The value of --param, as JSON; nullptr when it was not given.
  const std::string* parameter(std::string_view name) const noexcept;

  // Appends the parameters that `belongs` is true for, the seed under its own name or, where there
  // is none, not at all.
  void add_parameters(std::string& object,
                      const std::function<bool(std::string_view name)>& belongs) const;

  // Appends what every request of the model has, and all parameters.
  void add_extras(std::string& object) const;

  const ModelRequest& request() const noexcept { return request_; }

  std::string head_;
  std::string tail_;

 private:
  Answer decode_error(const HttpResponse& response, Reply& reply, bool is_readable) const;
  void judge(Reply& reply, Answer& answer) const;
  bool read(HttpResponse& response, Reply& reply);
  std::string shown(std::string_view text, std::size_t columns) const;

  ModelRequest request_;
  HttpEndpoint endpoint_;
  wire::ondemand::parser parser_;
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

// Appends ,"name":json.
void append_member(std::string& object, std::string_view name, std::string_view json);

// Appends ,"a":{"b":json} for "a.b".
void append_nested(std::string& object, std::string_view path, std::string_view json);

// The tokens of thought that stand for "low", "high" …, for models that are told a number: 0 for
// "none", nullopt for a word without meaning. A number stands for itself.
std::optional<std::int64_t> thinking_tokens(std::string_view effort);

}  // namespace batchllm

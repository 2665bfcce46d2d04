// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/simulator/dialect.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace batchllm::simulator {

// The JSON of OpenAI's chat completions and embeddings, which others speak with differences of
// their own.
struct OpenAiForm {
  std::string_view head;                           // further members of every answer: ",\"a\":1"
  std::string_view seed = "seed";                  // name of the seed
  std::span<const std::string_view> refused = {};  // members that a request must not have
  bool has_refusal = true;                         // the message has a member for it
  bool has_details = true;                         // the usage has
  bool usage_ends_stream = false;                  // unasked, with the last piece
  std::int64_t dimensions = 1536;                  // of embeddings
  std::int64_t large_dimensions = 3072;            // of a model whose name has "large" in it
  FinishWords words = {"stop", "length", "content_filter", "tool_calls"};
};

// A path that has lost its version: "/chat/completions" and so on.
std::optional<Route> find_openai_route(std::string_view path);

void read_openai_chat(const OpenAiForm& form,
                      std::string_view body,
                      RequestReader& reader,
                      ChatRequest& chat);
void write_openai_answer(const OpenAiForm& form,
                         const ChatRequest& chat,
                         const Completion& completion,
                         SimulatedReply& reply);

void read_openai_embeddings(const Route& route,
                            std::string_view body,
                            RequestReader& reader,
                            EmbeddingsRequest& embeddings);
void write_openai_embeddings(const OpenAiForm& form,
                             const EmbeddingsRequest& embeddings,
                             SimulatedReply& reply);

// The same as functions of a Dialect, whose form is known when it is compiled.
template <const OpenAiForm& form>
void read_openai_chat(const Route& /*route*/,
                      std::string_view body,
                      RequestReader& reader,
                      ChatRequest& chat) {
  read_openai_chat(form, body, reader, chat);
}

template <const OpenAiForm& form>
void write_openai_answer(const ChatRequest& chat,
                         const Completion& completion,
                         SimulatedReply& reply) {
  write_openai_answer(form, chat, completion, reply);
}

template <const OpenAiForm& form>
void write_openai_embeddings(const EmbeddingsRequest& embeddings, SimulatedReply& reply) {
  write_openai_embeddings(form, embeddings, reply);
}

// The list of models for the page "models", one of them for "model".
bool write_openai_page(std::span<const std::string_view> models,
                       const Route& route,
                       SimulatedReply& reply);

// {"error":{"message":…,"type":…,"param":…,"code":…}} with OpenAI's words for what it is about.
void write_openai_error(const SimulatedError& error, SimulatedReply& reply);

// The headers of OpenAI's own server.
void add_openai_headers(const ReplyFacts& facts, SimulatedReply& reply);

// Adds x-ratelimit-limit-requests and so on. `reset` writes the time until nothing is used up any
// more, in microseconds.
void add_openai_limits(const RateVerdict& limits,
                       std::string (*reset)(std::int64_t us),
                       SimulatedReply& reply);

}  // namespace batchllm::simulator

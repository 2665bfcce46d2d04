// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/simulator/chat_request.h"
#include "adapters/simulator/rate_limit.h"
#include "adapters/simulator/reply_text.h"
#include "adapters/simulator/simulated_exchange.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm::simulator {

class RequestReader;

enum class Endpoint : std::uint8_t {
  chat,        // a request for an answer
  embeddings,  // a request for vectors
  page,        // what the dialect writes by itself: models, versions
  nothing,     // the path is the dialect's, but there is nothing
};

// What a path asks for.
struct Route {
  Endpoint endpoint = Endpoint::chat;
  std::string_view name = {};   // of a page, or which form of the endpoint
  std::string_view model = {};  // told in the path; empty: in the body
  std::string_view method = "POST";
  bool needs_key = true;        // where a key is asked for at all
  std::string_view query = {};  // of a page that can be asked for in parts
};

// Why a request gets an error instead of an answer.
enum class ErrorCause : std::uint8_t {
  request,  // it is not what the dialect asks for
  path,     // nothing is there
  method,   // not that method there
  key_missing,
  key_wrong,
  model,      // nobody knows that model
  requests,   // too many a minute
  tokens,     // too many a minute
  too_large,  // more tokens than a whole minute has
  quota,      // spent; waiting does not help
  context,    // longer than the model's window
  status,     // a fault: whatever the dialect says with that status
  script,     // the script wants it
};

struct SimulatedError {
  ErrorCause cause = ErrorCause::request;
  int status = 400;          // that most servers send; a dialect may have another one
  RequestError what = {};    // empty where the dialect has words of its own
  std::int64_t wait_us = 0;  // until it may be tried again; 0: nothing is known about that
  std::uint64_t request_id = 0;
};

// What the headers of a reply tell.
struct ReplyFacts {
  std::uint64_t request_id = 0;
  std::int64_t wall_ms = 0;  // now
  const RateVerdict& limits;
};

// One HTTP dialect: how its requests are read, how answers and errors are written in it. Functions
// that write append to the reply's body and may set its status and headers. Adding a dialect is a
// file that defines one of these, and its line in dialect.cpp.
struct Dialect {
  // What the path, which has lost a leading "/v1", asks for; nullopt: it is none of this dialect.
  std::optional<Route> (*find)(const SimulatedRequest& request, std::string_view path);

  // The API key that the request brings; empty: none.
  std::string_view (*key)(const SimulatedRequest& request);

  // What is wrong with its headers; nullptr: nothing can be.
  std::optional<SimulatedError> (*check)(const SimulatedRequest& request, const Route& route);

  // Reads a body; what is wrong with it is told to the reader.
  void (*read_chat)(const Route& route,
                    std::string_view body,
                    RequestReader& reader,
                    ChatRequest& chat);
  void (*read_embeddings)(const Route& route,
                          std::string_view body,
                          RequestReader& reader,
                          EmbeddingsRequest& embeddings);

  // Writes the answer, as a stream when the request asks for that.
  void (*write_answer)(const ChatRequest& chat,
                       const Completion& completion,
                       SimulatedReply& reply);
  void (*write_embeddings)(const EmbeddingsRequest& embeddings, SimulatedReply& reply);

  // False, with nothing written: it names a model that is not listed. (Any model gets answers.)
  bool (*write_page)(const Route& route, std::string_view body, SimulatedReply& reply);

  void (*write_error)(const SimulatedError& error, SimulatedReply& reply);
  void (*add_headers)(const ReplyFacts& facts, SimulatedReply& reply);
};

// The dialect that a request is in; OpenAI's for a path of nobody's.
struct DialectChoice {
  const Dialect* dialect = nullptr;
  Route route;
};

DialectChoice find_dialect(const SimulatedRequest& request);

}  // namespace batchllm::simulator

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/model_request.h"
#include "adapters/providers/wire_error.h"
#include "adapters/providers/wire_json.h"
#include "core/provider.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace batchllm {

// What a response says of an error.
struct ErrorReply {
  wire::ErrorBody error;
  std::optional<std::int64_t> retry_after_ms;  // told in the body
};

// What every dialect of JSON over HTTP has in common, whatever is asked: where requests go, what
// every request holds, what errors mean. See chat_provider.h and embedding_provider.h.
//
// A request is head_ + what the rows say + tail_: what does not change from row to row is made
// once.
class JsonProvider : public Provider {
 public:
  HttpEndpoint endpoint() const override { return endpoint_; }

 protected:
  // Takes base URL, certificates and HTTP version into the endpoint. Throws Error(usage) for a URL
  // that cannot be.
  explicit JsonProvider(ModelRequest request);

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

  // What an error response of that HTTP status means. `reply.error` is what its body says.
  virtual RowFailure failure_of(int status, const ErrorReply& reply) const;

  // What must not be shown although a server may repeat it; empty: nothing.
  virtual std::string_view secret() const { return request_.key; }

  // Calls `visit(key, value)` for every member of the response's object, until it returns false.
  // False when the response is no whole object or a visit said so. What was read lives until the
  // next call.
  template <typename Visit>
  bool read_members(HttpResponse& response, Visit visit);

  // What a response means whose status is not 2xx.
  Answer error_answer(const HttpResponse& response, ErrorReply& reply, bool is_readable) const;

  // What a response of status 2xx means that cannot be read.
  Answer unreadable_answer(const HttpResponse& response) const;

  // What an error inside a response of status 200 means that would have had `status`.
  void take_error(int status, const ErrorReply& reply, Answer& answer) const;

  // A server's words for people: one line of at most `columns`, without the secret.
  std::string shown(std::string_view text, std::size_t columns = k_longest_message) const;

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
  static constexpr std::size_t k_longest_message = 500;

  static bool find_root(wire::ondemand::document& document, wire::ondemand::object& root);

  ModelRequest request_;
  HttpEndpoint endpoint_;
  wire::ondemand::parser parser_;
};

template <typename Visit>
bool JsonProvider::read_members(HttpResponse& response, Visit visit) {
  namespace ondemand = wire::ondemand;
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
        field.value().get(value) != simdjson::SUCCESS || !visit(key, value)) {
      return false;
    }
  }
  return wire::is_whole(response);
}

// Appends ,"name":json.
void append_member(std::string& object, std::string_view name, std::string_view json);

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/json_provider.h"

#include "adapters/providers/base_url.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace batchllm {
namespace {

constexpr std::size_t k_longest_sample = 200;  // of a body that cannot be read

}  // namespace

JsonProvider::JsonProvider(ModelRequest request)
    : request_(std::move(request)),
      endpoint_(parse_base_url(request_.base_url)) {
  endpoint_.ca_file = request_.ca_file;
  endpoint_.http2 = request_.http2;
  add_header("Content-Type", "application/json");
}

void JsonProvider::send_to(std::string_view path) {
  endpoint_.url.insert(std::min(endpoint_.url.find('?'), endpoint_.url.size()), path);
}

void JsonProvider::send_to(std::string_view version, std::string_view path) {
  const std::string_view url = endpoint_.url;
  const bool has_version = url.substr(0, url.find('?')).ends_with(version);
  send_to(has_version ? std::string(path) : std::string(version).append(path));
}

void JsonProvider::add_key(std::string_view usual_header) {
  if (request_.key.empty()) {
    return;
  }
  const std::string& header = request_.traits.key_header;
  std::string name(header.empty() ? usual_header : header);
  const bool is_bearer = equals_ignoring_case(name, "authorization");
  add_header(std::move(name), (is_bearer ? "Bearer " : "") + request_.key);
}

RowFailure JsonProvider::failure_of(int status, const ErrorReply& reply) const {
  return wire::classify_error(status, reply.error);
}

// The object of a response; some gateways put it into an array.
bool JsonProvider::find_root(wire::ondemand::document& document, wire::ondemand::object& root) {
  if (document.get_object().get(root) == simdjson::SUCCESS) {
    return true;
  }
  wire::ondemand::array array;
  if (document.get_array().get(array) != simdjson::SUCCESS) {
    return false;
  }
  return array.at(0).get_object().get(root) == simdjson::SUCCESS;
}

Answer JsonProvider::error_answer(const HttpResponse& response,
                                  ErrorReply& reply,
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
    answer.message = fmt::format("HTTP {}: {}", response.status, shown(reply.error.message));
  } else {
    answer.message =
        fmt::format("HTTP {}: {}", response.status, shown(response.text(), k_longest_sample));
  }
  return answer;
}

Answer JsonProvider::unreadable_answer(const HttpResponse& response) const {
  Answer answer;
  answer.failure = RowFailure::protocol_error;
  answer.message = fmt::format("HTTP {}: not an answer of this API: {}",
                               response.status,
                               shown(response.text(), k_longest_sample));
  return answer;
}

void JsonProvider::take_error(int status, const ErrorReply& reply, Answer& answer) const {
  answer.failure = failure_of(status, reply);
  answer.stops_run = wire::ends_run(answer.failure);
  answer.message = shown(reply.error.message);
}

std::string JsonProvider::shown(std::string_view text, std::size_t columns) const {
  return wire::for_people(text, secret(), columns);
}

const std::string* JsonProvider::parameter(std::string_view name) const noexcept {
  for (const auto& [other, json] : request_.parameters) {
    if (other == name) {
      return &json;
    }
  }
  return nullptr;
}

void JsonProvider::add_parameters(std::string& object,
                                  const std::function<bool(std::string_view name)>& belongs) const {
  for (const auto& [name, json] : request_.parameters) {
    const std::string& its_name = name == "seed" ? request_.traits.seed : name;
    if (belongs(name) && !its_name.empty()) {
      append_member(object, its_name, json);
    }
  }
}

void JsonProvider::add_extras(std::string& object) const {
  if (!request_.traits.extra.empty()) {
    object += "," + request_.traits.extra;
  }
  add_parameters(object, [](std::string_view) { return true; });
}

void append_member(std::string& object, std::string_view name, std::string_view json) {
  object += object.empty() || object.back() == '{' ? "" : ",";
  append_json_string(object, name);
  object += ':';
  object += json;
}

}  // namespace batchllm

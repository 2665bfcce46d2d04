// SPDX-License-Identifier: Apache-2.0
#include "daemon/http/problem.h"

#include "core/json_text.h"
#include "core/redaction.h"
#include "core/text.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace batchllm::daemon {
namespace {

// "body_too_large" -> "Body too large".
std::string title_of(std::string_view name) {
  std::string title(name);
  std::replace(title.begin(), title.end(), '_', ' ');
  title.front() = static_cast<char>(title.front() - 'a' + 'A');
  return title;
}

}  // namespace

HttpResponse problem_response(const Error& error, int status) {
  const ErrorKind& kind = error_kind(error.code());
  HttpResponse response;
  response.status = status != 0 ? status : kind.http_status;
  response.content_type = "application/problem+json";
  JsonWriter json;
  json.begin_object();
  json.key("type").string("https://batchllm.dev/problems/" + std::string(kind.name));
  json.key("title").string(title_of(kind.name));
  json.key("status").number(response.status);
  json.key("detail").string(as_utf8(redacted(error.message())));
  json.key("code").string(kind.name);
  json.key("exit_code").number(kind.exit_code);
  if (!error.hint().empty()) {
    json.key("hint").string(as_utf8(redacted(error.hint())));
  }
  if (!error.details().empty()) {
    json.key("details").begin_object();
    for (const auto& [key, value] : error.details()) {
      json.key(key).string(as_utf8(redacted(value)));
    }
    json.end_object();
  }
  json.end_object();
  response.body = json.text();
  return response;
}

}  // namespace batchllm::daemon

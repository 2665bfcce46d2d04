// SPDX-License-Identifier: Apache-2.0
#include "daemon/api/api_call.h"

#include "adapters/files/media_type.h"
#include "adapters/files/sha256.h"
#include "core/error.h"
#include "core/text.h"
#include "daemon/api/api_context.h"
#include "daemon/queue/idempotency.h"

#include <fmt/format.h>

#include <utility>

namespace batchllm::daemon {
namespace {

constexpr std::size_t k_longest_key = 255;

std::string sha256_of(std::string_view text) {
  files::Sha256 digest;
  digest.update(text);
  return digest.finish();
}

HttpResponse response_of(PostAnswer answer, bool replayed) {
  HttpResponse response = json_response(answer.status, std::move(answer.body));
  if (!answer.location.empty()) {
    response.headers.emplace_back("Location", std::move(answer.location));
  }
  if (replayed) {
    response.headers.emplace_back("Idempotency-Replayed", "true");
  }
  return response;
}

std::string checked_key(std::string_view key) {
  const bool printable_ascii = std::all_of(
      key.begin(), key.end(), [](unsigned char byte) { return byte > ' ' && byte < 0x7f; });
  if (key.empty() || key.size() > k_longest_key || !printable_ascii) {
    throw Error(ErrorCode::usage,
                "Idempotency-Key must be 1 to 255 printable ASCII characters without blanks",
                "a UUID serves well");
  }
  return std::string(key);
}

std::string operation_of(const ApiCall& call) {
  return call.request.method + " " + call.request.path;
}

// The answer that was given before for this key.
std::optional<PostAnswer> earlier_answer(sql::Database& database,
                                         const std::string& key,
                                         const std::string& operation,
                                         const std::string& request_sha256) {
  auto found = find_answer(database, key, operation);
  if (!found) {
    return std::nullopt;
  }
  if (found->request_sha256 != request_sha256) {
    throw Error(ErrorCode::idempotency_conflict,
                fmt::format("the Idempotency-Key {} was used for another request", printable(key)),
                "use a new key for each request, and the same only to repeat one");
  }
  return PostAnswer{found->status, std::move(found->body), std::move(found->location)};
}

// A web page can send forms and plain text to any address, JSON only where it is let.
void check_json_type(const HttpRequest& request) {
  const auto header = request.body == nullptr ? std::nullopt : request.header("content-type");
  if (header && files::parse_media_type(*header).type != "application/json") {
    throw Error(ErrorCode::file_type_refused,
                fmt::format("the body must be JSON, not {}", printable(*header)),
                "send Content-Type: application/json");
  }
}

}  // namespace

JsonNode ApiCall::json_body(std::size_t limit_bytes) {
  check_json_type(request);
  body_text_ = request.read_body(limit_bytes);
  JsonLimits limits;
  limits.bytes = limit_bytes;
  auto document = parse_json_document(body_text_.empty() ? "{}" : body_text_, limits);
  if (!document) {
    throw Error(ErrorCode::usage, fmt::format("the body is no JSON: {}", document.error().message));
  }
  if (document->kind() != JsonNode::Kind::object) {
    throw Error(ErrorCode::usage, "the body must be a JSON object");
  }
  return *std::move(document);
}

std::int64_t ApiCall::query_integer(std::string_view name,
                                    std::int64_t standard,
                                    std::int64_t least,
                                    std::int64_t most) const {
  const auto text = request.query(name);
  if (!text) {
    return standard;
  }
  const auto number = parse_integer(*text);
  if (!number || *number < least || *number > most) {
    throw Error(ErrorCode::usage,
                fmt::format("{} must be a whole number from {} to {}, not {}",
                            name,
                            least,
                            most,
                            printable(*text)));
  }
  return *number;
}

HttpResponse json_response(int status, std::string json) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(json);
  return response;
}

void refuse_while_draining(const ApiContext& context) {
  if (context.service.is_draining()) {
    throw Error(ErrorCode::daemon_draining,
                "the daemon is stopping and takes nothing new",
                "try again when it has started anew");
  }
}

void check_idempotency_key(const ApiCall& call) {
  if (const auto header = call.request.header("idempotency-key")) {
    static_cast<void>(checked_key(*header));
  }
}

std::optional<HttpResponse> answer_again(ApiContext& context,
                                         const ApiCall& call,
                                         std::string_view request_text) {
  const auto header = call.request.header("idempotency-key");
  if (!header) {
    return std::nullopt;
  }
  const std::string key = checked_key(*header);
  auto earlier = context.store.read([&](sql::Database& database) {
    return earlier_answer(database, key, operation_of(call), sha256_of(request_text));
  });
  return earlier ? std::optional(response_of(*std::move(earlier), true)) : std::nullopt;
}

HttpResponse post_once(ApiContext& context,
                       ApiCall& call,
                       std::string_view request_text,
                       const std::function<PostAnswer(JobTable&)>& work) {
  const auto header = call.request.header("idempotency-key");
  if (!header) {
    return response_of(context.store.write(work), false);
  }
  const std::string key = checked_key(*header);
  const std::string operation = operation_of(call);
  const std::string digest = sha256_of(request_text);
  bool replayed = false;
  PostAnswer answer = context.store.write([&](JobTable& jobs) {
    if (auto earlier = earlier_answer(jobs.database(), key, operation, digest)) {
      replayed = true;
      return *std::move(earlier);
    }
    PostAnswer made = work(jobs);
    keep_answer(jobs.database(),
                {key, operation, digest, made.status, made.location, made.body},
                jobs.now_ms());
    return made;
  });
  return response_of(std::move(answer), replayed);
}

}  // namespace batchllm::daemon

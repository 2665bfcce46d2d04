// SPDX-License-Identifier: Apache-2.0
#include "cli/daemon_answer.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace batchllm {
namespace {

constexpr int k_api_major = 1;

bool has_media_type(const HttpClientResponse& response, std::string_view wanted) {
  const std::string_view type = response.header("content-type");
  return equals_ignoring_case(trim(type.substr(0, type.find(';'))), wanted);
}

// Text of the server for the terminal.
std::string shown(const JsonNode& document, std::string_view key) {
  return printable(document.find_string(key).value_or(std::string_view()));
}

std::string hint_for(const HttpClientResponse& response) {
  switch (response.failure) {
    case TransportFailure::tls:
      return "check the address; certificates to trust are given by --ca-file";
    case TransportFailure::not_connected:
      return response.system_error == EACCES
                 ? "the socket belongs to another user; give your own daemon's by --host"
                 : "batchllm daemon start";
    default:
      return "batchllm daemon status";
  }
}

// The major version out of 1, "1", "v1" or "1.4"; 0 when there is none.
int major_version(const JsonNode* version) {
  if (version == nullptr) {
    return 0;
  }
  std::string_view text = version->string().value_or(version->number_text().value_or(""));
  text.remove_prefix(text.starts_with('v') ? 1 : 0);
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// A code of a newer daemon becomes the known one with its exit code.
ErrorCode code_of(const JsonNode& problem) {
  if (const auto code = find_error_code(problem.find_string("code").value_or(""))) {
    return *code;
  }
  const JsonNode* exit_code = problem.find("exit_code");
  const auto number = exit_code == nullptr ? std::nullopt : exit_code->integer();
  const auto code = number && *number > 0 && *number < 256
                        ? find_error_code(static_cast<int>(*number))
                        : std::nullopt;
  return code.value_or(ErrorCode::internal);
}

}  // namespace

Error no_answer_error(const HttpClientResponse& response, const std::string& address) {
  const bool connected = response.failure != TransportFailure::not_connected &&
                         response.failure != TransportFailure::tls;
  return Error(ErrorCode::daemon_unreachable,
               fmt::format("{} the daemon at {}: {}",
                           connected ? "no answer from" : "cannot reach",
                           address,
                           response.failure_text),
               hint_for(response));
}

Error problem_error(const HttpClientResponse& response, const std::string& address) {
  const auto problem = has_media_type(response, "application/problem+json")
                           ? parse_json_document(response.body)
                           : Result<JsonNode>(Failure{""});
  if (!problem || !problem->find_string("code")) {
    return incompatible_error(address, fmt::format("it answered {}", response.status));
  }
  std::string message = shown(*problem, "detail");
  if (message.empty()) {
    message = shown(*problem, "title");
  }
  Error error(code_of(*problem),
              message.empty() ? fmt::format("the daemon answered {}", response.status) : message,
              shown(*problem, "hint"));
  if (const JsonNode* details = problem->find("details")) {
    for (const auto& [key, value] : details->members()) {
      const auto text = value.string();
      (void)std::move(error).with_detail(key, text ? std::string(*text) : value.to_json());
    }
  }
  return error;
}

Error incompatible_error(const std::string& address, std::string_view why) {
  return Error(ErrorCode::daemon_unreachable,
               fmt::format(
                   "what answers at {} is not a batchllmd that this batchllm can speak to: {}",
                   address,
                   why),
               "check --host and BATCHLLM_HOST; after an update: batchllm daemon stop, then start")
      .with_detail("reason", "incompatible");
}

JsonNode json_answer(const HttpClientResponse& response, const std::string& address) {
  if (response.body.empty()) {
    return {};
  }
  if (!has_media_type(response, "application/json")) {
    throw incompatible_error(address, "its answer is not JSON");
  }
  JsonLimits limits;
  limits.bytes = response.body.size();
  limits.values = response.body.size();
  auto document = parse_json_document(response.body, limits);
  if (!document) {
    throw incompatible_error(address, fmt::format("its answer is {}", document.error().message));
  }
  return *std::move(document);
}

std::string version_answer(const HttpClientResponse& response, const std::string& address) {
  const JsonNode version = json_answer(response, address);
  if (version.find_string("name") != "batchllmd" || !version.find_string("version")) {
    throw incompatible_error(address, "it does not say that it is batchllmd");
  }
  const int major = major_version(version.find("api_version"));
  if (major != k_api_major) {
    throw incompatible_error(
        address,
        fmt::format("it is version {} and speaks version {} of the API, this is {} and speaks {}",
                    shown(version, "version"),
                    major,
                    BATCHLLM_VERSION,
                    k_api_major));
  }
  return shown(version, "version");
}

}  // namespace batchllm

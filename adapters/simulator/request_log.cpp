// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/request_log.h"

#include "core/error.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <system_error>

namespace batchllm::simulator {
namespace {

[[noreturn]] void fail(const std::string& path, int cause) {
  throw Error(cause == ENOSPC ? ErrorCode::storage_full : ErrorCode::storage,
              fmt::format("--log {}: {}", path, std::generic_category().message(cause)),
              "name a file in a folder that can be written to");
}

// Request targets are bytes of anybody's choosing; JSON wants UTF-8.
void append_bytes(std::string& out, std::string_view text) {
  if (is_utf8(text)) {
    append_json_string(out, text);
    return;
  }
  std::string ascii(text);
  std::replace_if(
      ascii.begin(), ascii.end(), [](char c) { return (c & 0x80) != 0; }, '?');
  append_json_string(out, ascii);
}

}  // namespace

RequestLog::RequestLog(const std::string& path)
    : path_(path),
      descriptor_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0) {
    fail(path, errno);
  }
}

RequestLog::~RequestLog() {
  ::close(descriptor_);
}

void RequestLog::add(const LoggedRequest& request) {
  std::string& out = lines_;
  out.append(R"({"ordinal":)");
  append_integer(out, request.ordinal);
  out.append(R"(,"time_ms":)");
  append_integer(out, request.time_ms);
  out.append(R"(,"connection":)");
  append_integer(out, request.connection);
  out.append(R"(,"method":)");
  append_json_string(out, request.method);
  out.append(R"(,"path":)");
  append_bytes(out, request.path);
  const bool is_status = parse_integer(request.verdict).has_value();
  out.append(is_status ? R"(,"status":)" : R"(,"fault":)");
  if (is_status) {
    out.append(request.verdict);
  } else {
    append_json_string(out, request.verdict);
  }
  fmt::format_to(
      std::back_inserter(out), R"(,"body_hash":"{:016x}","attempt":)", request.body_hash);
  append_integer(out, static_cast<std::uint64_t>(request.attempt));
  out.append(R"(,"model":)");
  append_json_string(out, request.model);
  out.append(R"(,"user":)");
  append_json_string(out, request.user_text);
  out.append(R"(,"key":)");
  append_bytes(out, masked_key(request.api_key));
  if (request.body.data() != nullptr) {
    out.append(R"(,"body":)");
    append_bytes(out, request.body);
  }
  out.append("}\n");
}

void RequestLog::flush() {
  std::string_view rest = lines_;
  while (!rest.empty()) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno != EINTR) {
      const int cause = errno;
      lines_.clear();
      fail(path_, cause);
    }
    rest.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
  }
  lines_.clear();
}

std::string masked_key(std::string_view key) {
  constexpr std::size_t k_shown = 4;
  if (key.empty()) {
    return {};
  }
  if (key.size() < 4 * k_shown) {
    return "…";
  }
  return fmt::format(
      "{}…{}", key.substr(0, key.substr(0, 3) == "sk-" ? 3 : 0), key.substr(key.size() - k_shown));
}

}  // namespace batchllm::simulator

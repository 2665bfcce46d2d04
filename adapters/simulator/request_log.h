// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace batchllm::simulator {

struct LoggedRequest {
  std::uint64_t ordinal = 0;  // 1 for the first request
  std::int64_t time_ms = 0;   // since 1970
  std::uint64_t connection = 0;
  std::string_view method;
  std::string_view path;
  std::string_view verdict;  // HTTP status, or the name of the fault
  std::uint64_t body_hash = 0;
  // How often the same request was seen before; those that a limit refused are not counted.
  std::uint32_t attempt = 0;
  std::string_view model;
  std::string_view user_text;
  std::string_view api_key;  // written masked
  std::string_view body;     // null data pointer: not logged
};

// The requests that the simulator saw, one JSON object a line, in the order of its decisions:
//   {"ordinal":1,"time_ms":…,"connection":1,"method":"POST","path":"/v1/chat/completions",
//    "status":200,"body_hash":"9f…","attempt":0,"model":"gpt-4o-mini","user":"…","key":"sk-…abcd"}
// An answer that was spoilt has "fault" ("reset", "truncated", …) instead of "status". Lines are
// held back until flush(). Not thread-safe.
class RequestLog {
 public:
  // Appends to `path`. Throws Error(storage).
  explicit RequestLog(const std::string& path);
  ~RequestLog();
  RequestLog(const RequestLog&) = delete;
  RequestLog& operator=(const RequestLog&) = delete;

  void add(const LoggedRequest& request);

  bool is_flushed() const noexcept { return lines_.empty(); }

  // Writes what was added. Throws Error(storage | storage_full).
  void flush();

 private:
  std::string path_;
  std::string lines_;
  int descriptor_ = -1;
};

// "sk-…abcd", or "…" when too short to show anything of it; "" stays "".
std::string masked_key(std::string_view key);

}  // namespace batchllm::simulator

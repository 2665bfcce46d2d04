// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace batchllm::daemon {

enum class LogLevel { debug, info, warning, error };

enum class LogFormat {
  text,     // 2026-01-02T03:04:05.678Z warning ...
  journal,  // <4>...: the journal knows the time and wants the priority
  json,     // {"time":...,"level":...,"message":...} with the fields as members
};

struct LogSettings {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
  std::string file = {};                           // empty: standard error
  std::uint64_t file_bytes = 10ULL * 1024 * 1024;  // batchllmd.log then becomes batchllmd.1.log
};

// A fact beside the message, for those who search: "job", "job_20260102_030405_k7f3".
struct LogField {
  std::string_view name;
  std::string_view value;
};

// Every line goes out at once, whole, as one line, without control characters and without what has
// the shape of a secret (core/redaction.h). Before start_log() lines go to standard error as text.
// Thread-safe but for start_log(), which is called once, before there are other threads. Throws
// Error(storage) when the file cannot be opened; it and its successors are made with mode 0600.
void start_log(const LogSettings& settings);

void set_log_level(LogLevel level) noexcept;  // for a reload

// Never throws: a log that cannot be written stops nothing.
void write_log(LogLevel level,
               std::string_view message,
               std::initializer_list<LogField> fields = {}) noexcept;

template <typename... Values>
void log_debug(fmt::format_string<Values...> text, Values&&... values) {
  write_log(LogLevel::debug, fmt::format(text, std::forward<Values>(values)...));
}

template <typename... Values>
void log_info(fmt::format_string<Values...> text, Values&&... values) {
  write_log(LogLevel::info, fmt::format(text, std::forward<Values>(values)...));
}

template <typename... Values>
void log_warning(fmt::format_string<Values...> text, Values&&... values) {
  write_log(LogLevel::warning, fmt::format(text, std::forward<Values>(values)...));
}

template <typename... Values>
void log_error(fmt::format_string<Values...> text, Values&&... values) {
  write_log(LogLevel::error, fmt::format(text, std::forward<Values>(values)...));
}

}  // namespace batchllm::daemon

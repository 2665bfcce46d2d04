// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/daemon_log.h"

#include "core/error.h"
#include "core/json_text.h"
#include "core/redaction.h"
#include "core/text.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdio>
#include <exception>
#include <memory>

namespace batchllm::daemon {
namespace {

constexpr std::size_t k_longest_line = 4'000;  // characters
constexpr std::size_t k_kept_files = 3;

// "%*" of a pattern: the priority of syslog(3), which journald takes off again.
class PriorityFlag final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message,
              const std::tm& /*time*/,
              spdlog::memory_buf_t& out) override {
    out.push_back(priority(message.level));
  }

  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<PriorityFlag>();
  }

 private:
  static char priority(spdlog::level::level_enum level) {
    switch (level) {
      case spdlog::level::debug:
        return '7';
      case spdlog::level::warn:
        return '4';
      case spdlog::level::err:
        return '3';
      default:
        return '6';
    }
  }
};

std::unique_ptr<spdlog::formatter> formatter_for(LogFormat format) {
  auto formatter =
      std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc, "\n");
  formatter->add_flag<PriorityFlag>('*');
  switch (format) {
    case LogFormat::text:
      formatter->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v");
      break;
    case LogFormat::journal:
      formatter->set_pattern("<%*>%v");
      break;
    case LogFormat::json:
      formatter->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})");
      break;
  }
  return formatter;
}

spdlog::level::level_enum level_for(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    default:
      return spdlog::level::err;
  }
}

std::shared_ptr<spdlog::logger> make_logger(spdlog::sink_ptr sink, const LogSettings& settings) {
  sink->set_formatter(formatter_for(settings.format));
  auto made = std::make_shared<spdlog::logger>("batchllmd", std::move(sink));
  made->set_level(level_for(settings.level));
  made->flush_on(spdlog::level::trace);
  return made;
}

struct Log {
  std::shared_ptr<spdlog::logger> logger =
      make_logger(std::make_shared<spdlog::sinks::stderr_sink_mt>(), {});
  LogFormat format = LogFormat::text;
};

Log& the_log() {
  static Log log;
  return log;
}

spdlog::sink_ptr file_sink(const LogSettings& settings) {
  spdlog::file_event_handlers handlers;
  handlers.after_open = [](const spdlog::filename_t& /*name*/, std::FILE* file) {
    fchmod(fileno(file), S_IRUSR | S_IWUSR);
  };
  try {
    return std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
        settings.file, settings.file_bytes, k_kept_files, false, handlers);
  } catch (const spdlog::spdlog_ex& error) {
    throw Error(ErrorCode::storage,
                fmt::format("cannot open the log file {}: {}", settings.file, error.what()),
                "choose another --log-file, or none for standard error");
  }
}

// One line for people: "message  job=job_... rows=12".
std::string text_line(std::string_view message, std::initializer_list<LogField> fields) {
  std::string line(message);
  for (const LogField& field : fields) {
    line += fmt::format(" {}={}", field.name, field.value);
  }
  return one_line(redacted(line), k_longest_line);
}

std::string json_value(std::string_view text) {
  return json_string(as_utf8(one_line(redacted(text), k_longest_line)));
}

std::string json_members(std::string_view message, std::initializer_list<LogField> fields) {
  std::string members = fmt::format("\"message\":{}", json_value(message));
  for (const LogField& field : fields) {
    members += fmt::format(",{}:{}", json_string(field.name), json_value(field.value));
  }
  return members;
}

}  // namespace

void start_log(const LogSettings& settings) {
  auto sink = settings.file.empty() ? std::make_shared<spdlog::sinks::stderr_sink_mt>()
                                    : file_sink(settings);
  the_log().logger = make_logger(std::move(sink), settings);
  the_log().format = settings.format;
}

void set_log_level(LogLevel level) noexcept {
  the_log().logger->set_level(level_for(level));
}

void write_log(LogLevel level,
               std::string_view message,
               std::initializer_list<LogField> fields) noexcept {
  try {
    const Log& log = the_log();
    if (!log.logger->should_log(level_for(level))) {
      return;
    }
    const std::string line =
        log.format == LogFormat::json ? json_members(message, fields) : text_line(message, fields);
    log.logger->log(level_for(level), spdlog::string_view_t(line.data(), line.size()));
  } catch (const std::exception&) {
    // Out of memory: what is going on says so elsewhere.
  }
}

}  // namespace batchllm::daemon

// SPDX-License-Identifier: Apache-2.0
#include "daemon/program.h"

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/text.h"
#include "daemon/composition.h"
#include "daemon/service/daemon_log.h"
#include "daemon/service/daemon_settings.h"

#include <fmt/format.h>

#include <unistd.h>

#include <exception>
#include <utility>

namespace batchllm::daemon {
namespace {

// Errors before the service runs are for the person who started it; those of a service that runs
// belong into its log.
void report(const Error& error, const LogSettings& log) {
  const bool is_person = log.format == LogFormat::text;
  if (!is_person || !log.file.empty()) {
    write_log(LogLevel::error, error.message(), {{"code", error.name()}, {"hint", error.hint()}});
  }
  if (is_person) {
    const std::string hint =
        error.hint().empty() ? "" : fmt::format("  hint: {}\n", printable(error.hint()));
    const std::string text = fmt::format("error: {}\n{}", printable(error.message()), hint);
    [[maybe_unused]] const auto sent = write(STDERR_FILENO, text.data(), text.size());
  }
}

int run_call(const DaemonCall& call, const EnvironmentLookup& environment, LogSettings& log) {
  if (call.help || call.version) {
    write_all(STDOUT_FILENO,
              call.help ? daemon_help() : "batchllmd " BATCHLLM_VERSION "\n",
              "standard output");
    return 0;
  }
  DaemonStart start;
  start.settings = load_daemon_settings(call.flags, environment);
  start.flags = call.flags;
  start.environment = environment;
  start_log(start.settings.log);
  log = start.settings.log;
  if (call.repair) {
    return repair_daemon(start.settings, call.json);
  }
  start.sockets = take_inherited_sockets(environment, getpid());
  return run_daemon(std::move(start));
}

}  // namespace

int run_program(const std::vector<std::string>& words, const EnvironmentLookup& environment) {
  LogSettings log;
  if (is_journal(environment, STDERR_FILENO)) {
    log.format = LogFormat::journal;
  }
  start_log(log);
  try {
    return run_call(parse_daemon_call(words), environment, log);
  } catch (const Error& error) {
    report(error, log);
    return error.exit_code();
  } catch (const std::exception& bug) {
    report(Error(ErrorCode::internal,
                 fmt::format("internal error: {}", bug.what()),
                 "this is a bug in batchllmd; please report it"),
           log);
    return error_kind(ErrorCode::internal).exit_code;
  }
}

}  // namespace batchllm::daemon

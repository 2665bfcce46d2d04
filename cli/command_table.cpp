// SPDX-License-Identifier: Apache-2.0
#include "cli/command_table.h"

#include <algorithm>
#include <array>

namespace batchllm {
namespace {

constexpr std::string_view k_run_examples =
    "batchllm run tickets.csv -m openai/gpt-4o-mini -p 'Classify: {text}' -o out.csv\n"
    "batchllm run tickets.csv -t classify.toml --dry-run        # count; send nothing\n"
    "cat rows.jsonl | batchllm run - -m ollama/llama3.2 -p '{question}' -o - | jq .output";

constexpr std::string_view k_run_epilogue =
    "Exit codes: 0 ok, 4 some rows failed, 5 a limit was reached, 130 interrupted.\n"
    "More: batchllm help exit-codes, batchllm help templates, man batchllm-run";

constexpr std::string_view k_schedule_examples =
    "batchllm schedule add nightly --cron '0 2 * * MON-FRI' /data/tickets.csv -t classify.toml\n"
    "batchllm schedule add weekly --cron @weekly --timezone Europe/Berlin rows.csv \\\n"
    "  -m openai/gpt-4o-mini -p 'Classify: {text}' -o /data/out.csv --overwrite";
constexpr std::string_view k_submit_examples =
    "batchllm submit tickets.csv -m openai/gpt-4o-mini -p 'Classify: {text}' -o out.csv\n"
    "job=$(batchllm submit big.csv -t classify.toml --at 02:00) && batchllm jobs wait $job\n"
    "batchllm submit next.csv -t classify.toml --after job_20260102_030405_k7f3:any";

constexpr std::string_view k_submit_epilogue =
    "Prints the job's id alone when standard output is no terminal.\n"
    "More: batchllm jobs watch JOB, batchllm results export JOB, man batchllm-submit";

constexpr std::string_view k_wait_epilogue =
    "Exit codes: 0, 4, 5, 6, 7, 11, 130 as run would have; 12 when a job asks something,\n"
    "5 or 11 when a limit or a full disk pauses it, 124 when --timeout is over. A job that\n"
    "somebody paused is waited for.";

constexpr std::array k_commands = {
    CommandSpec{.command = Command::run,
                .path = "run",
                .arguments = "INPUT...",
                .argument_kind = ArgumentKind::file,
                .least = 1,
                .most = k_any_number,
                .group = "Run",
                .summary = "Run a prompt over every row of a file",
                .examples = k_run_examples,
                .common = "prompt,template,system,model,base_url,key_env,where,limit,concurrency,"
                          "max_cost,output,output_column,overwrite,dry_run",
                .epilogue = k_run_epilogue},
    CommandSpec{.command = Command::resume,
                .path = "resume",
                .arguments = "[JOB]",
                .argument_kind = ArgumentKind::job,
                .most = 1,
                .group = "Run",
                .summary = "Go on with an unfinished job (without JOB: the latest)",
                .examples = "batchllm resume\n"
                            "batchllm resume job_20260102_030405_k7f3 --max-cost 12"},
    CommandSpec{.command = Command::submit,
                .path = "submit",
                .arguments = "INPUT...",
                .argument_kind = ArgumentKind::file,
                .least = 1,
                .most = k_any_number,
                .group = "Run",
                .summary = "Queue a run for batchllmd, which does it in the background",
                .examples = k_submit_examples,
                .common = "prompt,template,system,model,max_cost,output,priority,after,at,"
                          "ask_first,wait,name,project,tag",
                .epilogue = k_submit_epilogue},
    CommandSpec{.command = Command::retry,
                .path = "retry",
                .arguments = "JOB",
                .argument_kind = ArgumentKind::job,
                .least = 1,
                .most = 1,
                .group = "Run",
                .summary = "Ask the failed rows of a job again",
                .examples = "batchllm retry job_20260102_030405_k7f3\n"
                            "batchllm retry job_20260102_030405_k7f3 --only timeout,overloaded"},
    CommandSpec{.command = Command::inspect,
                .path = "inspect",
                .arguments = "INPUT...",
                .argument_kind = ArgumentKind::file,
                .least = 1,
                .most = k_any_number,
                .group = "Run",
                .summary = "Show the format, columns, lengths and bad rows of a file",
                .examples = "batchllm inspect tickets.csv\n"
                            "batchllm inspect export.txt --delimiter '|' --encoding latin1"},
    CommandSpec{.path = "results", .group = "Results", .summary = "Look at what a job produced"},
    CommandSpec{.command = Command::results_show,
                .path = "results show",
                .arguments = "JOB",
                .argument_kind = ArgumentKind::job,
                .least = 1,
                .most = 1,
                .group = "Results",
                .summary = "Show a job's summary",
                .examples = "batchllm results show job_20260102_030405_k7f3"},
    CommandSpec{.command = Command::results_export,
                .path = "results export",
                .arguments = "JOB",
                .argument_kind = ArgumentKind::job,
                .least = 1,
                .most = 1,
                .group = "Results",
                .summary = "Write the results that a job has so far",
                .examples = "batchllm results export job_20260102_030405_k7f3 -o so-far.csv\n"
                            "batchllm results export job_20260102_030405_k7f3 --status failed"},
    CommandSpec{.command = Command::results_errors,
                .path = "results errors",
                .arguments = "JOB",
                .argument_kind = ArgumentKind::job,
                .least = 1,
                .most = 1,
                .group = "Results",
                .summary = "Show the failed rows, grouped by failure",
                .examples = "batchllm results errors job_20260102_030405_k7f3"},
    CommandSpec{.path = "jobs", .group = "Jobs", .summary = "Look at jobs, steer and remove them"},
    CommandSpec{.command = Command::jobs_list,
                .path = "jobs list",
                .alias = "ls",
                .group = "Jobs",
                .summary = "List the jobs, newest first",
                .examples = "batchllm jobs list\nbatchllm jobs list --json | jq -r '.jobs[].id'"},
    CommandSpec{.command = Command::jobs_show,
                .path = "jobs show",
                .arguments = "JOB",
                .argument_kind = ArgumentKind::job,
                .least = 1,
                .most = 1,
                .group = "Jobs",
                .summary = "Show a job's settings and state",
                .examples = "batchllm jobs show job_20260102_030405_k7f3"},
    CommandSpec{.command = Command::jobs_watch,
                .path = "jobs watch",
                .arguments = "JOB",
                .argument_kind = ArgumentKind::job,
                .least = 1,
                .most = 1,
                .group = "Jobs",
                .summary = "Show a job's progress until it ends; exit code as run",
                .examples = "batchllm jobs watch job_20260102_030405_k7f3"},
    CommandSpec{.command = Command::jobs_wait,
                .path = "jobs wait",
                .arguments = "JOB...",
                .argument_kind = ArgumentKind::job,
                .least = 1,
                .most = k_any_number,
                .group = "Jobs",
                .summary = "Wait until jobs have ended; exit code as run, the worst of them",
                .examples = "batchllm jobs wait job_20260102_030405_k7f3 --timeout 2h",
                .epilogue = k_wait_epilogue},
    CommandSpec{.command = Command::jobs_cancel,
                .path = "jobs cancel",
                .arguments = "JOB...",
                .argument_kind = ArgumentKind::job,
                .least = 1,
                .most = k_any_number,
                .group = "Jobs",
                .summary = "End jobs; what was answered is kept",
                .examples = "batchllm jobs cancel job_20260102_030405_k7f3"},
    CommandSpec{.command = Command::jobs_pause,
                .path = "jobs pause",
                .arguments = "JOB...",
                .argument_kind = ArgumentKind::job,
                .least = 1,
                .most = k_any_number,
                .group = "Jobs",
                .summary = "Let queued jobs stand still",
                .examples = "batchllm jobs pause job_20260102_030405_k7f3"},
    CommandSpec{.command = Command::jobs_resume,
                .path = "jobs resume",
                .arguments = "JOB...",
                .argument_kind = ArgumentKind::job,
                .least = 1,
                .most = k_any_number,
                .group = "Jobs",
                .summary = "Go on with paused or interrupted jobs",
                .examples = "batchllm jobs resume job_20260102_030405_k7f3\n"
                            "batchllm jobs resume job_20260102_030405_k7f3 --max-cost 12"},
    CommandSpec{.command = Command::jobs_retry,
                .path = "jobs retry",
                .arguments = "JOB",
                .argument_kind = ArgumentKind::job,
                .least = 1,
                .most = 1,
                .group = "Jobs",
                .summary = "Ask the failed rows of a job again",
                .examples = "batchllm jobs retry job_20260102_030405_k7f3"},
    CommandSpec{.command = Command::jobs_answer,
                .path = "jobs answer",
                .arguments = "JOB [ANSWER]",
                .argument_kind = ArgumentKind::job,
                .least = 1,
                .most = 2,
                .group = "Jobs",
                .summary = "Answer the question that a job asks",
                .examples = "batchllm jobs answer job_20260102_030405_k7f3 yes"},
    CommandSpec{.command = Command::jobs_logs,
                .path = "jobs logs",
                .arguments = "JOB",
                .argument_kind = ArgumentKind::job,
                .least = 1,
                .most = 1,
                .group = "Jobs",
                .summary = "Show what happened to a job",
                .examples = "batchllm jobs logs job_20260102_030405_k7f3 -f"},
    CommandSpec{.command = Command::jobs_rm,
                .path = "jobs rm",
                .arguments = "JOB...",
                .argument_kind = ArgumentKind::job,
                .least = 1,
                .most = k_any_number,
                .group = "Jobs",
                .summary = "Remove jobs and their results",
                .examples = "batchllm jobs rm job_20260102_030405_k7f3"},
    CommandSpec{.command = Command::jobs_prune,
                .path = "jobs prune",
                .group = "Jobs",
                .summary = "Remove old jobs",
                .examples = "batchllm jobs prune --older-than 90d --dry-run"},
    CommandSpec{.command = Command::jobs_replay,
                .path = "jobs replay",
                .arguments = "JOB",
                .argument_kind = ArgumentKind::job,
                .least = 1,
                .most = 1,
                .group = "Jobs",
                .summary = "Rebuild a job's state from its events and compare",
                .examples = "batchllm jobs replay job_20260102_030405_k7f3"},
    CommandSpec{
        .path = "schedule", .group = "Jobs", .summary = "Queue the same job again and again"},
    CommandSpec{.command = Command::schedule_add,
                .path = "schedule add",
                .arguments = "NAME INPUT...",
                .argument_kind = ArgumentKind::file,
                .least = 2,
                .most = k_any_number,
                .group = "Jobs",
                .summary = "Make a schedule",
                .examples = k_schedule_examples,
                .common = "cron,timezone,overlap,missed,prompt,template,system,model,max_cost,"
                          "output,overwrite",
                .epilogue = "More: batchllm schedule next --cron EXPR, batchllm run --help"},
    CommandSpec{.command = Command::schedule_list,
                .path = "schedule list",
                .alias = "ls",
                .group = "Jobs",
                .summary = "List the schedules with their next run and last job",
                .examples = "batchllm schedule list"},
    CommandSpec{.command = Command::schedule_show,
                .path = "schedule show",
                .arguments = "NAME",
                .argument_kind = ArgumentKind::word,
                .least = 1,
                .most = 1,
                .group = "Jobs",
                .summary = "Show a schedule and its job",
                .examples = "batchllm schedule show nightly"},
    CommandSpec{.command = Command::schedule_pause,
                .path = "schedule pause",
                .arguments = "NAME",
                .argument_kind = ArgumentKind::word,
                .least = 1,
                .most = 1,
                .group = "Jobs",
                .summary = "Keep a schedule from firing",
                .examples = "batchllm schedule pause nightly"},
    CommandSpec{.command = Command::schedule_resume,
                .path = "schedule resume",
                .arguments = "NAME",
                .argument_kind = ArgumentKind::word,
                .least = 1,
                .most = 1,
                .group = "Jobs",
                .summary = "Let a paused schedule fire again",
                .examples = "batchllm schedule resume nightly"},
    CommandSpec{.command = Command::schedule_run_now,
                .path = "schedule run-now",
                .arguments = "NAME",
                .argument_kind = ArgumentKind::word,
                .least = 1,
                .most = 1,
                .group = "Jobs",
                .summary = "Queue a schedule's job now",
                .examples = "batchllm jobs watch $(batchllm schedule run-now nightly)"},
    CommandSpec{.command = Command::schedule_next,
                .path = "schedule next",
                .arguments = "[NAME]",
                .argument_kind = ArgumentKind::word,
                .most = 1,
                .group = "Jobs",
                .summary = "Show when a schedule, or an expression, fires next",
                .examples = "batchllm schedule next nightly\n"
                            "batchllm schedule next --cron '0 2 * * MON-FRI' --timezone "
                            "Europe/Berlin"},
    CommandSpec{.command = Command::schedule_rm,
                .path = "schedule rm",
                .arguments = "NAME",
                .argument_kind = ArgumentKind::word,
                .least = 1,
                .most = 1,
                .group = "Jobs",
                .summary = "Remove a schedule; its jobs stay",
                .examples = "batchllm schedule rm nightly"},
    CommandSpec{.path = "daemon",
                .group = "Daemon",
                .summary = "Start and stop batchllmd, which runs queued jobs"},
    CommandSpec{.command = Command::daemon_start,
                .path = "daemon start",
                .group = "Daemon",
                .summary = "Start batchllmd in the background",
                .examples = "batchllm daemon start\nbatchllm daemon start --listen 127.0.0.1:8420"},
    CommandSpec{.command = Command::daemon_stop,
                .path = "daemon stop",
                .group = "Daemon",
                .summary = "Stop batchllmd after the answers in flight",
                .examples = "batchllm daemon stop\nbatchllm daemon stop --now"},
    CommandSpec{.command = Command::daemon_status,
                .path = "daemon status",
                .group = "Daemon",
                .summary = "Tell whether batchllmd runs, and how it is",
                .examples = "batchllm daemon status --json"},
    CommandSpec{.command = Command::daemon_logs,
                .path = "daemon logs",
                .group = "Daemon",
                .summary = "Show what batchllmd logged",
                .examples = "batchllm daemon logs -f"},
    CommandSpec{.command = Command::daemon_reload,
                .path = "daemon reload",
                .group = "Daemon",
                .summary = "Let batchllmd read its configuration again",
                .examples = "batchllm daemon reload"},
    CommandSpec{.command = Command::daemon_install,
                .path = "daemon install",
                .group = "Daemon",
                .summary = "Make batchllmd a systemd service",
                .examples = "batchllm daemon install\n"
                            "batchllm daemon install --socket-activated --dry-run"},
    CommandSpec{.command = Command::daemon_uninstall,
                .path = "daemon uninstall",
                .group = "Daemon",
                .summary = "Remove the systemd service",
                .examples = "batchllm daemon uninstall"},
    CommandSpec{.command = Command::daemon_backup,
                .path = "daemon backup",
                .arguments = "[FILE]",
                .argument_kind = ArgumentKind::file,
                .most = 1,
                .group = "Daemon",
                .summary = "Copy the queue while batchllmd runs",
                .examples = "batchllm daemon backup ~/queue.db"},
    CommandSpec{.command = Command::daemon_repair,
                .path = "daemon repair",
                .group = "Daemon",
                .summary = "Rebuild a damaged queue from its backup and the jobs",
                .examples = "batchllm daemon repair"},
    CommandSpec{.command = Command::simulate,
                .path = "simulate",
                .group = "Tools",
                .summary = "Serve an OpenAI-compatible API with simulated answers",
                .examples = "batchllm simulate --port 8080 --latency lognormal:400ms,0.5\n"
                            "batchllm simulate --socket /tmp/sim.sock --fault 500:1% --rpm 600"},
    CommandSpec{
        .path = "config", .group = "Tools", .summary = "Show what is configured, and where"},
    CommandSpec{.command = Command::config_get,
                .path = "config get",
                .arguments = "KEY",
                .argument_kind = ArgumentKind::key,
                .least = 1,
                .most = 1,
                .group = "Tools",
                .summary = "Print the value of one key",
                .examples = "batchllm config get run.concurrency"},
    CommandSpec{.command = Command::config_list,
                .path = "config list",
                .alias = "ls",
                .group = "Tools",
                .summary = "Print every value that is set, as TOML",
                .examples = "batchllm config list"},
    CommandSpec{.command = Command::config_path,
                .path = "config path",
                .group = "Tools",
                .summary = "Print the config files, strongest first",
                .examples = "batchllm config path"},
    CommandSpec{.command = Command::config_explain,
                .path = "config explain",
                .arguments = "[KEY]",
                .argument_kind = ArgumentKind::key,
                .most = 1,
                .group = "Tools",
                .summary = "Show which layer set each value",
                .examples = "batchllm config explain\nbatchllm config explain run.model"},
    CommandSpec{.command = Command::config_validate,
                .path = "config validate",
                .group = "Tools",
                .summary = "Check every config file and variable",
                .examples = "batchllm config validate"},
    CommandSpec{.command = Command::completions,
                .path = "completions",
                .arguments = "bash|zsh|fish",
                .argument_kind = ArgumentKind::shell,
                .least = 1,
                .most = 1,
                .group = "Tools",
                .summary = "Print a completion script for a shell",
                .examples = "source <(batchllm completions bash)\n"
                            "batchllm completions zsh > ~/.zfunc/_batchllm\n"
                            "batchllm completions fish > ~/.config/fish/completions/batchllm.fish"},
    CommandSpec{.command = Command::help,
                .path = "help",
                .arguments = "[TOPIC]",
                .argument_kind = ArgumentKind::topic,
                .most = 3,
                .group = "Tools",
                .summary = "Show help for a command or a topic",
                .examples = "batchllm help run\nbatchllm help exit-codes"},
    CommandSpec{.command = Command::version,
                .path = "version",
                .group = "Tools",
                .summary = "Show the version",
                .examples = "batchllm version --json"},
    CommandSpec{.command = Command::complete_words,
                .path = "__complete",
                .arguments = "WHAT",
                .argument_kind = ArgumentKind::word,
                .least = 1,
                .most = 1},
    CommandSpec{.command = Command::man_section,
                .path = "__man",
                .arguments = "SECTION",
                .argument_kind = ArgumentKind::word,
                .least = 1,
                .most = 3},
};

// clang-format off
constexpr std::array k_exit_codes = {
    ExitCodeText{"0", "ok", "all that was asked was done", ""},
    ExitCodeText{"1", "internal", "a bug in batchllm", "report it"},
    ExitCodeText{"2", "usage", "wrong flag, config file or template", "fix the command"},
    ExitCodeText{"3", "input", "input missing, unreadable or malformed; column missing", "fix the file"},
    ExitCodeText{"4", "partial", "finished, some rows failed (--fail-on none makes it 0)", "batchllm retry JOB"},
    ExitCodeText{"5", "limit", "stopped by --max-cost, --deadline or --max-failures", "batchllm resume with a higher limit"},
    ExitCodeText{"6", "auth", "API key missing or refused", "set the key"},
    ExitCodeText{"7", "provider", "provider unreachable, failing or out of quota", "batchllm resume later"},
    ExitCodeText{"8", "daemon", "daemon unreachable or incompatible", "start the daemon"},
    ExitCodeText{"9", "not_found", "job, model or topic unknown", "batchllm jobs list"},
    ExitCodeText{"10", "conflict", "output exists, or job in use by another process", "--overwrite, --append"},
    ExitCodeText{"11", "storage", "disk full, permission denied, job damaged", "fix the disk; batchllm resume"},
    ExitCodeText{"12", "declined", "a question was answered with no, or nobody could be asked", "--yes"},
    ExitCodeText{"124", "timeout", "a wait took longer than allowed", "wait again"},
    ExitCodeText{"130 / 143", "interrupted", "stopped by Ctrl-C / SIGTERM; what was answered is kept", "batchllm resume"},
};
// clang-format on

}  // namespace

std::span<const CommandSpec> command_table() noexcept {
  return k_commands;
}

std::span<const ExitCodeText> exit_code_table() noexcept {
  return k_exit_codes;
}

std::string_view last_word(std::string_view path) noexcept {
  const auto space = path.rfind(' ');
  return space == std::string_view::npos ? path : path.substr(space + 1);
}

const CommandSpec* find_command(std::string_view path) noexcept {
  for (const CommandSpec& spec : k_commands) {
    if (spec.path == path) {
      return &spec;
    }
    const auto parent = spec.path.substr(0, spec.path.size() - last_word(spec.path).size());
    if (!spec.alias.empty() && path.starts_with(parent) &&
        path.substr(parent.size()) == spec.alias) {
      return &spec;
    }
  }
  return nullptr;
}

const CommandSpec& spec_of(Command command) noexcept {
  const auto found = std::find_if(k_commands.begin(),
                                  k_commands.end(),
                                  [command](const auto& spec) { return spec.command == command; });
  return found == k_commands.end() ? k_commands.front() : *found;
}

std::vector<const CommandSpec*> commands_below(std::string_view path) {
  std::vector<const CommandSpec*> found;
  const std::string prefix = path.empty() ? std::string() : std::string(path) + " ";
  for (const CommandSpec& spec : k_commands) {
    if (!spec.group.empty() && spec.path.starts_with(prefix) &&
        spec.path.find(' ', prefix.size()) == std::string_view::npos) {
      found.push_back(&spec);
    }
  }
  return found;
}

std::vector<const OptionKey*> options_of(const CommandSpec& spec) {
  std::vector<const OptionKey*> options;
  for (const OptionKey& option : option_table()) {
    // What only holds other commands takes every global option.
    const bool is_global = section_of(option).empty() && spec.command == Command::none;
    if (is_global || option.commands.contains(spec.command)) {
      options.push_back(&option);
    }
  }
  return options;
}

}  // namespace batchllm

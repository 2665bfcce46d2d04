// SPDX-License-Identifier: Apache-2.0
#include "cli/program.h"

#include "cli/command_line.h"
#include "cli/completions.h"
#include "cli/config_command.h"
#include "cli/daemon_command.h"
#include "cli/daemon_results.h"
#include "cli/doctor_command.h"
#include "cli/help_view.h"
#include "cli/inspect_command.h"
#include "cli/jobs_command.h"
#include "cli/jobs_control_command.h"
#include "cli/jobs_replay_command.h"
#include "cli/jobs_wait_command.h"
#include "cli/jobs_watch_command.h"
#include "cli/keys_command.h"
#include "cli/man_sections.h"
#include "cli/models_command.h"
#include "cli/results_diff_command.h"
#include "cli/run_command.h"
#include "cli/schedule_command.h"
#include "cli/settings_loader.h"
#include "cli/settings_reader.h"
#include "cli/simulate_command.h"
#include "cli/submit_command.h"
#include "cli/ui.h"
#include "core/error.h"
#include "core/job_directory.h"
#include "core/json_text.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <exception>

namespace batchllm {
namespace {

// Text for people, or with --json the same as one member of an object.
int print_text(const Ui& ui,
               std::string_view schema,
               std::string_view member,
               const std::string& text) {
  if (!ui.json()) {
    ui.out(text);
    return 0;
  }
  JsonWriter json;
  json.begin_object().key("schema").string(schema).key(member).string(text).end_object();
  ui.out(json.text() + "\n");
  return 0;
}

int show_help(const CommandLine& line, const Ui& ui) {
  const bool color = ui.terminal().output_color && !ui.json();
  const std::string text =
      line.command == nullptr ? program_help(color) : command_help(*line.command, line.help, color);
  return print_text(ui, "batchllm.help/1", "text", text);
}

int show_version(const Ui& ui) {
  return ui.json() ? print_text(ui, "batchllm.version/1", "version", BATCHLLM_VERSION)
                   : print_text(ui, "", "", "batchllm " BATCHLLM_VERSION "\n");
}

// Commands that need no config file, so that no broken one prevents them.
bool runs_without_settings(const CommandLine& line) {
  if (line.command == nullptr || line.command->command == Command::none) {
    return true;
  }
  switch (line.command->command) {
    case Command::help:
    case Command::version:
    case Command::completions:
    case Command::complete_words:
    case Command::man_section:
      return true;
    default:
      return line.version || line.help != HelpWanted::none;
  }
}

int run_simple_command(const CommandLine& line, const Ui& ui) {
  if (line.version) {
    return show_version(ui);
  }
  if (line.help != HelpWanted::none || line.command == nullptr) {
    return show_help(line, ui);
  }
  switch (line.command->command) {
    case Command::help:
      return print_text(ui,
                        "batchllm.help/1",
                        "text",
                        help_about(line.arguments, ui.terminal().output_color && !ui.json()));
    case Command::version:
      return show_version(ui);
    case Command::completions:
      return print_text(
          ui, "batchllm.completions/1", "script", completion_script(line.arguments.front()));
    case Command::complete_words:
      if (line.arguments.front() == "jobs") {
        for (const auto& id : list_job_ids(ui.state_dir())) {
          ui.out(id + "\n");
        }
      }
      ui.out(completion_words(line.arguments.front()));
      return 0;
    case Command::man_section:
      ui.out(man_section(line.arguments));
      return 0;
    default:
      throw Error(ErrorCode::usage,
                  fmt::format("{} needs a command", line.call()),
                  fmt::format("see: {} --help", line.call()));
  }
}

int run_jobs_command(const CommandLine& line,
                     const Settings& settings,
                     const EnvironmentLookup& environment,
                     Ui& ui) {
  switch (line.command->command) {
    case Command::jobs_list:
      return jobs_list_command(read_jobs_list_request(settings), settings, environment, ui);
    case Command::jobs_show:
      return jobs_show_command({line.arguments.front()}, settings, environment, ui);
    case Command::jobs_watch:
      return jobs_watch_command(line.arguments.front(), settings, environment, ui);
    case Command::jobs_wait:
      return jobs_wait_command(read_jobs_wait_request(line, settings), settings, environment, ui);
    case Command::jobs_logs:
      return jobs_logs_command(read_jobs_logs_request(line, settings), settings, environment, ui);
    case Command::jobs_replay:
      return jobs_replay_command(line.arguments.front(), settings, environment, ui);
    case Command::jobs_rm:
      return jobs_remove_command({line.arguments}, settings, environment, ui);
    case Command::jobs_prune:
      return jobs_prune_command(read_jobs_prune_request(settings), settings, environment, ui);
    default:
      throw Error(ErrorCode::internal, fmt::format("{} is not built in", line.call()));
  }
}

int run_command_of(const CommandLine& line,
                   const Settings& settings,
                   const EnvironmentLookup& environment,
                   Ui& ui) {
  switch (line.command->command) {
    case Command::config_get:
    case Command::config_list:
    case Command::config_path:
    case Command::config_explain:
    case Command::config_validate:
      return config_command(line, environment, ui);
    case Command::daemon_start:
    case Command::daemon_stop:
    case Command::daemon_status:
    case Command::daemon_logs:
    case Command::daemon_reload:
    case Command::daemon_install:
    case Command::daemon_uninstall:
    case Command::daemon_backup:
    case Command::daemon_repair:
      return daemon_command(line, settings, environment, ui);
    case Command::schedule_add:
    case Command::schedule_list:
    case Command::schedule_show:
    case Command::schedule_pause:
    case Command::schedule_resume:
    case Command::schedule_run_now:
    case Command::schedule_next:
    case Command::schedule_rm:
      return schedule_command(line, settings, environment, ui);
    case Command::doctor:
      return doctor_command({line, settings, environment, ui});
    case Command::keys_set:
    case Command::keys_list:
    case Command::keys_rm:
    case Command::keys_test:
      return keys_command({line, settings, environment, ui});
    case Command::models_list:
    case Command::models_show:
    case Command::models_prices:
      return models_command({line, settings, environment, ui});
    case Command::run:
    case Command::embed:
      return run_command(read_run_request(line, settings), surroundings_of(line, environment), ui);
    case Command::submit:
      return submit_command(line, settings, environment, ui);
    case Command::resume:
    case Command::retry:
    case Command::jobs_cancel:
    case Command::jobs_pause:
    case Command::jobs_resume:
    case Command::jobs_retry:
    case Command::jobs_answer:
      return jobs_control_command(line, settings, environment, ui);
    case Command::inspect: {
      const InspectRequest request = read_inspect_request(line, settings);
      return inspect_command(request.inputs, request.input, request.rows, ui.json());
    }
    case Command::simulate:
      return simulate_command(read_simulate_request(settings), ui.json());
    case Command::results_show:
    case Command::results_export:
    case Command::results_errors:
      return results_command(line, settings, environment, ui);
    case Command::results_diff:
      return results_diff_command(read_results_diff_request(line, settings), ui);
    default:
      return run_jobs_command(line, settings, environment, ui);
  }
}

// With a person at the terminal, `batchllm run` alone is a question.
bool asks_for_usage(const std::vector<std::string>& words, const Ui& ui) {
  return words.size() == 1 &&
         (words[0] == "run" || words[0] == "submit" || words[0] == "inspect") &&
         ui.terminal().input_is_terminal && !ui.json();
}

// A person would wait for a program that waits for the person.
void refuse_terminal_input(const CommandLine& line, const Ui& ui) {
  const bool reads_input =
      line.command->argument_kind == ArgumentKind::file &&
      std::find(line.arguments.begin(), line.arguments.end(), "-") != line.arguments.end();
  if (reads_input && ui.terminal().input_is_terminal) {
    throw Error(
        ErrorCode::usage,
        "- reads standard input, which is a terminal here",
        fmt::format("pipe data into it (cat FILE | {} - ...), or name a file", line.call()));
  }
}

int run_words(const std::vector<std::string>& words,
              const EnvironmentLookup& environment,
              const std::vector<std::string>& variables,
              Ui& ui) {
  if (asks_for_usage(words, ui)) {
    const bool color = ui.terminal().error_color;
    write_error_stream(command_help(*find_command(words[0]), HelpWanted::brief, color));
    return error_kind(ErrorCode::usage).exit_code;
  }
  const CommandLine line = parse_command_line(words);
  const bool is_simple = runs_without_settings(line);
  // These look at the files themselves, whatever is wrong with them.
  const bool is_look_at_files = !is_simple && (line.command->command == Command::config_path ||
                                               line.command->command == Command::doctor);
  const Settings settings = is_simple || is_look_at_files
                                ? settings_without_files(line, environment)
                                : load_settings(line, environment);
  ui = make_ui(settings, environment);
  if (is_simple) {
    return run_simple_command(line, ui);
  }
  for (const std::string& warning : misspelt_variables(variables)) {
    ui.messages().warning(warning);
  }
  check_settings(*line.command, settings);
  refuse_terminal_input(line, ui);
  return run_command_of(line, settings, environment, ui);
}

}  // namespace

int run_program(const std::vector<std::string>& words,
                const EnvironmentLookup& environment,
                const std::vector<std::string>& variables) {
  Ui ui = first_ui(words, environment);
  try {
    return run_words(words, environment, variables, ui);
  } catch (const Error& error) {
    const auto& details = error.details();
    const bool reader_left = std::any_of(details.begin(), details.end(), [](const auto& detail) {
      return detail.first == "closed" && detail.second == "yes";
    });
    if (reader_left) {  // `| head` has seen enough
      return 0;
    }
    ui.messages().error(error);
    return error.exit_code();
  } catch (const std::exception& bug) {
    ui.messages().error(Error(ErrorCode::internal,
                              fmt::format("internal error: {}", bug.what()),
                              "this is a bug in batchllm; please report it"));
    return error_kind(ErrorCode::internal).exit_code;
  }
}

}  // namespace batchllm

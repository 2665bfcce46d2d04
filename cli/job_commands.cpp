// SPDX-License-Identifier: Apache-2.0
#include "cli/command_groups.h"

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

constexpr std::string_view k_embed_examples =
    "batchllm embed tickets.csv --column text -m openai/text-embedding-3-small -o vectors.jsonl\n"
    "batchllm embed docs.jsonl -p '{title}: {body}' -m ollama/nomic-embed-text -o vectors.npy\n"
    "batchllm embed rows.csv --column text -m openai/text-embedding-3-large --dimensions 256";

constexpr std::string_view k_embed_epilogue =
    "Exit codes, resume and results as run. More: man batchllm-embed";

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

constexpr std::string_view k_diff_examples =
    "batchllm results diff job_20260102_030405_k7f3 job_20260102_040506_m2a9\n"
    "batchllm results diff job_20260102_030405_k7f3 job_20260102_040506_m2a9 -o differ.csv";

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
    CommandSpec{.command = Command::embed,
                .path = "embed",
                .arguments = "INPUT...",
                .argument_kind = ArgumentKind::file,
                .least = 1,
                .most = k_any_number,
                .group = "Run",
                .summary = "Turn a text of every row into a vector (embedding)",
                .examples = k_embed_examples,
                .common =
                    "column,prompt,model,dimensions,request_rows,base_url,key_env,where,limit,"
                    "max_cost,output,output_column,overwrite,dry_run",
                .epilogue = k_embed_epilogue},
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
    CommandSpec{.command = Command::results_diff,
                .path = "results diff",
                .arguments = "JOB JOB",
                .argument_kind = ArgumentKind::job,
                .least = 2,
                .most = 2,
                .group = "Results",
                .summary = "Compare the answers of two jobs on the same input",
                .examples = k_diff_examples},
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
};

}  // namespace

std::span<const CommandSpec> job_commands() noexcept {
  return k_commands;
}

}  // namespace batchllm

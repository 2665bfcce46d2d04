// SPDX-License-Identifier: Apache-2.0
#include "core/config_keys.h"

#include <array>

namespace batchllm {
namespace {

using enum Command;
using enum ValueKind;

constexpr CommandSet k_beginning = run | CommandSet(submit) | schedule_add;  // make a job
constexpr CommandSet k_making = k_beginning | embed;  // the same, of any kind
constexpr CommandSet k_asking =                       // commands that send requests
    k_making | resume | retry | jobs_resume | jobs_retry;
constexpr CommandSet k_connecting =  // commands that open connections to providers
    k_asking | models_list | keys_test | doctor;
constexpr CommandSet k_reading = k_making | inspect;  // commands that read inputs
constexpr CommandSet k_everything = CommandSet::all();

constexpr CommandSet k_serving =
    batchllmd | CommandSet(daemon_start);  // take the service's settings

constexpr CommandSet k_installing = daemon_install | CommandSet(daemon_uninstall);

constexpr CommandSet k_writing =
    results_export | CommandSet(results_diff);  // write rows of finished jobs

constexpr CommandSet k_timing = schedule_add | CommandSet(schedule_next);
constexpr std::string_view k_job_states =
    "queued|running|paused|interrupted|waiting_input|succeeded|partial|failed|cancelled";

constexpr double k_billion = 1e9;
constexpr double k_exbibyte = 1152921504606846976.0;  // 2^60

// A row: key, short flag, kind, placeholder, default, who may set it, group, commands, help,
// choices, range. A project's file may not set where requests go, which key or certificate is used,
// what is written or how much may be spent: a cloned repository must not decide that.
// clang-format off
constexpr std::array k_options = {
    // embed
    OptionKey{"embed.column", 0, text, "COLUMN", "", SetBy::anyone, "Text", embed,
              "column whose text becomes a vector; --prompt puts several together"},
    OptionKey{"embed.dimensions", 0, count, "N", "none", SetBy::anyone, "Vectors", embed,
              "numbers of a vector, where the model lets it be chosen", "", 1, 65536},
    OptionKey{"embed.request_rows", 0, count, "N", "none", SetBy::anyone, "Vectors", embed,
              "rows of one request at most; none: the provider's limit", "", 1, 65536},

    // Prompt
    OptionKey{"run.prompt", 'p', ValueKind::texts, "TEXT", "", SetBy::anyone, "Prompt", k_making,
              "the prompt; {column} stands for the row's value; given again: the next step's"},
    OptionKey{"run.prompt_file", 0, path, "FILE", "", SetBy::anyone, "Prompt", k_making,
              "read the prompt from a file"},
    OptionKey{"run.template", 't', path, "FILE", "", SetBy::anyone, "Prompt", k_beginning,
              "TOML template with system, messages, parameters, model, steps"},
    OptionKey{"run.system", 0, text, "TEXT", "", SetBy::anyone, "Prompt", k_beginning,
              "system message; may hold {column} too"},
    OptionKey{"run.system_file", 0, path, "FILE", "", SetBy::anyone, "Prompt", k_beginning,
              "read the system message from a file"},
    OptionKey{"run.var", 0, pairs, "NAME=VALUE", "", SetBy::anyone, "Prompt", k_making,
              "value for {NAME}, the same in every row (repeatable)"},
    OptionKey{"run.image_column", 0, text, "COLUMN[,COLUMN...]", "", SetBy::anyone, "Prompt",
              k_beginning, "column with an image's URL or file name, sent along"},
    OptionKey{"run.document_column", 0, text, "COLUMN[,COLUMN...]", "", SetBy::anyone, "Prompt",
              k_beginning, "column with the name of a text file or PDF; {COLUMN} is its text"},

    // Model
    OptionKey{"run.model", 'm', text, "PROVIDER/MODEL", "", SetBy::anyone, "Model", k_making,
              "model to ask, as openai/gpt-4o-mini"},
    OptionKey{"run.compare", 0, list, "PROVIDER/MODEL", "", SetBy::anyone, "Model", k_beginning,
              "ask this model and others, a column each, and compare them (repeatable)"},
    OptionKey{"run.base_url", 0, text, "URL", "", SetBy::user, "Model", k_making,
              "address of an OpenAI-compatible server: http://, https:// or unix:PATH"},
    OptionKey{"run.temperature", 0, number, "N", "", SetBy::anyone, "Model", k_beginning,
              "randomness of the answers", "", 0, 10},
    OptionKey{"run.max_tokens", 0, count, "N", "", SetBy::anyone, "Model", k_beginning,
              "longest answer in tokens", "", 1, k_billion},
    OptionKey{"run.effort", 0, text, "LEVEL", "", SetBy::anyone, "Model", k_beginning,
              "how hard a reasoning model thinks: none, low, medium, high"},
    OptionKey{"run.param", 0, json_pairs, "NAME=VALUE", "", SetBy::anyone, "Model", k_making,
              "another request parameter, JSON or text (repeatable)"},
    OptionKey{"run.key_env", 0, text, "NAME", "", SetBy::user, "Model", k_asking,
              "environment variable that holds the API key"},
    OptionKey{"run.key_file", 0, path, "FILE", "", SetBy::user, "Model", k_asking,
              "file that holds the API key"},
    OptionKey{"run.ca_file", 0, path, "FILE", "", SetBy::user, "Model", k_connecting,
              "certificates to trust instead of the system's"},
    OptionKey{"run.http2", 0, flag, "", "false", SetBy::user, "Model", k_making,
              "use HTTP/2 where the server offers it"},

    // Answer
    OptionKey{"run.schema", 0, text, "FILE|JSON", "", SetBy::anyone, "Answer", k_beginning,
              "JSON Schema that every answer must match; each field becomes a column"},
    OptionKey{"run.fields", 0, text, "LIST", "", SetBy::anyone, "Answer", k_beginning,
              "the same in short: \"label:enum(bug,praise), sure:number, tags:string[], note?:string\""},
    OptionKey{"run.choices", 0, text, "A,B,C", "", SetBy::anyone, "Answer", k_beginning,
              "the answer must be one of these"},
    OptionKey{"run.extract", 0, text, "WHAT", "", SetBy::anyone, "Answer", k_beginning,
              "keep of the answer: json, code, tag:NAME or regex:PATTERN"},
    OptionKey{"run.strip", 0, flag, "", "false", SetBy::anyone, "Answer", k_beginning,
              "drop blanks and quotes around the answer"},
    OptionKey{"run.map", 0, pairs, "FIELD=COLUMN", "", SetBy::anyone, "Answer", k_beginning,
              "column for a field of the answer (repeatable)"},
    OptionKey{"run.reask", 0, count, "N", "1", SetBy::anyone, "Answer", k_beginning,
              "ask again, with what was wrong, when an answer has not its form", "", 0, 10},
    OptionKey{"run.gold", 0, text, "[FIELD=]COLUMN", "", SetBy::anyone, "Answer",
              k_beginning | resume | retry,
              "column with the right answers; reports accuracy and confusions"},

    // Input
    OptionKey{"run.input_format", 0, choice, "FORMAT", "", SetBy::anyone, "Input", k_reading,
              "format of the inputs; found by content and extension otherwise",
              "csv|tsv|json|jsonl|text"},
    OptionKey{"run.delimiter", 0, character, "CHAR", "", SetBy::anyone, "Input", k_reading,
              "CSV: character between fields, \\t for tab"},
    OptionKey{"run.quote", 0, character, "CHAR", "", SetBy::anyone, "Input", k_reading,
              "CSV: quoting character, or none"},
    OptionKey{"run.no_header", 0, flag, "", "false", SetBy::anyone, "Input", k_reading,
              "CSV: the first line is a row already; --columns names its fields"},
    OptionKey{"run.encoding", 0, text, "NAME", "", SetBy::anyone, "Input", k_reading,
              "encoding of the inputs, as latin1; UTF-8 or UTF-16 by its mark otherwise"},
    OptionKey{"run.json_path", 0, text, "PATH", "", SetBy::anyone, "Input", k_reading,
              "JSON: where the array of rows is, as data.items"},
    OptionKey{"run.max_row_bytes", 0, bytes, "SIZE", "16MiB", SetBy::anyone, "Input", k_reading,
              "largest row; an unclosed quote ends there", "", 64, 4294967296.0},
    OptionKey{"run.ragged", 0, choice, "WHAT", "pad", SetBy::anyone, "Input", k_reading,
              "CSV: rows with too few fields are padded, or bad", "pad|error"},
    OptionKey{"run.on_bad_row", 0, choice, "WHAT", "stop", SetBy::anyone, "Input", k_making,
              "stop at a bad row, or write it to OUT.rejects.jsonl and go on", "stop|reject"},
    OptionKey{"run.id_column", 0, text, "COLUMN", "", SetBy::anyone, "Input", k_making,
              "column that identifies a row, used in messages and results"},

    // Rows
    OptionKey{"run.columns", 0, list, "A,B", "", SetBy::anyone, "Rows", k_reading,
              "input columns to keep in the output; with --no-header: their names"},
    OptionKey{"run.where", 0, text, "EXPR", "", SetBy::anyone, "Rows", k_making,
              "ask only rows for which this holds: status == \"open\" and len(text) > 20"},
    OptionKey{"run.offset", 0, count, "N", "0", SetBy::anyone, "Rows", k_making,
              "skip the first N rows", "", 0, 1e15},
    OptionKey{"run.limit", 0, count, "N", "none", SetBy::anyone, "Rows", k_making,
              "ask at most N rows", "", 1, 1e15},
    OptionKey{"run.sample", 0, count, "N", "none", SetBy::anyone, "Rows", k_making,
              "ask N rows chosen at random", "", 1, k_billion},
    OptionKey{"run.seed", 0, count, "N", "0", SetBy::anyone, "Rows", k_making,
              "another choice for --sample", "", 0, 9e15},

    // Limits
    OptionKey{"run.concurrency", 'c', count, "N", "32", SetBy::anyone, "Limits", k_asking,
              "rows in flight at most (embed: 8 requests)", "", 1, 65536},
    OptionKey{"run.rpm", 0, count, "N", "none", SetBy::anyone, "Limits", k_asking,
              "requests a minute at most", "", 1, k_billion},
    OptionKey{"run.tpm", 0, count, "N", "none", SetBy::anyone, "Limits", k_asking,
              "tokens a minute at most", "", 1, 1e12},
    OptionKey{"run.request_timeout", 0, duration, "TIME", "2m", SetBy::anyone, "Limits", k_asking,
              "give a request up after this long"},
    OptionKey{"run.max_attempts", 0, count, "N", "6", SetBy::anyone, "Limits", k_asking,
              "requests for one row at most", "", 1, 1000},
    OptionKey{"run.max_cost", 0, money, "USD", "none", SetBy::user, "Limits", k_asking,
              "stop before spending more than this"},
    OptionKey{"run.deadline", 0, duration, "TIME", "none", SetBy::anyone, "Limits", k_asking,
              "stop after this long; the job can be resumed"},
    OptionKey{"run.max_failures", 0, share, "N|P%", "none", SetBy::anyone, "Limits", k_asking,
              "stop when this many rows, or this share of them, have failed"},
    OptionKey{"run.in_doubt", 0, choice, "WHAT", "retry", SetBy::anyone, "Limits", k_asking,
              "rows that were in flight when a run was killed", "retry|skip|fail"},

    // Output
    OptionKey{"run.output", 'o', path, "FILE", "", SetBy::user, "Output", k_making,
              "file for the results; - is standard output"},
    OptionKey{"run.output_format", 0, choice, "FORMAT", "", SetBy::anyone, "Output", k_making,
              "format of the results; by the file's extension otherwise", "csv|tsv|json|jsonl|npy"},
    OptionKey{"run.output_column", 0, text, "NAME", "output", SetBy::anyone, "Output", k_making,
              "column for the answers"},
    OptionKey{"run.include", 0, ValueKind::choices, "WHAT", "", SetBy::anyone, "Output", k_making,
              "add columns: meta (status, error, tokens, cost, latency, attempts), steps (their answers)",
              "meta|steps"},
    OptionKey{"run.order", 0, choice, "WHAT", "input", SetBy::anyone, "Output", k_making,
              "order of the results: as the input, or as answers arrive", "input|completion"},
    OptionKey{"run.escape_formulas", 0, flag, "", "false", SetBy::anyone, "Output", k_making,
              "make cells that a spreadsheet would run as formulas harmless"},
    OptionKey{"run.overwrite", 0, flag, "", "false", SetBy::user, "Output", k_asking,
              "replace an existing output file"},
    OptionKey{"run.append", 0, flag, "", "false", SetBy::user, "Output", k_making,
              "add to an existing output file"},
    OptionKey{"run.fail_on", 0, choice, "WHAT", "partial", SetBy::anyone, "Output", k_asking,
              "failed rows make the exit code 4, or do not", "partial|none"},

    // Control
    OptionKey{"run.dry_run", 'n', flag, "", "false", SetBy::flag, "Control", k_making,
              "render and count the prompts; send nothing"},
    OptionKey{"run.show_prompts", 0, count, "N", "", SetBy::flag, "Control", k_making,
              "print the first N requests; send nothing", "", 1, 1e6},
    OptionKey{"run.new_job", 0, flag, "", "false", SetBy::flag, "Control", run | CommandSet(embed),
              "start afresh even if the same command has an unfinished job"},
    OptionKey{"retry.only", 0, list, "FAILURE", "", SetBy::flag, "Control", retry | CommandSet(jobs_retry),
              "only rows that failed this way, as rate_limited (repeatable)"},

    // submit
    OptionKey{"submit.priority", 0, count, "N", "0", SetBy::flag, "Queue", submit,
              "begin before jobs of a lower number", "", -100, 100},
    OptionKey{"submit.after", 0, list, "JOB[:any|:failed]", "", SetBy::flag, "Queue", submit,
              "begin when that job has succeeded, ended at all, or failed (repeatable)"},
    OptionKey{"submit.at", 0, text, "TIME", "", SetBy::flag, "Queue", submit,
              "begin then at the earliest: 02:00, 'tomorrow 02:00', 2026-11-22T02:00Z, +3h"},
    OptionKey{"submit.ask_first", 0, flag, "", "false", SetBy::flag, "Queue", submit,
              "begin when a person has said yes: batchllm jobs answer"},
    OptionKey{"submit.on_limit", 0, choice, "WHAT", "stop", SetBy::user, "Queue", submit,
              "at --max-cost: pause, or ask a person for a higher limit", "stop|ask"},
    OptionKey{"submit.idempotency_key", 0, text, "KEY", "", SetBy::flag, "Queue", submit,
              "the same key queues the same job only once, however often it is sent"},
    OptionKey{"submit.wait", 0, flag, "", "false", SetBy::flag, "Queue", submit,
              "wait until the job has ended; exit code as run"},
    OptionKey{"submit.name", 0, text, "TEXT", "", SetBy::flag, "Labels", submit,
              "a name for people"},
    OptionKey{"submit.project", 0, text, "NAME", "default", SetBy::anyone, "Labels", submit,
              "project that the job counts for"},
    OptionKey{"submit.tag", 0, pairs, "NAME=VALUE", "", SetBy::flag, "Labels", submit,
              "word to find the job by (repeatable)"},

    // inspect
    OptionKey{"inspect.rows", 0, count, "N", "10000", SetBy::anyone, "Rows", inspect,
              "rows to look at", "", 1, 1e15},

    // results, jobs
    OptionKey{"results.output", 'o', path, "FILE", "-", SetBy::flag, "Output", results_export,
              "file to write; - is standard output"},
    OptionKey{"diff.output", 'o', path, "FILE", "", SetBy::flag, "Output", results_diff,
              "file for the rows that differ, with both answers"},
    OptionKey{"results.output_format", 0, choice, "FORMAT", "", SetBy::flag, "Output",
              k_writing, "format; by the file's extension otherwise", "csv|tsv|json|jsonl|npy"},
    OptionKey{"results.status", 0, choice, "WHICH", "all", SetBy::flag, "Rows", results_export,
              "which rows to write", "ok|failed|all"},
    OptionKey{"results.overwrite", 0, flag, "", "false", SetBy::flag, "Output", k_writing,
              "replace an existing file"},
    OptionKey{"results.limit", 0, count, "N", "10", SetBy::flag, "Rows", results_errors,
              "rows to show of each kind of failure", "", 1, k_billion},
    OptionKey{"results.gold", 0, text, "[FIELD=]COLUMN", "", SetBy::flag, "Rows", results_show,
              "compare the answers with this column of the input"},
    OptionKey{"diff.limit", 0, count, "N", "10", SetBy::flag, "Rows", results_diff,
              "rows that differ to show", "", 0, k_billion},
    OptionKey{"diff.exact", 0, flag, "", "false", SetBy::flag, "Rows", results_diff,
              "answers that differ in case or punctuation alone are different too"},
    OptionKey{"diff.force", 0, flag, "", "false", SetBy::flag, "Rows", results_diff,
              "compare row by row even though the inputs are not the same"},
    OptionKey{"jobs.status", 0, choice, "STATUS", "", SetBy::flag, "Jobs", jobs_list | jobs_prune,
              "only jobs in this state", k_job_states},
    OptionKey{"jobs.state", 0, choice, "STATE", "", SetBy::flag, "Jobs", jobs_list | jobs_prune,
              "the same as --status", k_job_states},
    OptionKey{"jobs.project", 0, text, "NAME", "", SetBy::flag, "Jobs", jobs_list,
              "only queued jobs of this project"},
    OptionKey{"jobs.tag", 0, list, "NAME[=VALUE]", "", SetBy::flag, "Jobs", jobs_list,
              "only queued jobs with this tag (repeatable)"},
    OptionKey{"jobs.limit", 0, count, "N", "20", SetBy::anyone, "Jobs", jobs_list,
              "newest jobs to list", "", 1, k_billion},
    OptionKey{"jobs.older_than", 0, duration, "TIME", "30d", SetBy::user, "Jobs", jobs_prune,
              "only jobs untouched for this long"},
    OptionKey{"jobs.dry_run", 'n', flag, "", "false", SetBy::flag, "Jobs", jobs_prune,
              "show what would be removed"},
    OptionKey{"jobs.timeout", 0, duration, "TIME", "none", SetBy::flag, "Waiting", jobs_wait,
              "wait no longer than this; then the exit code is 124"},
    OptionKey{"jobs.any", 0, flag, "", "false", SetBy::flag, "Waiting", jobs_wait,
              "return when the first of the jobs has ended"},
    OptionKey{"jobs.follow", 'f', flag, "", "false", SetBy::flag, "Log", jobs_logs,
              "go on with what happens from now on, until the job ends"},

    // schedule
    OptionKey{"schedule.cron", 0, text, "EXPR", "", SetBy::flag, "Schedule", k_timing,
              "when it fires: minute hour day month weekday, or @daily: '0 2 * * MON-FRI'"},
    OptionKey{"schedule.timezone", 0, text, "ZONE", "", SetBy::user, "Schedule", k_timing,
              "on whose clocks, as Europe/Berlin [default: this machine's]"},
    OptionKey{"schedule.overlap", 0, choice, "WHAT", "skip", SetBy::flag, "Schedule", schedule_add,
              "while its last job goes on: leave it out, queue one more, or run beside it",
              "skip|queue_one|allow"},
    OptionKey{"schedule.missed", 0, choice, "WHAT", "latest", SetBy::flag, "Schedule", schedule_add,
              "times that passed while no daemon ran: none of them, or the latest", "none|latest"},
    OptionKey{"schedule.count", 0, count, "N", "5", SetBy::flag, "Schedule", schedule_next,
              "times to show", "", 1, 1000},

    // models
    OptionKey{"models.provider", 0, text, "NAME", "", SetBy::flag, "Models", models_list | CommandSet(models_prices),
              "only models of this provider"},
    OptionKey{"models.refresh", 0, flag, "", "false", SetBy::flag, "Models", models_list,
              "ask every provider that has a key for its models, and keep the answer"},

    // doctor
    OptionKey{"doctor.online", 0, flag, "", "false", SetBy::flag, "Doctor", doctor,
              "also ask every provider that has a key, which costs nothing"},

    // keys
    OptionKey{"keys.stdin", 0, flag, "", "false", SetBy::flag, "Keys", keys_set,
              "read the key from standard input instead of asking for it"},
    OptionKey{"keys.store", 0, choice, "WHERE", "auto", SetBy::flag, "Keys", keys_set,
              "keep it in the desktop's keyring or in a file; auto: where it is, else the keyring if there is one",
              "auto|secret-service|file"},
    OptionKey{"keys.passphrase", 0, flag, "", "false", SetBy::flag, "Keys", keys_set,
              "seal all stored keys under a passphrase from now on, not under a key file"},

    // simulate
    OptionKey{"simulate.port", 0, count, "N", "0", SetBy::anyone, "Server", simulate,
              "port to listen on; 0 picks a free one", "", 0, 65535},
    OptionKey{"simulate.socket", 0, path, "PATH", "", SetBy::user, "Server", simulate,
              "listen on a UNIX socket instead"},
    OptionKey{"simulate.host", 0, text, "ADDRESS", "127.0.0.1", SetBy::user, "Server", simulate,
              "address to listen on"},
    OptionKey{"simulate.tls_cert", 0, path, "FILE", "", SetBy::user, "Server", simulate,
              "speak TLS with this certificate"},
    OptionKey{"simulate.tls_key", 0, path, "FILE", "", SetBy::user, "Server", simulate,
              "private key of the certificate"},
    OptionKey{"simulate.require_key", 0, text, "TEXT", "", SetBy::user, "Server", simulate,
              "refuse requests whose (made up) API key is another one"},
    OptionKey{"simulate.seed", 0, count, "N", "0", SetBy::anyone, "Answers", simulate,
              "other answers, the same for the same seed", "", 0, 9e15},
    OptionKey{"simulate.latency", 0, text, "DIST", "0", SetBy::anyone, "Answers", simulate,
              "200ms, uniform:100ms,300ms or lognormal:400ms,0.5"},
    OptionKey{"simulate.script", 0, path, "FILE", "", SetBy::anyone, "Answers", simulate,
              "answers from a JSONL file"},
    OptionKey{"simulate.rpm", 0, count, "N", "none", SetBy::anyone, "Limits", simulate,
              "requests a minute before 429", "", 1, k_billion},
    OptionKey{"simulate.tpm", 0, count, "N", "none", SetBy::anyone, "Limits", simulate,
              "tokens a minute before 429", "", 1, 1e12},
    OptionKey{"simulate.fault", 0, list, "KIND:P", "", SetBy::anyone, "Faults", simulate,
              "fail this share of requests, as 500:1% or reset:0.5% (repeatable)"},
    OptionKey{"simulate.log", 0, path, "FILE", "", SetBy::user, "Log", simulate,
              "write one JSON line for every request"},
    OptionKey{"simulate.log_bodies", 0, flag, "", "false", SetBy::user, "Log", simulate,
              "put the request bodies into the log"},

    // The service: `batchllmd`, and `daemon start`, which hands them on. No project's file may set
    // them: the service works for every folder.
    OptionKey{"daemon.listen", 0, text, "ADDRESS:PORT", "none", SetBy::user, "Reached by", k_serving,
              "serve the API on TCP too, for this machine only: 127.0.0.1:8420"},
    OptionKey{"daemon.token_file", 0, path, "FILE", "", SetBy::user, "Reached by", k_serving,
              "secret that callers on TCP must send; made when missing [default: daemon/token in the state folder]"},
    OptionKey{"daemon.socket", 0, path, "PATH", "", SetBy::user, "Reached by", k_serving,
              "socket of the API [default: $XDG_RUNTIME_DIR/batchllm/daemon.sock]"},
    OptionKey{"daemon.max_upload", 0, bytes, "BYTES", "none", SetBy::user, "Reached by", k_serving,
              "largest file that is taken", "", 1, k_exbibyte},
    OptionKey{"daemon.max_running_jobs", 0, count, "N", "8", SetBy::user, "Jobs", k_serving,
              "jobs that run at a time", "", 1, 1000},
    OptionKey{"daemon.concurrency", 0, count, "N", "256", SetBy::user, "Jobs", k_serving,
              "requests in flight to one model, all jobs together", "", 1, 65536},
    OptionKey{"daemon.rpm", 0, count, "N", "none", SetBy::user, "Jobs", k_serving,
              "requests per minute to one model, all jobs together", "", 1, k_billion},
    OptionKey{"daemon.tpm", 0, count, "N", "none", SetBy::user, "Jobs", k_serving,
              "tokens per minute to one model, all jobs together", "", 1, k_billion},
    OptionKey{"daemon.task_model", 0, text, "PROVIDER/MODEL", "", SetBy::user, "Jobs", k_serving,
              "model that tasks ask unless they name one [default: the template's]"},
    OptionKey{"daemon.key_env", 0, list, "NAME[,NAME...]", "", SetBy::user, "Jobs", k_serving,
              "variables that a job's --key-env may name, beside those of known providers"},
    OptionKey{"daemon.lease", 0, duration, "TIME", "30s", SetBy::user, "Jobs", k_serving,
              "a worker silent for this long loses its job to another"},
    OptionKey{"daemon.drain_timeout", 0, duration, "TIME", "30s", SetBy::user, "Jobs", k_serving,
              "when stopping, wait this long for the answers in flight"},
    OptionKey{"daemon.retention", 0, duration, "TIME|none", "30d", SetBy::user, "Storage", k_serving,
              "remove ended jobs after this time"},
    OptionKey{"daemon.min_free", 0, bytes, "BYTES", "64MiB", SetBy::user, "Storage", k_serving,
              "begin and take no jobs while less is free on the disk", "", 0, k_exbibyte},
    OptionKey{"daemon.backup_every", 0, duration, "TIME|none", "24h", SetBy::user, "Storage", k_serving,
              "time between backups of the queue"},
    OptionKey{"daemon.log_level", 0, choice, "LEVEL", "info", SetBy::user, "Log", k_serving,
              "least important lines that are logged", "debug|info|warning|error"},
    OptionKey{"daemon.log_file", 0, path, "FILE", "", SetBy::user, "Log", k_serving,
              "log to this file instead of standard error"},
    OptionKey{"daemon.log_size", 0, bytes, "BYTES", "10MiB", SetBy::user, "Log", k_serving,
              "a log file of this size is put aside; the last three are kept", "", 4096, k_exbibyte},
    OptionKey{"daemon.log_format", 0, choice, "FORMAT", "auto", SetBy::user, "Log", k_serving,
              "auto: as the journal wants it when it reads, else text", "auto|text|journal|json"},
    OptionKey{"daemon.foreground", 0, flag, "", "false", SetBy::flag, "Process", k_serving,
              "stay in the foreground"},
    OptionKey{"daemon.repair", 0, flag, "", "false", SetBy::flag, "Process", batchllmd,
              "rebuild the queue from its backup and the jobs' ledgers, and leave"},

    OptionKey{"daemon.now", 0, flag, "", "false", SetBy::flag, "Process", daemon_stop,
              "do not wait for the answers in flight"},
    OptionKey{"daemon.lines", 'n', count, "N", "100", SetBy::flag, "Log", daemon_logs,
              "lines to show from the end", "", 0, k_billion},
    OptionKey{"daemon.follow", 'f', flag, "", "false", SetBy::flag, "Log", daemon_logs,
              "go on with what is logged from now on"},
    OptionKey{"daemon.user", 0, flag, "", "false", SetBy::flag, "Units", k_installing,
              "a service of yours, which is what is meant without --system"},
    OptionKey{"daemon.system", 0, flag, "", "false", SetBy::flag, "Units", k_installing,
              "a service of the machine, under a user of its own"},
    OptionKey{"daemon.socket_activated", 0, flag, "", "false", SetBy::flag, "Units", daemon_install,
              "start with the first call instead of at once"},
    OptionKey{"daemon.dry_run", 0, flag, "", "false", SetBy::flag, "Units", daemon_install,
              "print the units and change nothing"},

    // Global, taken in any position
    OptionKey{"help", 'h', flag, "", "false", SetBy::flag, "Global", k_everything,
              "short help; --help shows every option"},
    OptionKey{"version", 0, flag, "", "false", SetBy::flag, "Global", k_everything,
              "show the version"},
    OptionKey{"json", 0, flag, "", "false", SetBy::user, "Global", k_everything,
              "result as one JSON object on stdout, errors as one on stderr"},
    OptionKey{"quiet", 'q', flag, "", "false", SetBy::user, "Global", k_everything,
              "no notes and no progress; errors only"},
    OptionKey{"verbose", 'v', level, "", "0", SetBy::user, "Global", k_everything,
              "tell more (repeatable)"},
    OptionKey{"color", 0, choice, "WHEN", "auto", SetBy::user, "Global", k_everything,
              "colours on stdout and stderr", "auto|always|never"},
    OptionKey{"progress", 0, choice, "HOW", "auto", SetBy::user, "Global", k_everything,
              "how progress is shown on stderr", "auto|bar|plain|json|none"},
    OptionKey{"yes", 'y', flag, "", "false", SetBy::environment, "Global", k_everything,
              "answer every question with yes"},
    OptionKey{"no_input", 0, flag, "", "false", SetBy::user, "Global", k_everything,
              "never ask; what needs an answer fails"},
    OptionKey{"config", 0, path, "FILE", "", SetBy::environment, "Global", k_everything,
              "read this config file instead of the usual ones"},
    OptionKey{"no_config", 0, flag, "", "false", SetBy::environment, "Global", k_everything,
              "read no config file"},
    OptionKey{"state_dir", 0, path, "DIR", "", SetBy::user, "Global", k_everything,
              "folder for jobs, instead of $XDG_STATE_HOME/batchllm"},
    OptionKey{"host", 0, text, "ADDRESS", "", SetBy::user, "Global",
              CommandSet::all_but(simulate),  // whose --host is where it listens
              "where batchllmd listens: unix:PATH or http://HOST:PORT"},
};
// clang-format on

using KeyPair = std::pair<std::string_view, std::string_view>;

constexpr std::array k_exclusive = {
    KeyPair{"run.prompt", "run.prompt_file"},
    KeyPair{"run.model", "run.compare"},
    KeyPair{"embed.column", "run.prompt"},
    KeyPair{"embed.column", "run.prompt_file"},
    KeyPair{"run.schema", "run.fields"},
    KeyPair{"run.schema", "run.choices"},
    KeyPair{"run.fields", "run.choices"},
    KeyPair{"run.prompt", "run.template"},
    KeyPair{"run.prompt_file", "run.template"},
    KeyPair{"run.system", "run.system_file"},
    KeyPair{"run.sample", "run.limit"},
    KeyPair{"run.sample", "run.offset"},
    KeyPair{"run.key_env", "run.key_file"},
    KeyPair{"run.overwrite", "run.append"},
    KeyPair{"jobs.status", "jobs.state"},
    KeyPair{"simulate.port", "simulate.socket"},
    KeyPair{"daemon.user", "daemon.system"},
    KeyPair{"quiet", "verbose"},
    KeyPair{"config", "no_config"},
};

}  // namespace

std::span<const std::pair<std::string_view, std::string_view>> exclusive_options() noexcept {
  return k_exclusive;
}

std::span<const OptionKey> option_table() noexcept {
  return k_options;
}

}  // namespace batchllm

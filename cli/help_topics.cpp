// SPDX-License-Identifier: Apache-2.0
// The topics of `batchllm help`. Tables in them are made from the tables that the program uses.
#include "cli/exit_code_table.h"
#include "cli/help_view.h"
#include "core/template_filters.h"

#include <fmt/format.h>

namespace batchllm {
namespace {

std::string environment_topic() {
  std::string out =
      "Every option that is a setting has a variable. Flags win over variables, variables over\n"
      "config files. Lists are separated by commas, NAME=VALUE pairs by line breaks; yes/no "
      "options\n"
      "take true or false. An empty variable counts as not set.\n\n";
  for (const OptionKey& option : option_table()) {
    if (const std::string name = environment_of(option); !name.empty()) {
      const std::string_view section = section_of(option);
      out += fmt::format(
          "  {:<30}  {}{}\n",
          name,
          section.empty() || section == "run" ? std::string() : fmt::format("{} ", section),
          flag_of(option));
    }
  }
  out +=
      "\nKeys:\n"
      "  OPENAI_API_KEY                  key for openai/... models; --key-env names another "
      "variable\n"
      "\nAlso honoured:\n"
      "  NO_COLOR, CLICOLOR_FORCE, TERM  colours; --color wins\n"
      "  CI                              plain progress lines instead of a redrawn one\n"
      "  HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY\n"
      "  XDG_CONFIG_HOME, XDG_STATE_HOME, XDG_DATA_HOME, XDG_RUNTIME_DIR\n";
  return out;
}

std::string exit_codes_topic() {
  std::string out;
  for (const ExitCodeText& row : exit_code_table()) {
    out += fmt::format("{:>9}  {:<11}  {}", row.code, row.name, row.meaning);
    out += row.what_helps.empty() ? "\n" : fmt::format("\n{:24}-> {}\n", "", row.what_helps);
  }
  return out + "\nUnknown codes other than 0 mean failure.\n";
}

std::string config_topic() {
  return
      R"(The strongest of these that sets a value wins; lists replace each other:

  1. flags                     --concurrency 64
  2. environment               BATCHLLM_CONCURRENCY=64
  3. the project's file        batchllm.toml in the nearest parent folder
  4. your file                 $XDG_CONFIG_HOME/batchllm/config.toml, or ~/.config/batchllm/...
  5. the system's file         /etc/batchllm/config.toml
  6. the default

Keys are the long flags with _ for -, under their command:

  color = "never"

  [run]
  model = "openai/gpt-4o-mini"
  concurrency = 64
  request_timeout = "90s"
  columns = ["id", "text"]
  param = { top_p = 0.9 }

  [simulate]
  latency = "lognormal:400ms,0.5"

File names are taken from the folder of the file they stand in. A project's file may not say where
requests go, which key is used, what is written or how much may be spent: a cloned repository must
not decide that. Keys (secrets) never stand in a config file.

  batchllm config explain      which layer set each value
  batchllm config validate     check every file and variable
  --config FILE                read FILE instead of files 3 to 5
  --no-config                  read none
)";
}

std::string formats_topic() {
  return
      R"(Inputs: the format is found by content and extension, or said by --input-format.

  csv, tsv   RFC 4180 and what the world writes: BOM, mixed line ends, line breaks in quotes;
             delimiter and header are detected. --delimiter --quote --no-header --ragged
  json       an array of objects, or the array at --json-path data.items
  jsonl      one object a line (NDJSON), or objects one after another
  text       files, folders and globs: one row a file, with columns path, name, text
  -          standard input

Each may be compressed: gzip, zstd, xz, bzip2, lz4. UTF-8 and UTF-16 are recognised; others by
--encoding latin1. CSV cells stay text (007 stays 007), JSON numbers keep their spelling.

A bad row stops the run: before anything is sent when it is among the first ones. With --on-bad-row
reject, bad rows go to OUT.rejects.jsonl with file, line, byte, reason and the raw bytes instead.

Outputs: csv, tsv, json, jsonl by extension or --output-format; .gz .zst .xz .bz2 .lz4 compress. The
input's columns are followed by the answer's (--output-column), and by status, error, tokens, cost,
latency and attempts with --include meta. A file appears complete or not at all; what is finished so
far: batchllm results export JOB.

  batchllm inspect FILE        what was recognised, columns, lengths, bad rows
)";
}

std::string filter_lines() {
  std::string out;
  for (const TemplateFilter& filter : template_filters()) {
    out += fmt::format("  {:<22}  {}\n", filter.usage, filter.help);
  }
  return out;
}

std::string templates_topic() {
  return
      R"(A prompt is text with placeholders, given by --prompt, --prompt-file or a --template file:

  {column}              the row's value
  {a.b} {a[0]}          into JSON objects and arrays
  {column|trim|lower}   through filters
  {{ }}                 literal braces

What stands in braces but cannot be a column stays as it is, so JSON examples need no escaping. A
name that is no column is an error before anything is sent. --var NAME=VALUE adds values that are
the same in every row.

Filters:
)" + filter_lines() +
      R"text(
A template file (TOML) holds a whole conversation:

  model = "openai/gpt-4o-mini"
  system = "You label support tickets."
  prompt = "Ticket {id}: {text|truncate:2000}"

  [parameters]
  temperature = 0

  batchllm run FILE -t label.toml --show-prompts 2     see what would be sent

Several steps for each row, one after the other: --prompt again, or [[steps]] in the template. A
step reads the answers before it as {steps.NAME.output}, their fields as {steps.NAME.FIELD}; without
a name it is called by its number. The last step that was asked gives the row's answer.

  [[steps]]
  name = "sort"
  prompt = "Ticket: {text}"
  fields = "label:enum(bug, praise)"

  [[steps]]
  when = 'steps.sort.label == "bug"'
  model = "openai/gpt-4o"
  prompt = "Propose a fix: {text}"

Keys of a step: name, prompt or messages, system, when (as --where; not of the first), model,
temperature, max_tokens, effort, parameters, fields, schema (a table, JSON or a file), choices,
extract, strip. A model of another provider is asked there, with that one's key and limits:
--base-url, --key-env, --key-file, --ca-file, --http2, --rpm and --tpm speak of the first step's.
)text";
}

std::string resume_topic() {
  return
      R"(Every answered row is written to the job's ledger before it counts as done. After Ctrl-C, a crash
or a limit, only rows without an answer are asked:

  batchllm resume                     the latest unfinished job
  batchllm resume JOB --max-cost 12   with another limit
  batchllm run ...                    the same command finds its unfinished job and goes on
  batchllm run ... --new-job          starts afresh instead

Ctrl-C once: no further row is sent, the answers in flight are waited for. Twice: stops at once.

Rows that were in flight when a process was killed are in doubt: the provider may have answered, and
charged for, some of them. --in-doubt says what becomes of them: retry (ask again, the default),
skip, or fail. They are counted, with what they may have cost, by jobs show and results errors.

  batchllm retry JOB                  ask the failed rows again
  batchllm retry JOB --only timeout,overloaded
  batchllm results errors JOB         failed rows, grouped, and rows in doubt
  batchllm results export JOB         what is finished so far

An input that has changed since the job began is refused. Two processes never work on one job.
What lies where: man batchllm-files.
)";
}

std::string json_topic() {
  return
      R"(With --json the last thing on standard output is one JSON object; its first member names the schema
and its version:

  {"schema":"batchllm.run/1","job":"job_...","status":"partial","exit_code":4,
   "rows":{"total":500,"ok":496,"failed":4,"skipped":0,"already_done":0,"rejected":0,"in_doubt":0},
   "requests":640,"tokens":{"input":8204,"output":9120},"cost_usd":0.006703,
   "duration_s":8.412,"output":"/data/out.csv"}

An error is one object on standard error, and the exit code is in it:

  {"error":{"code":"column_missing","exit_code":3,"message":"...","hint":"...","details":{}}}

A run that was stopped writes both: the error, and what was done until then, with "stopped_by".
Codes and schemas are an interface: members are added, never renamed. Texts may change. Amounts in
USD are numbers with six decimals, or null where the model's price is not known.

--progress json writes an object to standard error about once a second, and one at the end:

  {"type":"progress","done":6000,"total":20000,"total_is_exact":true,"ok":5981,"failed":19,...}

With --quiet nothing else is written to standard error but errors:

  batchllm run in.csv -p '{text}' -m openai/gpt-4o-mini -o out.csv --json -q | jq .cost_usd
)";
}

std::string where_topic() {
  return
      R"(--where asks only the rows for which an expression holds:

  batchllm run tickets.csv --where 'status == "open" and len(text) > 20' ...

  == != < <= > >=                        compare
  in ("a", "b")                          is one of
  contains, starts_with, ends_with       look inside of a text
  like "*refund*"                        the whole text; * any characters, ? one character
  is null, is not null                   the row does not have the column, or it is JSON null
  not in, not contains, not like ...     the opposite
  not, and, or; !, &&, ||; ( )           combine: not before and, and before or

Columns are written as they are called; odd names stand in `backticks` or {braces}, and paths reach
into JSON: meta.lang, items[0].id. Texts stand in "double" or 'single' quotes.

  len(x)          characters of a text          lower(x) upper(x) trim(x)
  number(x)       the number in a text          default(x, y)   y where x is null or missing

Where one side is a number (a literal, len, number, a number in JSON) and the other can be read as
one, they are compared as numbers: priority >= 3 works in CSV too. Otherwise texts are compared byte
by byte. An empty CSV cell is "" and not null. true and false are compared with these words.

  batchllm run FILE --where EXPR -p TEXT -m MODEL --dry-run       how many rows it leaves
)";
}

}  // namespace

const std::vector<HelpTopic>& help_topics() {
  static const std::vector<HelpTopic> k_topics = {
      {"config", "config files and which value wins", &config_topic},
      {"environment", "variables", &environment_topic},
      {"exit-codes", "what exit codes mean", &exit_codes_topic},
      {"formats", "files that can be read and written", &formats_topic},
      {"json", "output for scripts", &json_topic},
      {"resume", "how nothing is lost, and what happens after a stop", &resume_topic},
      {"templates", "placeholders, filters, template files", &templates_topic},
      {"where", "expressions that choose rows", &where_topic},
  };
  return k_topics;
}

}  // namespace batchllm

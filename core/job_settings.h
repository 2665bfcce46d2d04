// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/input_settings.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace batchllm {

enum class OutputFormat { automatic, csv, tsv, json, jsonl, npy };

enum class RowOrder { input, completion };

enum class BadRowPolicy { stop, reject };

enum class InDoubtPolicy { retry, skip, fail };

enum class FailOn { partial, none };

enum class OutputConflict { refuse, overwrite, append };

// Which of the input's rows are asked. Applied in this order: where, offset, limit; or where,
// sample.
struct RowSelection {
  std::string where;  // an expression of core/row_filter.h; empty: every row
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> limit;
  std::optional<std::uint64_t> sample;
  std::uint64_t seed = 0;
};

struct PromptSettings {
  std::vector<std::string> later_prompts;  // of the steps behind the first
  std::string prompt;         // text with placeholders; empty when a template file says it
  std::string system;         // the same
  std::string prompt_file;    // where `prompt` came from, for messages
  std::string template_file;  // TOML with system, messages, parameters, model
  std::vector<std::pair<std::string, std::string>> variables;
  std::string image_column;     // one, or several with commas between them
  std::string document_column;  // the same
  std::string text_column;      // whose text is embedded as it is, instead of a prompt
};

struct ModelSettings {
  std::string model;                                            // model spec: provider/name
  std::string base_url;                                         // empty: the provider's own
  std::vector<std::pair<std::string, std::string>> parameters;  // --param k=v, v as typed
  std::optional<double> temperature;
  std::optional<std::int64_t> max_tokens;
  std::string effort;  // of reasoning: "low", "high"; empty: as the model does by itself
  std::string key_env;
  std::string key_file;
  std::string ca_file;
  bool http2 = false;
  std::vector<std::string> compared;  // models that are asked instead of `model`, each alike
};

// The form that answers must have, and what of them is kept.
struct AnswerSettings {
  std::string schema;   // a JSON Schema; empty: none
  std::string fields;   // the same in short (core/answer_fields.h)
  std::string extract;  // "json", "code", "tag:NAME", "regex:…"; empty: all of it
  bool strip = false;   // blanks and quotes around it
  std::string choices;  // "a, b, c": it must be one of them
  std::vector<std::pair<std::string, std::string>> columns_of_fields;  // field -> column
  std::int64_t reasks = 1;  // how often a row is asked again whose answer has not the form
  std::string gold;         // column with the right answers, or FIELD=COLUMN; empty: none
};

// A job that turns rows into vectors, many by one request.
struct EmbeddingSettings {
  bool is_wanted = false;                    // false: the job asks for answers
  std::optional<std::int64_t> dimensions;    // numbers of a vector; else the model's own
  std::optional<std::int64_t> request_rows;  // of one request at most; else the provider's limit
};

struct LimitSettings {
  std::int64_t concurrency = 32;  // requests in flight at most
  std::int64_t request_timeout_ms = 120'000;
  std::int64_t max_attempts = 6;  // requests for one row at most
  std::optional<std::int64_t> requests_per_minute;
  std::optional<std::int64_t> tokens_per_minute;
  std::optional<std::int64_t> max_cost_micro_usd;
  std::optional<std::int64_t> deadline_ms;   // for the whole run
  std::optional<std::int64_t> max_failures;  // rows
  std::optional<double> max_failures_share;  // 0 to 1, from 100 rows on
};

struct OutputSettings {
  std::string path;  // empty: beside the input or stdout; "-": stdout
  OutputFormat format = OutputFormat::automatic;
  std::string column = "output";
  std::vector<std::string> columns;  // input columns to keep; empty: all
  bool include_meta = false;
  RowOrder order = RowOrder::input;
  bool escape_formulas = false;
  OutputConflict conflict = OutputConflict::refuse;
  bool include_steps = false;  // the answers of all steps
};

// What one run was asked to do: plain values with their defaults. Everything that decides what is
// asked and what is written is saved with the job; a resume takes it from there.
struct JobSettings {
  std::vector<std::string> inputs;
  InputSettings input;
  RowSelection selection;
  std::string id_column;
  BadRowPolicy on_bad_row = BadRowPolicy::stop;
  bool on_bad_row_given = false;
  PromptSettings prompt;
  ModelSettings model;
  AnswerSettings answer;
  EmbeddingSettings embedding;
  LimitSettings limits;
  OutputSettings output;
  InDoubtPolicy in_doubt = InDoubtPolicy::retry;
  FailOn fail_on = FailOn::partial;
};

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "cli/job_preparation.h"

#include "adapters/job/job_encoder.h"
#include "adapters/job/job_form.h"
#include "adapters/job/job_inputs.h"
#include "cli/inspect_command.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace batchllm {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void explain_what_embed_lacks(const JobRecord& record, bool no_text, bool no_model) {
  const std::string missing =
      no_text && no_model ? "what is to become a vector? a column and a model are missing: "
                            "--column COLUMN, --model "
                            "PROVIDER/NAME"
      : no_text           ? "what is to become a vector? a column is missing: --column COLUMN"
                          : "who makes the vectors? a model is missing: --model PROVIDER/NAME";
  std::string hint =
      "for example --model openai/text-embedding-3-small, or --model ollama/nomic-embed-text on "
      "this "
      "machine";
  if (no_text && !record.inputs.empty() && !record.inputs.front().from_stdin) {
    JobInputs inputs(record, "");
    hint = fmt::format("{} has the columns {}",
                       fs::path(record.inputs.front().path).filename().string(),
                       name_list(inputs.open_first()->columns()));
  }
  throw Error(ErrorCode::usage, missing, hint);
}

// What a first-time user lacks, with a command that works on this file.
[[noreturn]] void explain_what_is_missing(const JobRecord& record, bool no_prompt, bool no_model) {
  const std::string missing =
      no_prompt && no_model ? "what is to be asked? a prompt and a model are missing: --prompt "
                              "TEXT, --model PROVIDER/NAME"
      : no_prompt           ? "what is to be asked? a prompt is missing: --prompt TEXT"
                            : "who is to be asked? a model is missing: --model PROVIDER/NAME";
  constexpr std::string_view k_models =
      "for example --model openai/gpt-4o-mini, or --model ollama/llama3.2 on this machine";
  std::string hint = "see: batchllm run --help";
  if (!no_prompt) {
    hint = k_models;
  } else if (!record.inputs.empty() && !record.inputs.front().from_stdin) {
    JobInputs inputs(record, "");
    hint = fmt::format("{} has the columns {}; try:\n{}",
                       fs::path(record.inputs.front().path).filename().string(),
                       name_list(inputs.open_first()->columns()),
                       example_run_command(record.settings.inputs, record.settings.input));
  }
  throw Error(ErrorCode::usage, missing, hint);
}

std::vector<InputFingerprint> fingerprints(const std::vector<std::string>& paths) {
  std::vector<InputFingerprint> inputs;
  for (const auto& path : paths) {
    if (path == "-") {
      InputFingerprint input;
      input.path = "-";
      input.from_stdin = true;
      inputs.push_back(input);
    } else {
      inputs.push_back(fingerprint_input(path));
    }
  }
  return inputs;
}

}  // namespace

JobRecord make_job_record(RunRequest& request) {
  JobRecord record;
  take_schema(request.settings.answer);
  record.settings = request.settings;
  make_questions(record);
  record.inputs = fingerprints(expand_inputs(request.settings.inputs, request.settings.input));
  if (record.settings.embedding.is_wanted) {
    const bool no_model = record.settings.model.model.empty();
    if (record.messages.empty() || no_model) {
      explain_what_embed_lacks(record, record.messages.empty(), no_model);
    }
    return record;
  }
  if (record.settings.prompt.prompt.empty() && record.messages.empty()) {
    explain_what_is_missing(record, true, record.settings.model.model.empty());
  }
  const bool asks = std::any_of(record.messages.begin(),
                                record.messages.end(),
                                [](const MessageText& message) { return message.role == "user"; });
  if (!asks || record.settings.model.model.empty()) {
    explain_what_is_missing(record, !asks, record.settings.model.model.empty());
  }
  return record;
}

}  // namespace batchllm

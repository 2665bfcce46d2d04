// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/input.h"
#include "adapters/output.h"
#include "adapters/stream/spool.h"
#include "core/chat_row_encoder.h"
#include "core/config_layers.h"
#include "core/dispatcher.h"
#include "core/job_record.h"
#include "core/price_table.h"
#include "core/provider.h"
#include "core/result_writer.h"

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace batchllm {

// The only place that constructs adapters for a run. Everything here throws Error.

// The inputs of a job as a source; what a pipe brings goes through the spool.
class JobInputs {
 public:
  // `spool_folder`: where a pipe's bytes are kept; empty: a pipe is read once only (a dry run).
  JobInputs(const JobRecord& record, std::string spool_folder);

  // The pass of the reader thread; opened first.
  std::unique_ptr<InputSource> open_first();

  // Further passes; they wait for a pipe where they catch up with the first.
  std::unique_ptr<InputSource> open_again(std::stop_token stop) const;

 private:
  std::unique_ptr<RawBytes> first_bytes(const std::string& path);
  std::unique_ptr<RawBytes> later_bytes(const std::string& path, std::stop_token stop) const;

  std::vector<std::string> paths_;
  InputSettings settings_;
  std::string spool_folder_;
  bool reads_twice_;
  std::unique_ptr<Spool> spool_;
};

// The model that a job asks: provider, price, what it is called in messages.
struct JobModel {
  std::unique_ptr<Provider> provider;
  std::optional<Price> price;
  std::string provider_title;
  std::string endpoint;  // the address, for messages
  std::int64_t worst_case_output_tokens = 0;
};

// `with_key`: false for a dry run, which sends nothing.
JobModel make_model(const JobSettings& settings,
                    const EnvironmentLookup& environment,
                    bool with_key);

// Compiles templates, filter and special columns against the source's columns.
std::unique_ptr<ChatRowEncoder> make_encoder(const JobRecord& record,
                                             const RowSource& source,
                                             const Provider& provider);

// Reads --prompt, --system or --template into the messages of a job; the template's model and
// parameters are taken where the command line says none.
std::vector<MessageText> make_messages(JobSettings& settings);

// Where the result of a job goes.
struct OutputPlan {
  std::string path;       // absolute; "-": standard output
  std::string part_path;  // written first, renamed at the end; empty for standard output
  OutputKind kind;
  std::string rejects_path;
};

OutputPlan plan_output(const JobRecord& record, const InputSource& source);

// The format that goes with the input ("csv" for CSV).
OutputFormat format_of_input(const InputSource& source);

// With --append: throws Error when the rows of this run do not fit the file that is there.
void check_appending(const JobRecord& record, const OutputPlan& plan, const RowSource& source);

// How results are written to `plan`. `inputs` outlives what it returns.
ResultWriterSettings make_result_settings(const JobRecord& record,
                                          const OutputPlan& plan,
                                          const JobInputs& inputs,
                                          std::stop_token stop);

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/job/job_form.h"
#include "adapters/job/job_model.h"
#include "adapters/job/job_surroundings.h"
#include "core/chat_row_encoder.h"
#include "core/job_record.h"
#include "core/row_source.h"
#include "core/step_chain.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace batchllm {

// The steps of a job's rows behind the first: their models, prompts and forms, compiled. Not
// thread-safe; it stays where it is.
class JobSteps {
 public:
  // Null for a job of one step. `first` is the model of the first and outlives this. A step asks
  // its own provider at its own address; what the job's settings say of how a provider is reached
  // (base URL, key, certificates, HTTP/2) is for that of the first. Throws Error(usage |
  // column_missing | template_invalid | key_missing) naming the step.
  static std::unique_ptr<JobSteps> open(const JobRecord& record,
                                        const RowSource& source,
                                        const JobModel& first,
                                        const JobSurroundings& surroundings,
                                        bool with_key);

  // The columns of the input that they read.
  std::vector<std::string> row_columns() const;

  // Where the steps are asked, in the order of ChainStep::lane: first the first step's address,
  // then every other one once.
  struct Address {
    HttpEndpoint endpoint;
    bool is_first_provider = false;  // the job's limits of requests and tokens a minute hold there
  };

  const std::vector<Address>& addresses() const noexcept { return addresses_; }

  // What the dispatcher asks. `first_check` is that of the first step's answers, `row_columns` the
  // order of the cells of a packed row.
  StepChain& start(AnswerCheck* first_check, const std::vector<std::string>& row_columns);

  // A lower bound for the tokens that a row's later steps send (answers that they read count as
  // nothing), and their price; nullopt: one is not known. For after `start`.
  struct Estimate {
    std::int64_t tokens = 0;
    std::optional<double> micro_usd = 0;
  };

  Estimate estimate(const RowBatch& batch, std::size_t row);

  // The highest price of a million tokens out, in micro-USD; 0: none is known.
  std::int64_t highest_output_price() const noexcept;

 private:
  struct Step {
    JobModel model;
    std::unique_ptr<ChatRowEncoder> encoder;
    std::optional<FormCheck> check;
    std::size_t lane = 0;
    bool may_be_left_out = false;
  };

  JobSteps(const JobRecord& record, const JobModel& first);

  void add(const JobRecord& record,
           std::size_t later_step,
           const RowSource& source,
           const JobSurroundings& surroundings,
           bool with_key);
  std::size_t lane_at(Address address);

  std::vector<StepNames> names_;
  std::vector<std::string> answer_columns_;  // that steps may read
  StepKind kind_;
  bool keeps_answers_;
  const JobModel& first_;
  std::vector<Address> addresses_;
  std::vector<Step> steps_;
  std::optional<StepChain> chain_;
  RowBatch without_answers_;  // for estimates
  RowTask estimated_;
};

}  // namespace batchllm

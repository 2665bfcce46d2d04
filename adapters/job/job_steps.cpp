// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/job_steps.h"

#include "adapters/job/job_encoder.h"
#include "core/error.h"
#include "core/text.h"
#include "core/token_estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace batchllm {
namespace {

// What a run of that step alone would be asked to do. How a provider is reached is said of the
// first step's.
JobSettings settings_of(const JobRecord& record, const JobStep& step, bool is_first_provider) {
  JobSettings settings = record.settings;
  if (!is_first_provider) {
    settings.model = {};
  }
  settings.model.model = step.model.model;
  settings.model.parameters = step.model.parameters;
  settings.model.temperature = step.model.temperature;
  settings.model.max_tokens = step.model.max_tokens;
  settings.model.effort = step.model.effort;
  settings.answer = step.answer;
  settings.answer.reasks = record.settings.answer.reasks;
  return settings;
}

bool is_same(const HttpEndpoint& one, const HttpEndpoint& other) {
  return one.url == other.url && one.unix_socket == other.unix_socket &&
         one.headers == other.headers && one.ca_file == other.ca_file && one.http2 == other.http2;
}

}  // namespace

std::unique_ptr<JobSteps> JobSteps::open(const JobRecord& record,
                                         const RowSource& source,
                                         const JobModel& first,
                                         const JobSurroundings& surroundings,
                                         bool with_key) {
  if (record.later_steps.empty()) {
    return nullptr;
  }
  std::unique_ptr<JobSteps> steps(new JobSteps(record, first));
  for (std::size_t i = 0; i < record.later_steps.size(); ++i) {
    steps->add(record, i, source, surroundings, with_key);
  }
  return steps;
}

JobSteps::JobSteps(const JobRecord& record, const JobModel& first)
    : names_(step_names(record)),
      answer_columns_(step_columns(readable_steps(record))),
      kind_(record.compares ? StepKind::compared : StepKind::chained),
      keeps_answers_(record.settings.output.include_steps),
      first_(first) {
  steps_.reserve(record.later_steps.size());
  addresses_.push_back({first.provider->endpoint(), true});
}

void JobSteps::add(const JobRecord& record,
                   std::size_t later_step,
                   const RowSource& source,
                   const JobSurroundings& surroundings,
                   bool with_key) {
  const JobStep& asked = record.later_steps[later_step];
  Step& step = steps_.emplace_back();
  const ModelCatalog& models = surroundings.models;
  try {
    const bool is_first_provider = models.resolve(asked.model.model).provider ==
                                   models.resolve(record.settings.model.model).provider;
    step.model = make_model(settings_of(record, asked, is_first_provider), surroundings, with_key);
    step.lane = lane_at({step.model.provider->endpoint(), is_first_provider});
  } catch (Error& error) {
    throw std::move(error).with_context(
        fmt::format("{} {}", record.compares ? "--compare" : "step", printable(asked.name)));
  }
  step.may_be_left_out = !asked.when.empty();
  step.encoder = make_step_encoder(record, later_step, source, step.model);
  if (step.model.form != nullptr) {
    step.check.emplace(step.model.form);
  }
}

std::size_t JobSteps::lane_at(Address address) {
  const auto found =
      std::find_if(addresses_.begin(), addresses_.end(), [&address](const Address& known) {
        return is_same(known.endpoint, address.endpoint);
      });
  if (found == addresses_.end()) {
    addresses_.push_back(std::move(address));
    return addresses_.size() - 1;
  }
  return static_cast<std::size_t>(found - addresses_.begin());
}

std::vector<std::string> JobSteps::row_columns() const {
  std::vector<std::string> columns;
  for (const Step& step : steps_) {
    for (std::string& name : step.encoder->columns()) {
      if (std::find(answer_columns_.begin(), answer_columns_.end(), name) ==
          answer_columns_.end()) {
        columns.push_back(std::move(name));
      }
    }
  }
  return columns;
}

StepChain& JobSteps::start(AnswerCheck* first_check, const std::vector<std::string>& row_columns) {
  std::vector<ChainStep> chain;
  const auto add = [&](const JobModel& model, RowEncoder* encoder, AnswerCheck* check) {
    ChainStep& step = chain.emplace_back();
    step.names = names_[chain.size() - 1];
    step.provider = model.provider.get();
    step.encoder = encoder;
    step.check = check;
    step.form = model.form.get();
    step.price = model.price;
    step.worst_case_output_tokens = model.worst_case_output_tokens;
    step.provider_name = model.provider_title;
    step.endpoint = model.endpoint;
  };
  add(first_, nullptr, first_check);
  for (Step& step : steps_) {
    add(step.model, step.encoder.get(), step.check ? &*step.check : nullptr);
    chain.back().lane = step.lane;
    chain.back().may_be_left_out = step.may_be_left_out;
  }
  return chain_.emplace(std::move(chain), row_columns, kind_, keeps_answers_);
}

JobSteps::Estimate JobSteps::estimate(const RowBatch& batch, std::size_t row) {
  const auto cells = batch.row_cells(row);
  without_answers_.clear();
  without_answers_.cells.assign(cells.begin(), cells.end());
  without_answers_.cells.resize(cells.size() + answer_columns_.size());
  without_answers_.column_count = without_answers_.cells.size();
  for (std::size_t column = 0; column < cells.size(); ++column) {
    without_answers_.kinds.push_back(batch.cell_kind(row, column));
  }
  without_answers_.kinds.resize(without_answers_.column_count, CellKind::text);
  without_answers_.places.push_back(batch.places[row]);
  Estimate sum;
  for (Step& step : steps_) {
    step.encoder->encode(without_answers_, 0, estimated_);
    std::int64_t tokens = 0;
    for (const auto& message : step.encoder->prompt().messages) {
      tokens += estimate_tokens(message.text).mean;
    }
    sum.tokens += tokens;
    if (!step.model.price) {
      sum.micro_usd.reset();
    } else if (sum.micro_usd) {
      *sum.micro_usd +=
          static_cast<double>(step.model.price->base.input) * static_cast<double>(tokens) / 1e6;
    }
  }
  return sum;
}

std::int64_t JobSteps::highest_output_price() const noexcept {
  std::int64_t highest = 0;
  for (const Step& step : steps_) {
    highest = std::max(highest, step.model.price ? step.model.price->base.output : 0);
  }
  return highest;
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "cli/dry_run.h"

#include "adapters/job/job_encoder.h"
#include "adapters/job/job_inputs.h"
#include "adapters/job/job_model.h"
#include "adapters/job/job_steps.h"
#include "adapters/job/row_sample.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/redaction.h"
#include "core/text.h"
#include "core/token_estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

namespace batchllm {
namespace {

struct DryRunCounts {
  std::uint64_t rows = 0;
  std::uint64_t unaskable = 0;  // an image that is not there
  std::uint64_t bad_rows = 0;
  std::uint64_t matched = 0;
  std::int64_t tokens = 0;        // of the first step
  std::int64_t later_tokens = 0;  // of the others, without the answers that they read
  double later_micro_usd = 0;
  bool later_price_is_known = true;
  std::optional<BadRow> first_bad;
};

// The models that a row is asked of, in the order of its steps, each once.
std::vector<std::string> models_of(const JobRecord& record) {
  std::vector<std::string> models = {printable(record.settings.model.model)};
  for (const JobStep& step : record.later_steps) {
    std::string model = printable(step.model.model);
    if (std::find(models.begin(), models.end(), model) == models.end()) {
      models.push_back(std::move(model));
    }
  }
  return models;
}

// Goes over the rows as a run would, without sending them.
class DryRun {
 public:
  DryRun(const JobRecord& record,
         const RunRequest& request,
         const JobSurroundings& surroundings,
         Ui& ui)
      : record_(record),
        show_(request.show_prompts.value_or(0)),
        counts_all_(request.dry_run),
        ui_(ui),
        model_(make_model(record.settings, surroundings, false)),
        inputs_(record, ""),
        source_(inputs_.open_first()),
        encoder_(make_encoder(record, *source_, model_)),
        steps_(JobSteps::open(record, *source_, model_, surroundings, false)) {
    if (steps_) {
      encoder_->need_columns(steps_->row_columns());
      steps_->start(nullptr, encoder_->columns());
    }
    source_->select(encoder_->columns());
    encoder_->bind(encoder_->columns());
  }

  int run();

 private:
  bool take_row(const RowBatch& batch, std::size_t row);
  bool is_selected(const RowBatch& batch, std::size_t row);
  void print_prompt(const RowTask& task) const;
  void report() const;

  const JobRecord& record_;
  std::uint64_t show_;
  bool counts_all_;
  Ui& ui_;
  JobModel model_;
  JobInputs inputs_;
  std::unique_ptr<InputSource> source_;
  std::unique_ptr<ChatRowEncoder> encoder_;
  std::unique_ptr<JobSteps> steps_;  // null: there is one
  std::optional<std::vector<std::uint64_t>> sampled_;
  RowTask task_;
  DryRunCounts counts_;
};

int DryRun::run() {
  for (const auto& warning : encoder_->warnings()) {
    ui_.messages().warning(warning);
  }
  const RowSelection& selection = record_.settings.selection;
  if (selection.sample) {
    sampled_ = sample_rows(*inputs_.open_again({}), *encoder_, *selection.sample, selection.seed);
  }
  RowBatch batch;
  bool more = true;
  while (more && source_->next_batch(batch)) {
    counts_.bad_rows += batch.bad_rows.size();
    if (!counts_.first_bad && !batch.bad_rows.empty()) {
      counts_.first_bad = batch.bad_rows.front();
    }
    for (std::size_t row = 0; row < batch.row_count() && more; ++row) {
      more = take_row(batch, row);
    }
  }
  if (counts_all_) {
    report();
  }
  if (!record_.later_steps.empty() && !record_.compares) {
    ui_.messages().note(
        fmt::format("This is step {} of {}: what the later ones ask depends on the "
                    "answers before them.",
                    record_.first_step,
                    record_.later_steps.size() + 1));
  }
  return 0;
}

bool DryRun::is_selected(const RowBatch& batch, std::size_t row) {
  if (sampled_) {
    return std::binary_search(sampled_->begin(), sampled_->end(), batch.places[row].row_index);
  }
  return encoder_->matches(batch, row) && ++counts_.matched > record_.settings.selection.offset;
}

bool DryRun::take_row(const RowBatch& batch, std::size_t row) {
  const auto limit = sampled_ ? std::nullopt : record_.settings.selection.limit;
  if ((limit && counts_.rows >= *limit) || (!counts_all_ && counts_.rows >= show_)) {
    return false;
  }
  if (!is_selected(batch, row)) {
    return true;
  }
  task_ = RowTask{};
  task_.place = batch.places[row];
  encoder_->encode(batch, row, task_);
  ++counts_.rows;
  if (task_.known_failure != RowFailure::none) {
    ++counts_.unaskable;
    ui_.messages().warning(fmt::format("row {}: {}", task_.place.row_index + 1, task_.problem));
    return true;
  }
  for (const auto& message : encoder_->prompt().messages) {
    counts_.tokens += estimate_tokens(message.text).mean;
  }
  if (steps_) {
    const auto later = steps_->estimate(batch, row);
    counts_.later_tokens += later.tokens;
    counts_.later_price_is_known = later.micro_usd.has_value();
    counts_.later_micro_usd += later.micro_usd.value_or(0);
  }
  if (counts_.rows <= show_) {
    print_prompt(task_);
  }
  return true;
}

void DryRun::print_prompt(const RowTask& task) const {
  if (ui_.json()) {
    JsonWriter json;
    json.begin_object()
        .key("schema")
        .string("batchllm.prompt/1")
        .key("row")
        .number(task.place.row_index + 1);
    json.key("request").raw(redacted(task.body)).end_object();
    ui_.out(json.text() + "\n");
    return;
  }
  std::string text = fmt::format("--- row {} ---\n", with_thousands(task.place.row_index + 1));
  for (const auto& message : encoder_->prompt().messages) {
    text += fmt::format("[{}]\n{}\n", message.role, printable(redacted(message.text)));
  }
  for (const Attachment& attachment : encoder_->prompt().attachments) {
    const bool is_image = attachment.kind == Attachment::Kind::image;
    text += is_image ? fmt::format("[image] {}\n", one_line(attachment.url, 80))
                     : fmt::format("[document] {}\n", one_line(attachment.name, 80));
  }
  ui_.out(text + "\n");
}

void DryRun::report() const {
  std::optional<std::int64_t> cost;
  if (model_.price && counts_.later_price_is_known) {
    Usage usage;
    usage.input_tokens = counts_.tokens;
    cost = cost_micro_usd(*model_.price, usage) + std::llround(counts_.later_micro_usd);
  }
  const std::int64_t tokens = counts_.tokens + counts_.later_tokens;
  if (ui_.json()) {
    JsonWriter json;
    json.begin_object().key("schema").string("batchllm.dry_run/1").key("rows").number(counts_.rows);
    json.key("bad_rows").number(counts_.bad_rows).key("unaskable_rows").number(counts_.unaskable);
    json.key("model").string(record_.settings.model.model);
    if (record_.compares) {
      json.key("models").begin_array();
      for (const std::string& model : compared_models(record_)) {
        json.string(as_utf8(model));
      }
      json.end_array();
    }
    json.key("input_tokens").number(tokens);
    json.key("input_cost_usd");
    cost ? json.decimal(static_cast<double>(*cost) / 1e6, 6) : json.null();
    ui_.out(json.end_object().text() + "\n");
    return;
  }
  ui_.out(fmt::format("{} would be asked of {}{}: about {} tokens in{}. Nothing was sent.\n",
                      count_noun(counts_.rows, "row"),
                      record_.compares ? "each of " : "",
                      name_list(models_of(record_)),
                      with_thousands(static_cast<std::uint64_t>(tokens)),
                      cost ? ", about " + usd_text(*cost) + " for them" : ", price not known"));
  if (counts_.first_bad) {
    const BadRow& bad = *counts_.first_bad;
    ui_.messages().warning(fmt::format("{} cannot be read; the first is row {} (line {}): {}",
                                       count_noun(counts_.bad_rows, "row"),
                                       bad.place.row_index + 1,
                                       bad.place.line,
                                       bad.message));
  }
}

}  // namespace

int dry_run(const JobRecord& record,
            const RunRequest& request,
            const JobSurroundings& surroundings,
            Ui& ui) {
  return DryRun(record, request, surroundings, ui).run();
}

}  // namespace batchllm

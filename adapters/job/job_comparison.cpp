// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/job_comparison.h"

#include "adapters/job/job_form.h"
#include "adapters/job/job_inputs.h"
#include "adapters/job/recorded_outcomes.h"
#include "adapters/stream/raw_bytes.h"
#include "adapters/stream/spool.h"
#include "core/answer_form.h"
#include "core/comparable_answers.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/ledger.h"
#include "core/manifest.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace batchllm {
namespace {

[[noreturn]] void refuse_inputs(const ComparedJob& a,
                                const ComparedJob& b,
                                const std::string& what) {
  throw Error(
      ErrorCode::input_changed,
      fmt::format("{} and {} do not have the same input: {}", a.record.id, b.record.id, what),
      "--force compares them row by row all the same");
}

// What one job knows of the content of one of its inputs.
struct KnownInput {
  const InputFingerprint& fingerprint;
  std::optional<InputDigest> digest;  // of its whole content
  std::string path;                   // where it can be read
};

KnownInput known_input(const ComparedJob& job, const Manifest& manifest, std::size_t number) {
  const InputFingerprint& input = job.record.inputs[number];
  KnownInput known{input, std::nullopt, input.path};
  if (input.from_stdin) {
    known.path = spool_path(job.folder.string(), spool_state(job.folder.string()));
  }
  const auto digest = manifest.digests().find(static_cast<std::uint32_t>(number));
  if (digest != manifest.digests().end() && digest->second.bytes == input.bytes) {
    known.digest = digest->second;
  }
  return known;
}

// The file is as it was when the job began.
bool is_unchanged(const KnownInput& input) {
  const InputFingerprint& before = input.fingerprint;
  if (before.from_stdin || before.is_stored) {
    return true;
  }
  const InputFingerprint now = fingerprint_input(before.path);
  return now.bytes == before.bytes && now.modified_ns == before.modified_ns &&
         now.inode == before.inode && now.device == before.device;
}

std::size_t read_block(RawBytes& file, std::vector<char>& block) {
  std::size_t filled = 0;
  while (filled < block.size()) {
    const std::size_t got = file.read(block.data() + filled, block.size() - filled);
    if (got == 0) {
      break;
    }
    filled += got;
  }
  return filled;
}

bool have_same_bytes(const std::string& first, const std::string& second) {
  constexpr std::size_t k_block = std::size_t{256} << 10;
  const auto a = open_raw_file(first);
  const auto b = open_raw_file(second);
  std::vector<char> block_a(k_block);
  std::vector<char> block_b(k_block);
  while (true) {
    const std::size_t got = read_block(*a, block_a);
    if (got != read_block(*b, block_b) || std::memcmp(block_a.data(), block_b.data(), got) != 0) {
      return false;
    }
    if (got == 0) {
      return true;
    }
  }
}

bool is_same_input(const KnownInput& a, const KnownInput& b) {
  const InputFingerprint& first = a.fingerprint;
  const InputFingerprint& second = b.fingerprint;
  const bool is_piped = first.from_stdin || second.from_stdin;  // whose size nobody noted
  if (!is_piped && first.bytes != second.bytes) {
    return false;
  }
  if (!is_piped && first.path == second.path && first.modified_ns == second.modified_ns &&
      first.inode == second.inode && first.device == second.device) {
    return true;
  }
  if (!is_piped && a.digest && b.digest) {
    return a.digest->xxh3 == b.digest->xxh3;
  }
  return is_unchanged(a) && is_unchanged(b) && have_same_bytes(a.path, b.path);
}

void check_same_inputs(const ComparedJob& a, const ComparedJob& b) {
  const std::size_t inputs = a.record.inputs.size();
  if (inputs != b.record.inputs.size()) {
    refuse_inputs(
        a,
        b,
        fmt::format(
            "{} and {}", count_noun(inputs, "file"), count_noun(b.record.inputs.size(), "file")));
  }
  const Manifest first(a.folder / "manifest.jsonl", Manifest::Access::read_only);
  const Manifest second(b.folder / "manifest.jsonl", Manifest::Access::read_only);
  for (std::size_t i = 0; i < inputs; ++i) {
    const KnownInput one = known_input(a, first, i);
    const KnownInput other = known_input(b, second, i);
    if (is_same_input(one, other)) {
      continue;
    }
    const std::string name = one_line(one.fingerprint.path, 200);
    refuse_inputs(a,
                  b,
                  one.fingerprint.path == other.fingerprint.path
                      ? fmt::format("{} has changed between them", name)
                      : fmt::format("{} is not {}", name, one_line(other.fingerprint.path, 200)));
  }
  const JobInputs inputs_a(a.record, a.folder.string());
  const JobInputs inputs_b(b.record, b.folder.string());
  if (inputs_a.open_again({})->columns() != inputs_b.open_again({})->columns()) {
    refuse_inputs(a, b, "they read other columns out of it");
  }
}

// What of a row's answers is compared.
class AnswerReader {
 public:
  // `form`: whose fields are compared; null: whole answers.
  AnswerReader(std::shared_ptr<const AnswerForm> form, bool exactly)
      : answers_(std::move(form)),
        exactly_(exactly) {}

  std::string comparable(const Outcome& outcome, bool compares_models) {
    if (!compares_models) {
      return exactly_ ? outcome.output : answers_.of(outcome.output);
    }
    std::string all;
    for (const StepOutcome& step : outcome.steps) {
      const std::string answer = exactly_ ? step.output : answers_.of(step.output);
      all += fmt::format("{} {}\n", answer.size(), answer);
    }
    return all;
  }

 private:
  ComparableAnswers answers_;
  bool exactly_;
};

// The answers of a row of which several models are asked, for people and to be shown in a table.
std::string answers_of_models(const std::vector<StepOutcome>& steps,
                              const std::vector<std::string>& models) {
  JsonWriter json;
  json.begin_object();
  for (const StepOutcome& step : steps) {
    json.key(models.at(step.step));
    step.failure == RowFailure::none ? json.string(step.output) : json.null();
  }
  return json.end_object().text();
}

bool has_fields(const std::shared_ptr<const AnswerForm>& form) {
  return form != nullptr && !form->columns().empty();
}

class Comparison {
 public:
  Comparison(const ComparedJob& a,
             const ComparedJob& b,
             bool exactly,
             const std::function<void(const ComparedRow&)>& differs)
      : a_(a),
        b_(b),
        models_(compared_models(a.record)),
        differs_(differs) {
    auto form_a = make_form(result_answer(a.record));
    auto form_b = make_form(result_answer(b.record));
    const bool by_fields = has_fields(form_a) && has_fields(form_b) &&
                           form_a->columns().size() == form_b->columns().size();
    reader_a_.emplace(by_fields ? std::move(form_a) : nullptr, exactly);
    reader_b_.emplace(by_fields ? std::move(form_b) : nullptr, exactly);
  }

  JobComparison compare() {
    std::set<std::uint64_t> shards;
    for (const auto& folder : {a_.folder, b_.folder}) {
      const auto found = Ledger::shards_in(folder);
      shards.insert(found.begin(), found.end());
    }
    for (const std::uint64_t number : shards) {
      RecordedOutcomes a(a_.folder, number);
      RecordedOutcomes b(b_.folder, number);
      for (std::uint64_t row = a.first_row(); row != a.end_row(); ++row) {
        compare_row(row, a, b);
      }
    }
    return std::move(result_);
  }

 private:
  void compare_row(std::uint64_t row, RecordedOutcomes& a, RecordedOutcomes& b) {
    const auto status_a = a.status(row);
    const auto status_b = b.status(row);
    if (!status_a && !status_b) {
      return;
    }
    const bool answered_a = status_a == RowStatus::ok;
    const bool answered_b = status_b == RowStatus::ok;
    if (!answered_a && !answered_b) {
      ++result_.neither;
      return;
    }
    auto outcome_a = status_a ? std::optional(a.read(row)) : std::nullopt;
    auto outcome_b = status_b ? std::optional(b.read(row)) : std::nullopt;
    for (auto* outcome : {&outcome_a, &outcome_b}) {
      if (*outcome && !models_.empty()) {
        (*outcome)->output = answers_of_models((*outcome)->steps, models_);
      }
    }
    if (answered_a && answered_b && is_same(*outcome_a, *outcome_b)) {
      ++result_.same;
      return;
    }
    ++(answered_a && answered_b ? result_.different : answered_a ? result_.only_a : result_.only_b);
    differs_({row, outcome_a ? &*outcome_a : nullptr, outcome_b ? &*outcome_b : nullptr});
  }

  bool is_same(const Outcome& outcome_a, const Outcome& outcome_b) {
    const bool compares = !models_.empty();
    const AnswerClass a{reader_a_->comparable(outcome_a, compares), outcome_a.output};
    const AnswerClass b{reader_b_->comparable(outcome_b, compares), outcome_b.output};
    result_.pairs.add(a, &b);
    return a.key == b.key;
  }

  const ComparedJob& a_;
  const ComparedJob& b_;
  std::vector<std::string> models_;  // empty: the jobs do not compare
  const std::function<void(const ComparedRow&)>& differs_;
  std::optional<AnswerReader> reader_a_;
  std::optional<AnswerReader> reader_b_;
  JobComparison result_;
};

}  // namespace

void check_comparable(const ComparedJob& a, const ComparedJob& b) {
  for (const ComparedJob* job : {&a, &b}) {
    if (job->record.settings.embedding.is_wanted) {
      throw Error(ErrorCode::usage,
                  fmt::format("{} made vectors, which are not compared", job->record.id));
    }
  }
  check_same_inputs(a, b);
}

namespace {

void check_same_models(const ComparedJob& a, const ComparedJob& b) {
  if (compared_models(a.record) == compared_models(b.record)) {
    return;
  }
  const auto& [compares, other] =
      a.record.compares ? std::tie(a.record, b.record) : std::tie(b.record, a.record);
  throw Error(ErrorCode::usage,
              fmt::format("{} compares the models {}; {} does not compare the same",
                          compares.id,
                          name_list(compared_models(compares)),
                          other.id),
              fmt::format("how its models agree: batchllm results show {}", compares.id));
}

}  // namespace

JobComparison compare_jobs(const ComparedJob& a,
                           const ComparedJob& b,
                           bool exactly,
                           const std::function<void(const ComparedRow&)>& differs) {
  check_same_models(a, b);
  return Comparison(a, b, exactly, differs).compare();
}

}  // namespace batchllm

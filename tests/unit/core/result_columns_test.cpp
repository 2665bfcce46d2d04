// SPDX-License-Identifier: Apache-2.0
#include "core/result_columns.h"

#include "tests/support/catch.h"
#include "tests/support/outcomes.h"

#include <memory>
#include <string>
#include <vector>

using namespace batchllm;

namespace {

std::vector<std::string> texts(const std::vector<NewCell>& cells) {
  std::vector<std::string> all;
  for (const NewCell& cell : cells) {
    all.push_back(cell.text.data() == nullptr ? "-" : std::string(cell.text));
  }
  return all;
}

using Texts = std::vector<std::string>;

ResultColumnSettings settings_of(const std::string& column, bool include_meta) {
  ResultColumnSettings settings;
  settings.output_column = column;
  settings.include_meta = include_meta;
  return settings;
}

// Of two steps; "-" for one that has no answer.
Outcome outcome_of_steps(const std::string& first, const std::string& second) {
  Outcome outcome = ok_outcome(0, second);
  for (const std::string& text : {first, second}) {
    StepOutcome step;
    step.step = static_cast<std::uint32_t>(outcome.steps.size());
    step.output = text;
    if (text == "-") {
      step.failure = RowFailure::refused;
      step.output = "half an answer";
      outcome.status = RowStatus::failed;
      outcome.failure = RowFailure::refused;
    }
    outcome.steps.push_back(step);
  }
  return outcome;
}

std::shared_ptr<const AnswerForm> form_of_label() {
  AnswerFormSettings settings;
  settings.schema =
      R"({"type":"object","properties":{"label":{"type":"string"},"n":{"type":"integer"}}})";
  return std::make_shared<const AnswerForm>(AnswerForm::compile(settings));
}

}  // namespace

TEST_CASE("the output alone, and the reason beside it when one is wanted", "[result_columns]") {
  ResultColumns plain(settings_of("label", false), false, {"text"});
  CHECK(plain.names() == Texts{"label"});
  CHECK(texts(plain.cells(ok_outcome(0, "praise"))) == Texts{"praise"});
  CHECK(texts(plain.cells(failed_outcome(0))) == Texts{"-"});
  ResultColumns with_error(settings_of("label", false), true, {"text"});
  CHECK(with_error.names() == Texts{"label", "error"});
  CHECK(texts(with_error.cells(ok_outcome(0, ""))) == Texts{"", "-"});
  CHECK(texts(with_error.cells(failed_outcome(0))) == Texts{"-", "bad_request: because"});
  Outcome silent = failed_outcome(0, RowFailure::timeout);
  silent.message.clear();
  CHECK(texts(with_error.cells(silent)) == Texts{"-", "timeout"});
}

TEST_CASE("meta columns hold numbers as numbers", "[result_columns]") {
  ResultColumns columns(settings_of("output", true), false, {});
  CHECK(columns.names() == Texts{"output",
                                 "status",
                                 "error",
                                 "input_tokens",
                                 "output_tokens",
                                 "cost_usd",
                                 "latency_ms",
                                 "attempts"});
  Outcome outcome = ok_outcome(0, "a");
  outcome.cost_micro_usd = 1'000'021;
  outcome.latency_ms = 40;
  CHECK(texts(columns.cells(outcome)) == Texts{"a", "ok", "-", "10", "2", "1.000021", "40", "1"});
  CHECK(columns.cells(outcome)[3].kind == CellKind::json);
  outcome.cost_micro_usd.reset();
  CHECK(texts(columns.cells(outcome))[5] == "-");
  CHECK(texts(columns.cells(failed_outcome(0)))[1] == "failed");
}

TEST_CASE("a name that the input has already gets the output column's before it",
          "[result_columns]") {
  const ResultColumns columns(settings_of("label", true), true, {"status", "text", "error"});
  CHECK(columns.names()[1] == "label_status");
  CHECK(columns.names()[2] == "label_error");
  CHECK(columns.names()[3] == "input_tokens");
}

TEST_CASE("a partial answer of a failed row is no output", "[result_columns]") {
  ResultColumns columns({}, true, {});
  Outcome cut = failed_outcome(0, RowFailure::truncated);
  cut.output = "half an ans";
  CHECK(texts(columns.cells(cut)) == Texts{"-", "truncated: because"});
}

TEST_CASE("the answers of steps stand beside the row's", "[result_columns]") {
  ResultColumnSettings settings;
  settings.steps = {{0, "steps.sort", form_of_label()}, {1, "steps.2", nullptr}};
  ResultColumns columns(settings, true, {"steps.2"});
  CHECK(columns.names() ==
        Texts{"output", "steps.sort.label", "steps.sort.n", "output_steps.2", "error"});
  CHECK(texts(columns.cells(outcome_of_steps(R"({"label":"bug","n":5})", "b"))) ==
        Texts{"b", "bug", "5", "b", "-"});
  Outcome failed = outcome_of_steps(R"({"label":"bug","n":5})", "-");
  CHECK(texts(columns.cells(failed)) == Texts{"-", "bug", "5", "-", "refused"});
  failed.steps.clear();
  CHECK(texts(columns.cells(failed)) == Texts{"-", "-", "-", "-", "refused"});
}

TEST_CASE("models that are compared have a column each, and whether they agree",
          "[result_columns]") {
  ResultColumnSettings settings;
  settings.compares = true;
  settings.steps = {{0, "openai/a", nullptr}, {1, "openai/b", nullptr}};
  ResultColumns columns(settings, false, {"text"});
  CHECK(columns.names() == Texts{"openai/a", "openai/b", "agrees"});
  CHECK(texts(columns.cells(outcome_of_steps("Bug.", "bug"))) == Texts{"Bug.", "bug", "true"});
  CHECK(texts(columns.cells(outcome_of_steps("bug", "praise"))) == Texts{"bug", "praise", "false"});
  CHECK(texts(columns.cells(outcome_of_steps("bug", "-"))) == Texts{"bug", "-", "-"});
  CHECK(columns.cells(outcome_of_steps("bug", "bug")).back().kind == CellKind::json);
}

TEST_CASE("answers with fields agree when each field does", "[result_columns]") {
  ResultColumnSettings settings;
  settings.compares = true;
  settings.steps = {{0, "a", form_of_label()}, {1, "b", form_of_label()}};
  ResultColumns columns(settings, false, {});
  CHECK(columns.names() == Texts{"a.label", "a.n", "b.label", "b.n", "agrees"});
  CHECK(texts(columns.cells(
            outcome_of_steps(R"({"label":"Bug","n":5})", R"({"n":5,"label":"bug"})"))) ==
        Texts{"Bug", "5", "bug", "5", "true"});
  CHECK(texts(columns.cells(outcome_of_steps(R"({"label":"bug","n":5})", R"({"label":"bug"})"))) ==
        Texts{"bug", "5", "bug", "-", "false"});
}

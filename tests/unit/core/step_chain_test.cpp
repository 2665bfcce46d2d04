// SPDX-License-Identifier: Apache-2.0
#include "core/step_chain.h"

#include "core/packed_row.h"
#include "tests/support/catch.h"
#include "tests/support/row_step_encoder.h"
#include "tests/support/test_rows.h"

#include <string>
#include <utility>
#include <vector>

using namespace batchllm;

namespace {

ChainStep step_of(std::string name, RowEncoder* encoder = nullptr) {
  ChainStep step;
  step.names.name = std::move(name);
  step.encoder = encoder;
  return step;
}

// A row of the columns "id" and "text", as it waits for the answer to its first step.
RowTask first_asked(const char* id, const TestCell& text) {
  const TestRows rows({{id, text}});
  RowTask task;
  pack_row(rows.batch(), 0, task.record);
  task.place.row_index = 41;
  return task;
}

const std::vector<std::string> k_columns = {"id", "text"};

// The step at which the row is has that answer. True: the row goes on.
bool answer(StepChain& chain, RowTask& task, const std::string& text) {
  StepAnswer given;
  given.step = task.step;
  given.text = text;
  given.usage.input_tokens = 10;
  chain.note(task, given);
  return chain.go_on(task);
}

// It has failed for good.
bool fail(StepChain& chain, RowTask& task, const std::string& why) {
  StepAnswer failed;
  failed.step = task.step;
  failed.failure = RowFailure::refused;
  failed.is_final = true;
  failed.message = why;
  chain.note(task, failed);
  return chain.go_on(task);
}

}  // namespace

TEST_CASE("a later step sees the row and the answers before it", "[step_chain]") {
  RowStepEncoder second({"text", "steps.1.output"});
  RowStepEncoder third({"steps.first.output", "steps.second.output", "steps.2.output", "id"});
  StepChain chain({step_of("first"), step_of("second", &second), step_of("3", &third)}, k_columns);
  RowTask task = first_asked("7", "a cell");
  task.reasked = 2;
  CHECK(answer(chain, task, "one"));
  CHECK(task.step == 1);
  CHECK(task.reasked == 0);  // that was said of the first step's answer
  CHECK(task.body == "a cell/one");
  CHECK(answer(chain, task, "two"));
  CHECK(task.step == 2);
  CHECK(task.body == "one/two/two/7");
  CHECK_FALSE(answer(chain, task, "three"));
  CHECK(task.step == 2);
  CHECK(task.place.row_index == 41);
}

TEST_CASE("a step that does not match is left out, and later ones see no answer of it",
          "[step_chain]") {
  RowStepEncoder second({"text"}, "needle");
  RowStepEncoder third({"steps.2.output", "steps.1.output"});
  StepChain chain({step_of("1"), step_of("2", &second), step_of("3", &third)}, k_columns);
  RowTask task = first_asked("7", "hay");
  CHECK(answer(chain, task, "one"));
  CHECK(task.step == 2);
  CHECK(task.body == "(null)/one");

  RowTask other = first_asked("8", "a needle");
  CHECK(answer(chain, other, "one"));
  CHECK(other.step == 1);
}

TEST_CASE("a row ends with the last step that it matches", "[step_chain]") {
  RowStepEncoder second({"text"}, "needle");
  StepChain chain({step_of("1"), step_of("2", &second)}, k_columns);
  RowTask task = first_asked("7", "hay");
  task.body = "asked";
  CHECK_FALSE(answer(chain, task, "one"));
  CHECK(task.step == 0);
  CHECK(task.body == "asked");
}

TEST_CASE("a condition may speak of an answer", "[step_chain]") {
  RowStepEncoder second({"steps.1.output"}, "yes");
  StepChain chain({step_of("1"), step_of("2", &second)}, k_columns);
  RowTask agreed = first_asked("7", "x");
  CHECK(answer(chain, agreed, "yes, it is"));
  RowTask denied = first_asked("8", "x");
  CHECK_FALSE(answer(chain, denied, "no"));
}

TEST_CASE("the fields of an answer are cells with their kinds", "[step_chain]") {
  AnswerFormSettings settings;
  settings.schema =
      R"({"type":"object","properties":{"label":{"type":"string"},"sure":{"type":"number"}}})";
  const AnswerForm form = AnswerForm::compile(settings);
  ChainStep first = step_of("sort");
  first.names.fields = {"label", "sure"};
  first.form = &form;
  RowStepEncoder second(
      {"steps.sort.label", "steps.1.sure", "steps.sort.output", "steps.1.label", "text"});
  StepChain chain({first, step_of("2", &second)}, k_columns);
  RowTask task = first_asked("7", TestCell::json("[1]"));
  CHECK(answer(chain, task, R"({"label":"bug","sure":0.5})"));
  CHECK(task.body == R"(bug/0.5:json/{"label":"bug","sure":0.5}/bug/[1]:json)");

  RowTask without = first_asked("8", "x");
  CHECK(answer(chain, without, R"({"sure":1})"));
  CHECK(without.body == R"((null)/1:json/{"sure":1}/(null)/x)");
}

TEST_CASE("answers of one row are not seen by the next", "[step_chain]") {
  RowStepEncoder second({"steps.1.output"});
  RowStepEncoder third({"steps.1.output", "steps.2.output"});
  StepChain chain({step_of("1"), step_of("2", &second), step_of("3", &third)}, k_columns);
  RowTask one = first_asked("1", "x");
  RowTask two = first_asked("2", "y");
  CHECK(answer(chain, one, "a"));
  CHECK(answer(chain, two, "b"));
  CHECK(answer(chain, one, "c"));
  CHECK(answer(chain, two, "d"));
  CHECK(one.body == "a/c");
  CHECK(two.body == "b/d");
}

TEST_CASE("a price is known when every step has one", "[step_chain]") {
  RowStepEncoder second({"text"});
  ChainStep first = step_of("1");
  ChainStep later = step_of("2", &second);
  first.price = Price{};
  CHECK_FALSE(StepChain({first, later}, k_columns).price_is_known());
  later.price = Price{};
  CHECK(StepChain({first, later}, k_columns).price_is_known());
}

TEST_CASE("rows can do without a lane whose steps may all be left out", "[step_chain]") {
  RowStepEncoder second({"text"});
  RowStepEncoder third({"text"});
  ChainStep one = step_of("1");
  ChainStep two = step_of("2", &second);
  ChainStep three = step_of("3", &third);
  two.lane = 1;
  two.may_be_left_out = true;
  three.lane = 2;
  const StepChain chain({one, two, three}, k_columns);
  CHECK_FALSE(chain.can_do_without(0));
  CHECK(chain.can_do_without(1));
  CHECK_FALSE(chain.can_do_without(2));
  three.lane = 1;
  CHECK_FALSE(StepChain({one, two, three}, k_columns).can_do_without(1));
}

TEST_CASE("models that are compared are asked one by one, whatever became of the others",
          "[step_chain]") {
  RowStepEncoder second({"text"});
  RowStepEncoder third({"id"});
  StepChain chain(
      {step_of("a"), step_of("b", &second), step_of("c", &third)}, k_columns, StepKind::compared);
  RowTask task = first_asked("7", "x");
  CHECK(fail(chain, task, "no"));
  CHECK(task.body == "x");
  CHECK(answer(chain, task, "from b"));
  CHECK(task.body == "7");
  CHECK(StepChain::has_failed_step(task));
  CHECK_FALSE(fail(chain, task, "never"));
  Outcome outcome;
  chain.complete(task, outcome);
  CHECK(outcome.status == RowStatus::failed);
  CHECK(outcome.failure == RowFailure::refused);
  CHECK(outcome.message == "a: no; c: refused: never");
  REQUIRE(outcome.steps.size() == 3);
  CHECK(outcome.steps[1].output == "from b");
  CHECK(outcome.steps[1].usage.input_tokens == 10);
}

TEST_CASE("of compared models only those are asked that have not answered", "[step_chain]") {
  RowStepEncoder second({"text"});
  RowStepEncoder third({"id"});
  StepChain chain(
      {step_of("a"), step_of("b", &second), step_of("c", &third)}, k_columns, StepKind::compared);
  RowTask task = first_asked("7", "x");
  StepAnswer earlier;
  earlier.step = 2;
  earlier.text = "from c";
  chain.note(task, earlier);
  CHECK(answer(chain, task, "from a"));
  CHECK(task.step == 1);
  CHECK_FALSE(answer(chain, task, "from b"));
  Outcome outcome;
  outcome.output = "from b";
  chain.complete(task, outcome);
  CHECK(outcome.status == RowStatus::ok);
  CHECK(outcome.output.empty());
  REQUIRE(outcome.steps.size() == 3);
  CHECK(outcome.steps[2].output == "from c");
}

TEST_CASE("what answers without their form have cost is their step's", "[step_chain]") {
  RowStepEncoder second({"text"});
  StepChain chain({step_of("a"), step_of("b", &second)}, k_columns, StepKind::compared);
  RowTask task = first_asked("7", "x");
  StepAnswer invalid;
  invalid.failure = RowFailure::invalid_answer;
  invalid.usage.input_tokens = 5;
  invalid.cost_micro_usd = 3;
  chain.note(task, invalid);
  CHECK_FALSE(task.steps[0].is_done);
  CHECK(answer(chain, task, "right"));
  Outcome outcome;
  chain.complete(task, outcome);
  REQUIRE(outcome.steps.size() == 1);
  CHECK(outcome.steps[0].usage.input_tokens == 15);
  CHECK(outcome.steps[0].cost_micro_usd == 3);
}

TEST_CASE("the answers of a chain are with the row's outcome when they are wanted",
          "[step_chain]") {
  RowStepEncoder second({"text"}, "needle");
  RowStepEncoder third({"text"});
  StepChain chain({step_of("1"), step_of("2", &second), step_of("3", &third)},
                  k_columns,
                  StepKind::chained,
                  true);
  RowTask task = first_asked("7", "hay");
  CHECK(answer(chain, task, "one"));
  CHECK_FALSE(answer(chain, task, "three"));
  Outcome outcome;
  outcome.output = "three";
  chain.complete(task, outcome);
  CHECK(outcome.output == "three");
  REQUIRE(outcome.steps.size() == 2);
  CHECK(outcome.steps[0].output == "one");
  CHECK(outcome.steps[1].step == 2);
}

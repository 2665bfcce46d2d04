// SPDX-License-Identifier: Apache-2.0
#include "core/result_columns.h"

#include "tests/support/catch.h"
#include "tests/support/outcomes.h"

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

}  // namespace

TEST_CASE("the output alone, and the reason beside it when one is wanted", "[result_columns]") {
  ResultColumns plain("label", nullptr, false, false, {"text"});
  CHECK(plain.names() == Texts{"label"});
  CHECK(texts(plain.cells(ok_outcome(0, "praise"))) == Texts{"praise"});
  CHECK(texts(plain.cells(failed_outcome(0))) == Texts{"-"});
  ResultColumns with_error("label", nullptr, false, true, {"text"});
  CHECK(with_error.names() == Texts{"label", "error"});
  CHECK(texts(with_error.cells(ok_outcome(0, ""))) == Texts{"", "-"});
  CHECK(texts(with_error.cells(failed_outcome(0))) == Texts{"-", "bad_request: because"});
  Outcome silent = failed_outcome(0, RowFailure::timeout);
  silent.message.clear();
  CHECK(texts(with_error.cells(silent)) == Texts{"-", "timeout"});
}

TEST_CASE("meta columns hold numbers as numbers", "[result_columns]") {
  ResultColumns columns("output", nullptr, true, false, {});
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
  const ResultColumns columns("label", nullptr, true, true, {"status", "text", "error"});
  CHECK(columns.names()[1] == "label_status");
  CHECK(columns.names()[2] == "label_error");
  CHECK(columns.names()[3] == "input_tokens");
}

TEST_CASE("a partial answer of a failed row is no output", "[result_columns]") {
  ResultColumns columns("output", nullptr, false, true, {});
  Outcome cut = failed_outcome(0, RowFailure::truncated);
  cut.output = "half an ans";
  CHECK(texts(columns.cells(cut)) == Texts{"-", "truncated: because"});
}

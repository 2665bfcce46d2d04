// SPDX-License-Identifier: Apache-2.0
#include "core/agreement_counts.h"

#include "tests/support/catch.h"

#include <string>
#include <vector>

using namespace batchllm;

namespace {

// "-" is no answer.
void add(AgreementCounts& counts, const std::vector<std::string>& answers, int times = 1) {
  std::vector<std::optional<AnswerClass>> classes;
  for (const std::string& answer : answers) {
    classes.push_back(answer == "-" ? std::nullopt : std::optional(AnswerClass{answer, answer}));
  }
  for (int i = 0; i < times; ++i) {
    counts.add(classes);
  }
}

}  // namespace

TEST_CASE("a row agrees when all have the same answer, and counts when all have one",
          "[agreement]") {
  AgreementCounts counts(3);
  CHECK_FALSE(counts.share());
  add(counts, {"a", "a", "a"}, 2);
  add(counts, {"a", "a", "b"});
  add(counts, {"a", "b", "c"});
  add(counts, {"a", "a", "-"}, 5);
  CHECK(counts.rows() == 4);
  CHECK(counts.same() == 2);
  CHECK(counts.share() == 0.5);
}

TEST_CASE("two are compared where both have an answer, whatever the others have", "[agreement]") {
  AgreementCounts counts(4);
  add(counts, {"a", "a", "-", "b"}, 3);
  add(counts, {"a", "b", "b", "b"}, 1);
  add(counts, {"-", "-", "-", "c"}, 7);
  CHECK(counts.pair(0, 1).rows() == 4);
  CHECK(counts.pair(0, 1).right() == 3);
  CHECK(counts.pair(0, 2).rows() == 1);
  CHECK(counts.pair(0, 2).right() == 0);
  CHECK(counts.pair(0, 3).rows() == 4);
  CHECK(counts.pair(0, 3).right() == 0);
  CHECK(counts.pair(1, 2).right() == 1);
  CHECK(counts.pair(1, 3).right() == 1);
  CHECK(counts.pair(2, 3).rows() == 1);
  CHECK(counts.pair(2, 3).right() == 1);
}

TEST_CASE("kappa is what is known of a table of pairs", "[agreement]") {
  // 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: observed 0.7, by chance 0.5.
  AgreementCounts counts(2);
  add(counts, {"yes", "yes"}, 20);
  add(counts, {"yes", "no"}, 5);
  add(counts, {"no", "yes"}, 10);
  add(counts, {"no", "no"}, 15);
  CHECK(counts.share() == 0.7);
  REQUIRE(counts.pair(0, 1).kappa());
  CHECK_THAT(*counts.pair(0, 1).kappa(), Catch::Matchers::WithinAbs(0.4, 1e-9));
}

TEST_CASE("with more different answers than are told apart there is no kappa", "[agreement]") {
  AgreementCounts counts(2);
  for (std::size_t i = 0; i <= AgreementCounts::k_most_classes; ++i) {
    add(counts, {std::to_string(i), std::to_string(i)});
  }
  CHECK_FALSE(counts.pair(0, 1).kappa());
  CHECK(counts.share() == 1.0);
}

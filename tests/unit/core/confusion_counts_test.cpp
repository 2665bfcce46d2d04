// SPDX-License-Identifier: Apache-2.0
#include "core/confusion_counts.h"

#include "tests/support/catch.h"

#include <string>

using namespace batchllm;

namespace {

void add(ConfusionCounts& counts,
         const std::string& expected,
         const std::string& answered,
         int times = 1) {
  const AnswerClass answer{answered, answered};
  for (int i = 0; i < times; ++i) {
    counts.add({expected, expected}, &answer);
  }
}

void add_unanswered(ConfusionCounts& counts, const std::string& expected) {
  counts.add({expected, expected}, nullptr);
}

}  // namespace

TEST_CASE("precision, recall and f1 of each class follow from the pairs", "[confusion]") {
  ConfusionCounts counts;
  add(counts, "bug", "bug", 3);
  add(counts, "bug", "praise", 1);
  add(counts, "praise", "praise", 2);
  add(counts, "praise", "question", 1);
  add_unanswered(counts, "bug");
  CHECK(counts.rows() == 8);
  CHECK(counts.right() == 5);
  CHECK(counts.unanswered() == 1);
  CHECK(counts.accuracy() == 5.0 / 8);
  const auto order = counts.by_support();
  REQUIRE(order.size() == 3);
  const ClassCounts& bug = counts.classes()[order[0]];
  CHECK(bug.name == "bug");
  CHECK(bug.expected == 5);
  CHECK(bug.precision() == 1.0);
  CHECK(bug.recall() == 3.0 / 5);
  CHECK(bug.f1() == 6.0 / 8);
  const ClassCounts& praise = counts.classes()[order[1]];
  CHECK(praise.precision() == 2.0 / 3);
  CHECK(praise.recall() == 2.0 / 3);
  CHECK(praise.f1() == 4.0 / 6);
  const ClassCounts& question = counts.classes()[order[2]];
  CHECK(question.precision() == 0.0);
  CHECK_FALSE(question.recall());
  CHECK(question.f1() == 0.0);
  CHECK(counts.count(order[0], order[1]) == 1);
  CHECK(counts.count(order[1], order[0]) == 0);
  CHECK(counts.count(order[0], ConfusionCounts::k_no_answer) == 1);
  CHECK_THAT(counts.macro().precision, Catch::Matchers::WithinAbs((1 + 2.0 / 3) / 3, 1e-12));
  CHECK_THAT(counts.macro().recall, Catch::Matchers::WithinAbs((0.6 + 2.0 / 3) / 3, 1e-12));
  CHECK_THAT(counts.macro().f1, Catch::Matchers::WithinAbs((0.75 + 2.0 / 3) / 3, 1e-12));
}

TEST_CASE("kappa is the agreement beyond chance", "[confusion]") {
  // 20 both yes, 5 yes/no, 10 no/yes, 15 both no: agreement 0.7, by chance 0.5, kappa 0.4.
  ConfusionCounts counts;
  add(counts, "yes", "yes", 20);
  add(counts, "yes", "no", 5);
  add(counts, "no", "yes", 10);
  add(counts, "no", "no", 15);
  REQUIRE(counts.kappa());
  CHECK_THAT(*counts.kappa(), Catch::Matchers::WithinAbs(0.4, 1e-12));
  add_unanswered(counts, "yes");  // is not among the answered
  CHECK_THAT(*counts.kappa(), Catch::Matchers::WithinAbs(0.4, 1e-12));
}

TEST_CASE("kappa is not told where it says nothing", "[confusion]") {
  ConfusionCounts none;
  CHECK_FALSE(none.kappa());
  CHECK_FALSE(none.accuracy());
  ConfusionCounts one_class;
  add(one_class, "yes", "yes", 7);
  CHECK_FALSE(one_class.kappa());
  ConfusionCounts many(2);
  add(many, "a", "b");
  CHECK(many.kappa());
  add(many, "c", "a");
  CHECK_FALSE(many.kappa());
}

TEST_CASE("beyond the most classes rows are other and still right or wrong", "[confusion]") {
  ConfusionCounts counts(2);
  add(counts, "a", "b");
  add(counts, "c", "c");
  add(counts, "c", "d");
  add(counts, "a", "c");
  CHECK(counts.has_other());
  CHECK(counts.classes().size() == 2);
  CHECK(counts.right() == 1);
  CHECK(counts.count(ConfusionCounts::k_other, ConfusionCounts::k_other) == 2);
  CHECK(counts.count(0, ConfusionCounts::k_other) == 1);
}

TEST_CASE("a class has the name that it was expected by, and long ones are told apart",
          "[confusion]") {
  ConfusionCounts counts;
  const AnswerClass sloppy{"bug", "**bug.**"};
  counts.add({"praise", "praise"}, &sloppy);
  counts.add({"bug", "Bug"}, &sloppy);
  CHECK(counts.classes()[1].name == "Bug");
  const std::string text(100'000, 'x');
  add(counts, text + "1", text + "2");
  add(counts, text + "1", text + "1");
  CHECK(counts.classes().size() == 4);
  CHECK(counts.right() == 2);
  CHECK(counts.classes()[2].name.size() < 1000);
}

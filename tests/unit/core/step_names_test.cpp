// SPDX-License-Identifier: Apache-2.0
#include "core/step_names.h"

#include "tests/support/catch.h"
#include "tests/support/thrown_error.h"

using namespace batchllm;

using List = std::vector<std::string>;

TEST_CASE("answers of steps are columns by name and by number", "[steps]") {
  CHECK(step_columns(StepNames{"1", {}}, 0) == List{"steps.1.output"});
  CHECK(step_columns(StepNames{"sort", {"label"}}, 1) ==
        List{"steps.sort.output", "steps.sort.label", "steps.2.output", "steps.2.label"});
}

TEST_CASE("a step reads only steps before it", "[steps]") {
  const std::vector<StepNames> steps = {{"first", {}}, {"2", {"a"}}, {"last", {}}};
  CHECK_NOTHROW(check_step_columns(steps, 1, {"text", "steps.first.output", "steps.1.output"}));
  CHECK_NOTHROW(check_step_columns(steps, 2, {"steps.2.a"}));
  const auto own = thrown_error([&] { check_step_columns(steps, 1, {"steps.2.a"}); });
  REQUIRE(own);
  CHECK(own->code() == ErrorCode::template_invalid);
  CHECK_THAT(own->message(), ContainsSubstring("cannot read its own answer"));
  const auto later = thrown_error([&] { check_step_columns(steps, 0, {"steps.3.output"}); });
  REQUIRE(later);
  CHECK_THAT(later->message(), ContainsSubstring("step last comes later"));
}

TEST_CASE("names of steps are words", "[steps]") {
  CHECK(is_step_name("first"));
  CHECK(is_step_name("größe_2-b"));
  for (const char* name : {"", "2nd", "a b", "a.b", "a[0]", "-a"}) {
    CAPTURE(name);
    CHECK_FALSE(is_step_name(name));
  }
}

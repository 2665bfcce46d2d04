// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/fault.h"

#include "core/error.h"
#include "tests/support/catch.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace batchllm::simulator;

TEST_CASE("the option --fault is read in every spelling", "[simulator]") {
  struct Case {
    std::string_view text;
    FaultKind kind;
    int status;
    double probability;
    std::int64_t delay_ms;
    std::uint32_t first;
  };

  const auto& c = GENERATE(values<Case>({
      {"500:1%", FaultKind::status, 500, 0.01, 0, UINT32_MAX},
      {"reset:0.005", FaultKind::reset, 0, 0.005, 0, UINT32_MAX},
      {"slow:0.1%", FaultKind::slow, 0, 0.001, 30'000, UINT32_MAX},
      {"slow:1:45s", FaultKind::slow, 0, 1, 45'000, UINT32_MAX},
      {"slow:1:45s:once", FaultKind::slow, 0, 1, 45'000, 1},
      {"503:100%:once", FaultKind::status, 503, 1, 0, 1},
      {"429:1:first=2", FaultKind::status, 429, 1, 0, 2},
  }));
  CAPTURE(c.text);
  const FaultRule rule = parse_fault(c.text);
  CHECK(rule.kind == c.kind);
  CHECK(rule.status == c.status);
  CHECK(rule.probability == Approx(c.probability));
  CHECK(rule.delay_ms == c.delay_ms);
  CHECK(rule.first == c.first);
}

TEST_CASE("a wrong --fault is refused", "[simulator]") {
  const auto text = GENERATE(values<std::string_view>({"",
                                                       "500",
                                                       "200:1%",
                                                       "600:1%",
                                                       "rest:1%",
                                                       "reset:2",
                                                       "reset:101%",
                                                       "reset:-1",
                                                       "reset:x",
                                                       "reset:1:45s",
                                                       "500:1:first=0",
                                                       "500:1:twice"}));
  CAPTURE(text);
  CHECK_THROWS_AS(parse_fault(text), batchllm::Error);
}

TEST_CASE("a mistyped fault is told its likely name", "[simulator]") {
  try {
    static_cast<void>(parse_fault("rest:1%"));
    FAIL("accepted");
  } catch (const batchllm::Error& error) {
    CHECK_THAT(error.message(), ContainsSubstring("did you mean reset?"));
  }
}

TEST_CASE("faults come as often as asked, and equally for equal requests", "[simulator]") {
  const std::vector<FaultRule> rules = {parse_fault("500:10%"), parse_fault("reset:20%")};
  int errors = 0;
  int resets = 0;
  for (std::uint64_t identity = 0; identity < 20'000; ++identity) {
    const FaultRule* fault = draw_fault(rules, 1, identity, 0);
    CHECK(fault == draw_fault(rules, 1, identity, 0));
    errors += fault == &rules[0] ? 1 : 0;
    resets += fault == &rules[1] ? 1 : 0;
  }
  CHECK(errors == Approx(2000).epsilon(0.1));
  CHECK(resets == Approx(4000).epsilon(0.1));
}

TEST_CASE("a fault marked once spares the second attempt", "[simulator]") {
  const std::vector<FaultRule> rules = {parse_fault("500:100%:once")};
  for (std::uint64_t identity = 0; identity < 100; ++identity) {
    CHECK(draw_fault(rules, 0, identity, 0) != nullptr);
    CHECK(draw_fault(rules, 0, identity, 1) == nullptr);
  }
}

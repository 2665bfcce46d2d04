// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/latency.h"

#include "core/error.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

using batchllm::Error;
using batchllm::simulator::Latency;

TEST_CASE("without --latency there is no wait", "[simulator]") {
  CHECK(Latency().is_none());
  CHECK(Latency().draw_us(7) == 0);
}

TEST_CASE("a distribution's median lies where its text says", "[simulator]") {
  struct Case {
    std::string_view text;
    std::int64_t median_us;
    std::int64_t least_us;
    std::int64_t most_us;
  };

  const auto& c = GENERATE(values<Case>({
      {"300ms", 300'000, 300'000, 300'000},
      {"fixed:2s", 2'000'000, 2'000'000, 2'000'000},
      {"uniform:200ms,1500ms", 850'000, 200'000, 1'500'000},
      {"exponential:400ms", 277'000, 0, 600'000'000},
      {"lognormal:400ms,0.5", 400'000, 0, 600'000'000},
  }));
  CAPTURE(c.text);
  const Latency latency = Latency::parse(c.text);
  std::vector<std::int64_t> draws;
  for (std::uint64_t i = 0; i < 10'001; ++i) {
    draws.push_back(latency.draw_us(i));
  }
  std::sort(draws.begin(), draws.end());
  CHECK(draws.front() >= c.least_us);
  CHECK(draws.back() <= c.most_us);
  CHECK(draws[5000] == Approx(c.median_us).epsilon(0.05));
  CHECK(latency.draw_us(42) == Latency::parse(c.text).draw_us(42));
}

TEST_CASE("a wrong --latency is refused", "[simulator]") {
  const auto text = GENERATE(values<std::string_view>({"",
                                                       "soon",
                                                       "fixed:",
                                                       "uniform:1s",
                                                       "uniform:2s,1s",
                                                       "gauss:1s,2",
                                                       "lognormal:1s,x",
                                                       "lognormal:1s,-1",
                                                       "fixed:1s,2s",
                                                       "-3s"}));
  CAPTURE(text);
  CHECK_THROWS_AS(Latency::parse(text), Error);
}

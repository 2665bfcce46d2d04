// SPDX-License-Identifier: Apache-2.0
// The engine when the steps of a row are asked at two addresses, over servers that answer by a
// script.
#include "core/engine.h"
#include "tests/support/catch.h"
#include "tests/support/engine_job.h"
#include "tests/support/outcomes.h"
#include "tests/support/plain_provider.h"
#include "tests/support/row_step_encoder.h"
#include "tests/support/scripted_transport.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <utility>
#include <vector>

using namespace batchllm;

namespace {

using Script = ScriptedTransport::Script;
using Lines = std::vector<std::string>;

constexpr std::int64_t k_an_hour_ms = 3'600'000;

// Time goes by as often as it is asked for, and never back.
class HastyClock final : public Clock {
 public:
  TimePoint now() const override {
    return std::chrono::steady_clock::now() + Milliseconds(3000) * asked_++;
  }

  std::int64_t wall_ms() const override { return 0; }

 private:
  mutable std::atomic<int> asked_{0};
};

// What the second step asks: the answer to the first.
bool is_second(const std::string& body) {
  return body.starts_with("re: ");
}

ScriptedAnswer echo(const std::string& body) {
  return {200, "re: " + body, TransportFailure::none, std::nullopt, 0};
}

ScriptedAnswer refusing_for_an_hour() {
  return {429, "rate_limited", TransportFailure::none, k_an_hour_ms, 0};
}

ScriptedAnswer unreachable() {
  return {0, "", TransportFailure::not_connected, std::nullopt, 0};
}

// A job of two steps in a folder: "a" is asked at the first address, then "re: a" at the second, if
// that holds `needle`. Each run() is a process that takes it up where it stands.
class Job : public EngineJob {
 public:
  explicit Job(Lines rows, std::string needle = {})
      : EngineJob(std::move(rows)),
        needle_(std::move(needle)) {
    settings.other_lanes.push_back(settings.lane);
    settings.dispatcher.drain = Milliseconds(5000);
  }

  EngineResult run(const Script& script, const Clock& clock = SystemClock()) {
    ScriptedTransport transport(script);
    RowStepEncoder second({"steps.1.output"}, needle_);
    PlainProvider provider;
    StepChain chain({step(provider, nullptr), step(provider, &second)}, {"text"});
    settings.dispatcher.steps = &chain;
    const EngineResult result = run_over(transport, provider, clock);
    sent = transport.sent;
    sent_to = transport.sent_to;
    most_in_flight_to = transport.most_in_flight_to;
    return result;
  }

  Lines sent;
  std::vector<std::size_t> sent_to;
  std::map<std::size_t, std::size_t> most_in_flight_to;

 private:
  ChainStep step(Provider& provider, RowEncoder* encoder) const {
    ChainStep step;
    step.names.name = encoder == nullptr ? "first" : "second";
    step.provider = &provider;
    step.encoder = encoder;
    step.lane = encoder == nullptr ? 0 : 1;
    step.may_be_left_out = !needle_.empty();
    step.endpoint = encoder == nullptr ? "http://one" : "http://two";
    step.provider_name = encoder == nullptr ? "One" : "Two";
    return step;
  }

  std::string needle_;
};

Lines numbered(std::size_t rows) {
  Lines lines;
  for (std::size_t i = 0; i < rows; ++i) {
    lines.push_back(std::to_string(i));
  }
  return lines;
}

}  // namespace

TEST_CASE("each step is asked at its own address, within its own limit", "[engine][steps]") {
  Job job(numbered(300));
  job.settings.lane.concurrency = 8;
  job.settings.other_lanes[0].concurrency = 3;
  const auto result =
      job.run([](const std::string& body, std::size_t /*number*/) { return echo(body); });
  CHECK(result.result_complete);
  CHECK(result.requests == 600);
  CHECK(job.most_in_flight_to == std::map<std::size_t, std::size_t>{{0, 8}, {1, 3}});
  for (std::size_t i = 0; i < job.sent.size(); ++i) {
    CHECK(job.sent_to[i] == (is_second(job.sent[i]) ? 1 : 0));
  }
  CHECK(job.outcomes().at(299).output == "re: re: 299");
}

TEST_CASE("a provider that asks for a pause does not stop the rows of another", "[engine][steps]") {
  constexpr std::size_t k_rows = 500;
  Job job(numbered(k_rows));
  std::size_t refused = 0;
  std::size_t asked = 0;
  job.run([&](const std::string& body, std::size_t /*number*/) {
    if (is_second(body)) {
      ++refused;
      return refusing_for_an_hour();
    }
    if (++asked == k_rows) {
      job.interrupt();
    }
    return echo(body);
  });
  CHECK(asked == k_rows);
  CHECK(refused <= static_cast<std::size_t>(job.settings.other_lanes[0].concurrency));
  REQUIRE(job.error);
  CHECK(job.error->code() == ErrorCode::interrupted);
  // What was answered is not asked again.
  CHECK(job.run([&](const std::string& body, std::size_t /*number*/) { return echo(body); })
            .result_complete);
  CHECK(job.sent.size() == k_rows);
  CHECK(std::all_of(job.sent.begin(), job.sent.end(), &is_second));
}

TEST_CASE("rows do not pile up without bound before a slow step", "[engine][steps]") {
  constexpr std::size_t k_rows = 12'000;
  Job job(numbered(k_rows));
  job.settings.other_lanes[0].concurrency = 1;
  std::size_t asked = 0;
  std::size_t passed_on = 0;
  std::size_t most_between = 0;
  const auto result = job.run([&](const std::string& body, std::size_t /*number*/) {
    ++(is_second(body) ? passed_on : asked);
    most_between = std::max(most_between, asked - passed_on);
    return echo(body);
  });
  CHECK(result.result_complete);
  CHECK(most_between > 1000);  // the first is not held back by every row of the second
  CHECK(most_between < 8500);
}

TEST_CASE("rows that need an address where nothing succeeds fail by name, and the others go on",
          "[engine][steps]") {
  Lines rows = numbered(8);
  rows.insert(rows.end(), {"hard 1", "hard 2", "hard 3", "hard 4", "hard 5", "hard 6"});
  Job job(rows, "hard");
  const auto result =
      job.run([](const std::string& body,
                 std::size_t /*number*/) { return is_second(body) ? unreachable() : echo(body); },
              HastyClock());
  CHECK_FALSE(job.error);
  CHECK(result.result_complete);
  const auto outcomes = job.outcomes();
  REQUIRE(outcomes.size() == 14);
  for (const auto& [row, outcome] : outcomes) {
    CAPTURE(row);
    CHECK(outcome.failure == (row < 8 ? RowFailure::none : RowFailure::connection_failed));
    if (row >= 8) {
      CHECK(outcome.message == "step second: http://two cannot be reached: scripted");
    }
  }
}

TEST_CASE("when every row needs that address the run stops", "[engine][steps]") {
  Job job(numbered(8));
  job.run([](const std::string& body,
             std::size_t /*number*/) { return is_second(body) ? unreachable() : echo(body); },
          HastyClock());
  REQUIRE(job.error);
  CHECK(job.error->code() == ErrorCode::provider_unreachable);
  CHECK(job.error->message() == "http://two cannot be reached: scripted");
  CHECK(job.outcomes().empty());
}

TEST_CASE("a key that is refused is told with the provider of its step", "[engine][steps]") {
  Job job(numbered(3));
  job.run([](const std::string& body, std::size_t /*number*/) {
    return is_second(body)
               ? ScriptedAnswer{401, "auth_refused", TransportFailure::none, std::nullopt, 0}
               : echo(body);
  });
  REQUIRE(job.error);
  CHECK(job.error->code() == ErrorCode::key_refused);
  CHECK_THAT(job.error->message(), ContainsSubstring("Two refuses the API key"));
}

TEST_CASE("a limit that changes while the job runs holds at every address", "[engine][steps]") {
  Job job(numbered(200));
  job.settings.lane.concurrency = 10;
  job.settings.other_lanes[0].concurrency = 10;
  job.concurrency.set(1);
  const auto result =
      job.run([](const std::string& body, std::size_t /*number*/) { return echo(body); });
  CHECK(result.result_complete);
  CHECK(job.most_in_flight_to == std::map<std::size_t, std::size_t>{{0, 1}, {1, 1}});
}

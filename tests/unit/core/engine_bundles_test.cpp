// SPDX-License-Identifier: Apache-2.0
// The engine when many rows are asked by one request, over a server that answers by a script.
#include "core/engine.h"
#include "tests/support/catch.h"
#include "tests/support/engine_job.h"
#include "tests/support/scripted_transport.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

using namespace batchllm;

namespace {

using Script = ScriptedTransport::Script;
using Lines = std::vector<std::string>;

Lines parts_of(std::string_view body) {
  Lines parts(1);
  for (const char letter : body) {
    if (letter == '|') {
      parts.emplace_back();
    } else {
      parts.back() += letter;
    }
  }
  return parts;
}

// A dialect of many rows a request: "a|b" is answered by "re: a|re: b", for a token each; another
// status than 200 has the name of its failure in the body.
class BundlingProvider final : public Provider {
 public:
  HttpEndpoint endpoint() const override { return {}; }

  void encode(const Prompt& prompt, std::string& body) const override {
    body = prompt.messages.at(0).text;
  }

  void join(std::span<const std::string_view> parts, std::string& body) const override {
    body.clear();
    for (const std::string_view part : parts) {
      body.append(body.empty() ? "" : "|").append(part);
    }
  }

  void append_turns(std::string& /*body*/,
                    std::string_view /*answer*/,
                    std::string_view /*request*/) const override {}

  Answer decode(HttpResponse& response) override {
    Answer answer;
    if (response.status != 200) {
      answer.failure = failure_from_name(response.text()).value_or(RowFailure::protocol_error);
      answer.message = "HTTP " + std::to_string(response.status);
      return answer;
    }
    parts_ = parts_of(response.text());
    texts_.assign(parts_.begin(), parts_.end());
    answer.texts = texts_;
    answer.usage.input_tokens = static_cast<std::int64_t>(parts_.size());
    return answer;
  }

 private:
  Lines parts_;
  std::vector<std::string_view> texts_;
};

ScriptedAnswer echo(const std::string& body, std::size_t /*number*/) {
  std::string answer;
  for (const auto& part : parts_of(body)) {
    answer.append(answer.empty() ? "" : "|").append("re: " + part);
  }
  return {200, answer, TransportFailure::none, std::nullopt, 0};
}

ScriptedAnswer failing(int status, std::string_view name) {
  return {status, std::string(name), TransportFailure::none, 1, 0};
}

// A job that asks four rows by a request, answered by a script.
class Job : public EngineJob {
 public:
  explicit Job(Lines rows) : EngineJob(std::move(rows)) {
    settings.dispatcher.bundle = BundleLimits{.rows = 4, .tokens = std::nullopt};
    settings.dispatcher.worst_case_output_tokens = 0;
  }

  EngineResult run(const Script& script) {
    ScriptedTransport transport(script);
    BundlingProvider provider;
    const EngineResult result = run_over(transport, provider);
    sent = transport.sent;
    return result;
  }

  Lines sent;
};

Price one_micro_a_token() {
  Price price;
  price.base = {1'000'000, 1'000'000, 1'000'000};
  return price;
}

}  // namespace

TEST_CASE("many rows are asked by one request, and each has its own outcome", "[engine][bundles]") {
  Job job({"a", "b", "c", "d", "e", "f"});
  job.settings.dispatcher.price = one_micro_a_token();
  const EngineResult result = job.run(echo);
  CHECK(result.result_complete);
  CHECK(result.requests == 2);
  CHECK(job.sent == Lines{"a|b|c|d", "e|f"});
  const auto outcomes = job.outcomes();
  REQUIRE(outcomes.size() == 6);
  CHECK(outcomes.at(0).output == "re: a");
  CHECK(outcomes.at(5).output == "re: f");
  CHECK(outcomes.at(5).attempts == 1);
  CHECK(outcomes.at(5).usage.input_tokens == 1);
  CHECK(outcomes.at(5).cost_micro_usd == 1);
  CHECK(result.progress.cost_micro_usd == 6);
  CHECK(result.progress.input_tokens == 6);
}

TEST_CASE("one row that is refused fails alone", "[engine][bundles]") {
  Job job({"a", "b", "poison", "d", "e"});
  const auto script = [](const std::string& body, std::size_t number) {
    return body.find("poison") == std::string::npos ? echo(body, number)
                                                    : failing(400, "context_too_long");
  };
  const EngineResult result = job.run(script);
  CHECK(result.all_rows_done);
  CHECK(result.progress.ok == 4);
  CHECK(result.progress.failed == 1);
  CHECK(job.outcomes().at(2).failure == RowFailure::context_too_long);
  CHECK(job.outcomes().at(3).output == "re: d");
  CHECK(std::count(job.sent.begin(), job.sent.end(), "poison") == 1);
  CHECK(std::count(job.sent.begin(), job.sent.end(), "a|b") == 1);
}

TEST_CASE("a failure that may pass is tried again for all rows of the request",
          "[engine][bundles]") {
  Job job({"a", "b", "c", "d"});
  const EngineResult result = job.run([](const std::string& body, std::size_t number) {
    return number == 1 ? failing(503, "overloaded") : echo(body, number);
  });
  CHECK(result.progress.ok == 4);
  CHECK(job.sent == Lines{"a|b|c|d", "a|b|c|d"});
  CHECK(job.outcomes().at(3).attempts == 2);
}

TEST_CASE("a response that lacks answers is none", "[engine][bundles]") {
  Job job({"a", "b", "c", "d"});
  job.settings.lane.max_attempts = 1;
  const EngineResult result = job.run([](const std::string&, std::size_t) {
    return ScriptedAnswer{200, "re: a|re: b", TransportFailure::none, std::nullopt, 0};
  });
  CHECK(result.progress.failed == 4);
  CHECK(job.outcomes().at(0).failure == RowFailure::protocol_error);
  CHECK_THAT(job.outcomes().at(0).message, ContainsSubstring("2 of 4"));
}

TEST_CASE("a row that cannot be asked is in no request", "[engine][bundles]") {
  Job job({"a", "unaskable", "c"});
  CHECK(job.run(echo).progress.failed == 1);
  CHECK(job.sent == Lines{"a|c"});
}

TEST_CASE("the budget is spent to where fewer rows still fit", "[engine][bundles]") {
  Job job({"a", "b", "c", "d"});
  job.settings.dispatcher.price = one_micro_a_token();  // a row may cost 10, and costs 1
  job.settings.max_cost_micro_usd = 21;
  CHECK(job.run(echo).progress.ok == 4);
  CHECK(job.sent == Lines{"a|b", "c", "d"});

  Job poor({"a", "b", "c", "d"});
  poor.settings.dispatcher.price = one_micro_a_token();
  poor.settings.max_cost_micro_usd = 11;
  CHECK(poor.run(echo).progress.ok == 2);
  CHECK(poor.sent == Lines{"a", "b"});
  REQUIRE(poor.error);
  CHECK(poor.error->code() == ErrorCode::cost_limit);
}

TEST_CASE("what was answered before an interruption is not asked again", "[engine][bundles]") {
  Lines rows;
  for (char letter = 'a'; letter <= 'z'; ++letter) {
    rows.emplace_back(1, letter);
  }
  Job job(rows);
  job.settings.lane.concurrency = 1;
  job.run([&job](const std::string& body, std::size_t number) {
    if (number == 3) {
      job.interrupt();
    }
    return echo(body, number);
  });
  const Lines first = job.sent;
  CHECK(job.run(echo).result_complete);
  for (const auto& request : job.sent) {
    for (const auto& part : parts_of(request)) {
      for (const auto& earlier : first) {
        CHECK(earlier.find(part) == std::string::npos);
      }
    }
  }
  CHECK(job.outcomes().size() == 26);
}

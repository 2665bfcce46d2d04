// SPDX-License-Identifier: Apache-2.0
// The engine and its dispatcher, over a server that answers by a script.
#include "core/engine.h"

#include "tests/support/catch.h"
#include "tests/support/engine_job.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/outcomes.h"
#include "tests/support/plain_provider.h"
#include "tests/support/scripted_transport.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace batchllm;

namespace {

using Script = ScriptedTransport::Script;
using Lines = std::vector<std::string>;

ScriptedAnswer echo(const std::string& body, std::size_t /*number*/) {
  return {200, "re: " + body, TransportFailure::none, std::nullopt, 0};
}

ScriptedAnswer failing(std::string_view name) {
  return {500, std::string(name), TransportFailure::none, 1, 0};
}

Price one_micro_a_token() {
  Price price;
  price.base = {1'000'000, 1'000'000, 1'000'000};
  return price;
}

// A job that is answered by a script.
class Job : public EngineJob {
 public:
  explicit Job(Lines rows) : EngineJob(std::move(rows)) {
    settings.dispatcher.endpoint = "http://scripted";
    settings.dispatcher.provider_name = "Scripted";
    settings.dispatcher.worst_case_output_tokens = 90;
    settings.dispatcher.drain = Milliseconds(5000);
  }

  EngineResult run(const Script& script) {
    ScriptedTransport transport(script, capacity);
    const EngineResult result = run_over(transport);
    sent = transport.sent;
    in_flight_with = transport.in_flight_with;
    most_in_flight = transport.most_in_flight;
    abandoned = transport.abandoned;
    return result;
  }

  EngineResult run_over(Transport& transport) {
    PlainProvider provider;
    return EngineJob::run_over(transport, provider);
  }

  std::size_t open_attempts(bool answered) const {
    const auto scan = scan_ledger(Ledger::shard_path(folder(), 0),
                                  [](std::uint64_t, std::string_view, const LineGlance&) {});
    return static_cast<std::size_t>(std::count_if(
        scan.open_attempts.begin(), scan.open_attempts.end(), [answered](const auto& attempt) {
          return attempt.second.answered == answered;
        }));
  }

  std::size_t capacity = 1000;
  Lines sent;
  std::vector<std::size_t> in_flight_with;
  std::size_t most_in_flight = 0;
  std::size_t abandoned = 0;
};

// Answers when so many requests are in flight together, or no more will come; sleeps until then and
// wakes for nothing but wake().
class GatheringTransport final : public Transport {
 public:
  explicit GatheringTransport(std::size_t wanted) : wanted_(wanted) {}

  void post(std::size_t /*endpoint*/,
            std::string_view body,
            Milliseconds /*timeout*/,
            void* token) override {
    flying_.emplace_back(token, std::string(body));
  }

  std::size_t capacity(std::size_t /*endpoint*/) const override { return 1000; }

  void abandon_all() override { flying_.clear(); }

  void run(TransportUser& user) override {
    while (true) {
      user.on_turn(std::chrono::steady_clock::now());
      if (user.is_finished()) {
        return;
      }
      const bool is_enough = flying_.size() >= wanted_ || user.is_finishing();
      if (is_enough || !sleep()) {
        answer(user);
      }
    }
  }

  void wake() noexcept override {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    changed_.notify_all();
  }

  // Returns when a request waits for company; any thread.
  void wait_for_loneliness() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return lonely_; });
  }

  bool overslept = false;

 private:
  // False when nobody woke it: the test has failed.
  bool sleep() {
    std::unique_lock lock(mutex_);
    lonely_ = !flying_.empty();
    changed_.notify_all();
    overslept = !changed_.wait_for(lock, std::chrono::seconds(20), [this] { return woken_; });
    woken_ = false;
    return !overslept;
  }

  void answer(TransportUser& user) {
    for (auto& [token, body] : std::exchange(flying_, {})) {
      std::vector<char> text(body.begin(), body.end());
      text.resize(text.size() + 64);
      HttpResponse response;
      response.status = 200;
      response.body = text.data();
      response.body_size = body.size();
      user.on_response(token, response);
    }
  }

  const std::size_t wanted_;
  std::vector<std::pair<void*, std::string>> flying_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  bool lonely_ = false;
};

}  // namespace

TEST_CASE("every row is asked once and written in input order", "[engine]") {
  Job job(numbered_rows(500));
  const EngineResult result = job.run([](const std::string& body, std::size_t number) {
    ScriptedAnswer answer = echo(body, number);
    answer.after = static_cast<int>(number * 7 % 5);  // answers come in another order
    return answer;
  });
  CHECK_FALSE(job.error);
  CHECK(result.all_rows_done);
  CHECK(result.result_complete);
  CHECK(result.requests == 500);
  CHECK(result.progress.ok == 500);
  CHECK(result.progress.total == 500);
  CHECK(result.progress.total_is_exact);
  CHECK(result.progress.input_tokens == 5000);
  CHECK(job.most_in_flight <= 32);
  const Lines lines = job.written.lines();
  REQUIRE(lines.size() == 501);
  for (std::size_t row = 0; row < 500; ++row) {
    const std::string text = "row " + std::to_string(row);
    CHECK(lines[row + 1] == text + "|re: " + text);
  }
  // Sealed: running it again asks nothing and writes the same.
  const EngineResult again = job.run(&echo);
  CHECK(again.result_complete);
  CHECK(again.requests == 0);
  CHECK(again.progress.already_done == 500);
  CHECK(job.written.lines() == lines);
}

TEST_CASE("a failure that may pass is asked again, up to the limit of attempts", "[engine]") {
  for (const char* name :
       {"rate_limited", "server_error", "overloaded", "timeout", "protocol_error"}) {
    Job job({"a", "b"});
    job.settings.lane.max_attempts = 2;
    std::map<std::string, int> asked;
    const EngineResult result = job.run([&](const std::string& body, std::size_t number) {
      ++asked[body];
      return body == "a" && asked[body] == 1 ? failing(name) : echo(body, number);
    });
    CAPTURE(name);
    CHECK(result.result_complete);
    CHECK(result.progress.ok == 2);
    CHECK(asked["a"] == 2);
    CHECK(asked["b"] == 1);
    CHECK(job.outcomes().at(0).attempts == 2);
    CHECK(job.outcomes().at(1).attempts == 1);
  }
}

TEST_CASE("a row whose attempts are used up failed, and the others go on", "[engine]") {
  Job job({"a", "b"});
  job.settings.lane.max_attempts = 2;
  const EngineResult result = job.run([](const std::string& body, std::size_t number) {
    return body == "a" ? failing("server_error") : echo(body, number);
  });
  CHECK(result.result_complete);
  CHECK(result.progress.failed == 1);
  CHECK(result.requests == 3);
  const Outcome outcome = job.outcomes().at(0);
  CHECK(outcome.failure == RowFailure::server_error);
  CHECK(outcome.attempts == 2);
  CHECK(outcome.http_status == 500);
  CHECK(job.written.lines() ==
        Lines{"text|output|error", "a|-|server_error: HTTP 500", "b|re: b|-"});
}

TEST_CASE("a failure that will not pass is asked once", "[engine]") {
  for (const char* name : {"bad_request",
                           "context_too_long",
                           "content_filtered",
                           "refused",
                           "truncated",
                           "empty_answer"}) {
    Job job({"a", "b"});
    const EngineResult result = job.run([&](const std::string& body, std::size_t number) {
      return body == "a" ? failing(name) : echo(body, number);
    });
    CAPTURE(name);
    CHECK(result.requests == 2);
    CHECK(failure_name(job.outcomes().at(0).failure) == name);
    CHECK(result.all_rows_done);
  }
}

TEST_CASE("connection failures are told by what they leave unknown", "[engine]") {
  struct Case {
    TransportFailure transport;
    RowFailure failure;
    std::uint64_t requests;
  };

  for (const auto& c :
       std::vector<Case>{{TransportFailure::timeout, RowFailure::timeout, 3},
                         {TransportFailure::broken, RowFailure::protocol_error, 3},
                         {TransportFailure::too_large, RowFailure::protocol_error, 2}}) {
    Job job({"a", "b"});
    job.settings.lane.max_attempts = 2;
    const EngineResult result = job.run([&](const std::string& body, std::size_t number) {
      ScriptedAnswer answer = echo(body, number);
      answer.failure = body == "a" ? c.transport : TransportFailure::none;
      return answer;
    });
    CHECK(result.requests == c.requests);
    CHECK(job.outcomes().at(0).failure == c.failure);
  }
}

TEST_CASE("a refused key or a used-up quota stops the run; nothing is lost or failed", "[engine]") {
  struct Case {
    const char* name;
    ErrorCode code;
  };

  for (const auto& c : std::vector<Case>{{"auth_refused", ErrorCode::key_refused},
                                         {"quota_exhausted", ErrorCode::quota_exhausted}}) {
    Job job(numbered_rows(20));
    job.settings.lane.concurrency = 1;
    const EngineResult result = job.run([&](const std::string& body, std::size_t number) {
      return number > 5 ? failing(c.name) : echo(body, number);
    });
    CAPTURE(c.name);
    REQUIRE(job.error);
    CHECK(job.error->code() == c.code);
    CHECK_FALSE(result.all_rows_done);
    CHECK(result.progress.ok == 5);
    CHECK(result.progress.failed == 0);
    CHECK(job.sent.size() == 6);
    CHECK(job.open_attempts(true) == 1);
    CHECK(job.open_attempts(false) == 0);
    // Resumed, the rest is asked, and the result is whole.
    const EngineResult again = job.run(&echo);
    CHECK_FALSE(job.error);
    CHECK(again.result_complete);
    CHECK(again.requests == 15);
    CHECK(again.in_doubt == 0);
    CHECK(job.written.lines().size() == 21);
    CHECK(job.outcomes().at(5).attempts == 2);
  }
}

TEST_CASE("an untrusted certificate stops the run", "[engine]") {
  Job job({"a"});
  job.run([](const std::string&, std::size_t) {
    ScriptedAnswer answer;
    answer.failure = TransportFailure::tls;
    return answer;
  });
  REQUIRE(job.error);
  CHECK(job.error->code() == ErrorCode::provider_unreachable);
  CHECK(job.outcomes().empty());
}

TEST_CASE("no row is sent whose worst case the budget does not hold", "[engine]") {
  Job job(numbered_rows(50));
  job.settings.dispatcher.price = one_micro_a_token();  // 100 held back, 15 spent for each row
  job.settings.max_cost_micro_usd = 250;
  const EngineResult result = job.run(&echo);
  REQUIRE(job.error);
  CHECK(job.error->code() == ErrorCode::cost_limit);
  CHECK(job.most_in_flight <= 2);
  CHECK(result.progress.cost_micro_usd <= 250);
  CHECK(result.progress.cost_micro_usd > 150);
  CHECK(result.progress.cost_micro_usd == static_cast<std::int64_t>(result.progress.ok) * 15);
  CHECK(job.open_attempts(false) == 0);
  // The spent amount counts for the next run, too.
  const EngineResult again = job.run(&echo);
  CHECK(again.requests == 0);
  CHECK(job.error->code() == ErrorCode::cost_limit);
}

TEST_CASE("more failures than allowed stop the run", "[engine]") {
  Job job(numbered_rows(400));
  job.settings.dispatcher.max_failures = 10;
  job.settings.lane.concurrency = 4;
  const auto script = [](const std::string& body, std::size_t number) {
    return number % 2 == 0 ? failing("bad_request") : echo(body, number);
  };
  EngineResult result = job.run(script);
  REQUIRE(job.error);
  CHECK(job.error->code() == ErrorCode::failure_limit);
  CHECK(result.progress.failed >= 11);
  CHECK(result.progress.failed <= 15);

  Job share(numbered_rows(400));
  share.settings.dispatcher.max_failures_share = 0.3;
  share.settings.lane.concurrency = 4;
  result = share.run(script);
  REQUIRE(share.error);
  CHECK(share.error->code() == ErrorCode::failure_limit);
  CHECK(result.progress.done >= 100);
  CHECK(result.progress.done <= 110);
}

TEST_CASE("a passed deadline stops the run", "[engine]") {
  Job job(numbered_rows(10));
  job.settings.dispatcher.deadline = std::chrono::steady_clock::now();
  const EngineResult result = job.run(&echo);
  REQUIRE(job.error);
  CHECK(job.error->code() == ErrorCode::deadline);
  CHECK(result.requests == 0);
}

TEST_CASE("answers in flight are waited for after a stop and are not asked again", "[engine]") {
  Job job(numbered_rows(100));
  const EngineResult result = job.run([&](const std::string& body, std::size_t number) {
    if (number == 40) {
      job.interrupt();
    }
    ScriptedAnswer answer = echo(body, number);
    answer.after = 3;
    return answer;
  });
  REQUIRE(job.error);
  CHECK(job.error->code() == ErrorCode::interrupted);
  CHECK(job.abandoned == 0);
  CHECK(result.progress.ok == result.requests);
  CHECK(result.requests < 100);
  const EngineResult again = job.run(&echo);
  CHECK(again.requests == 100 - result.requests);
  CHECK(again.in_doubt == 0);
  CHECK(again.result_complete);
}

TEST_CASE("what does not come after a stop is given up and in doubt", "[engine]") {
  Job job(numbered_rows(10));
  job.settings.lane.concurrency = 2;
  job.settings.dispatcher.drain = Milliseconds(20);
  job.settings.dispatcher.price = one_micro_a_token();
  job.run([&](const std::string& body, std::size_t number) {
    job.interrupt();
    ScriptedAnswer answer = echo(body, number);
    answer.after = 1'000'000'000;
    return answer;
  });
  CHECK(job.abandoned == 2);
  CHECK(job.open_attempts(false) == 2);
  const EngineResult again = job.run(&echo);
  CHECK(again.requests == 10);
  CHECK(again.in_doubt == 2);
  CHECK(again.in_doubt_micro_usd == 200);
  CHECK(again.result_complete);
}

TEST_CASE("rows that cannot be asked fail without a request", "[engine]") {
  Job job({"a", "unaskable"});
  const EngineResult result = job.run(&echo);
  CHECK(result.requests == 1);
  CHECK(result.result_complete);
  CHECK(job.written.lines().back() == "unaskable|-|bad_request: no image");
}

TEST_CASE("in the order of completion every row is written once, those of earlier runs first",
          "[engine]") {
  Job job(numbered_rows(300));
  job.settings.order = RowOrder::completion;
  job.run([&](const std::string& body, std::size_t number) {
    if (number == 100) {
      job.interrupt();
    }
    return echo(body, number);
  });
  job.run([](const std::string& body, std::size_t number) {
    ScriptedAnswer answer = echo(body, number);
    answer.after = static_cast<int>(number % 3);
    return answer;
  });
  CHECK_FALSE(job.error);
  Lines lines = job.written.lines();
  REQUIRE(lines.size() == 301);
  lines.erase(lines.begin());
  CHECK(lines.front() == "row 0|re: row 0|-");
  std::sort(lines.begin(), lines.end());
  CHECK(std::adjacent_find(lines.begin(), lines.end()) == lines.end());
}

TEST_CASE("a failed row that is asked again is written once in the order of completion",
          "[engine]") {
  Job job({"a", "b"});
  job.settings.order = RowOrder::completion;
  job.run([](const std::string& body, std::size_t number) {
    if (body == "a") {
      return failing("bad_request");
    }
    return echo(body, number);
  });
  std::filesystem::remove(job.folder() + "/manifest.jsonl");
  job.before_run = [](Ledger& ledger) {
    ledger.open_shard(0);
    ledger.reopen(0);
  };
  const EngineResult again = job.run([](const std::string& body, std::size_t number) {
    ScriptedAnswer answer = echo(body, number);
    answer.after = 200'000;  // the writer has written what was there before
    return answer;
  });
  CHECK(again.requests == 1);
  CHECK(job.written.lines() == Lines{"text|output|error", "b|re: b|-", "a|re: a|-"});
}

TEST_CASE("a full disk stops the run; answers that were paid for are kept when there is room again",
          "[engine]") {
  Job job(numbered_rows(400));
  job.settings.lane.concurrency = 4;
  {
    const FileSizeLimit full(8000);
    job.run(&echo);
  }
  REQUIRE(job.error);
  CHECK(job.error->code() == ErrorCode::storage_full);
  const std::size_t kept = job.outcomes().size();
  CHECK(kept > 5);
  CHECK(job.sent.size() - kept <= 8);  // only what was in flight
  const EngineResult again = job.run(&echo);
  CHECK(again.requests == 400 - kept);
  CHECK(again.result_complete);
  CHECK(job.written.lines().size() == 401);
}

TEST_CASE("a transport that takes one request at a time is given one", "[engine]") {
  Job job(numbered_rows(20));
  job.capacity = 1;
  CHECK(job.run(&echo).result_complete);
  CHECK(job.most_in_flight == 1);
}

TEST_CASE("the rows in flight follow a limit that changes while the job runs", "[engine]") {
  Job job(numbered_rows(600));
  job.settings.lane.concurrency = 2;
  job.settings.lane.most_concurrency = 50;
  const EngineResult result = job.run([&](const std::string& body, std::size_t number) {
    if (number == 100) {
      job.concurrency.set(40);
    } else if (number == 300) {
      job.concurrency.set(3);
    }
    ScriptedAnswer answer = echo(body, number);
    answer.after = 2;
    return answer;
  });
  CHECK(result.result_complete);
  const auto most_between = [&job](std::ptrdiff_t first, std::ptrdiff_t end) {
    const auto begin = job.in_flight_with.begin();
    return *std::max_element(begin + first, begin + end);
  };
  CHECK(most_between(0, 100) == 2);
  CHECK(most_between(100, 300) == 40);
  CHECK(most_between(400, 600) == 3);
  CHECK(job.written.lines().size() == 601);
}

TEST_CASE("a limit that is raised from another thread wakes the network thread", "[engine]") {
  Job job(numbered_rows(3));
  job.settings.lane.concurrency = 1;
  job.settings.lane.most_concurrency = 2;
  GatheringTransport transport(2);
  std::thread outside([&] {
    transport.wait_for_loneliness();
    job.concurrency.set(2);
  });
  const EngineResult result = job.run_over(transport);
  outside.join();
  CHECK_FALSE(transport.overslept);
  CHECK(result.result_complete);
}

TEST_CASE("a job of no rows sends nothing and writes an empty result", "[engine]") {
  Job job({"a", "b"});
  job.settings.reader.limit = 0;
  const EngineResult result = job.run(&echo);
  CHECK(result.requests == 0);
  CHECK(result.result_complete);
  CHECK(job.written.lines() == Lines{"text|output"});
}

namespace {

// Wants upper case.
class UpperCaseCheck final : public AnswerCheck {
 public:
  CheckedAnswer check(std::string_view answer) override {
    const bool is_upper = answer.find_first_of("abcdefghijklmnopqrstuvwxyz") == answer.npos;
    return {is_upper, is_upper ? answer : std::string_view(), "not in upper case", "Shout!"};
  }
};

ScriptedAnswer says(std::string text) {
  ScriptedAnswer answer;
  answer.body = std::move(text);
  return answer;
}

}  // namespace

TEST_CASE("an answer without the form that is wanted is told so, as often as allowed", "[engine]") {
  UpperCaseCheck check;
  Job job({"good", "slow", "bad"});
  job.settings.dispatcher.check = &check;
  job.settings.dispatcher.reasks = 2;
  job.settings.dispatcher.price = one_micro_a_token();
  const EngineResult result = job.run([](const std::string& body, std::size_t) {
    if (body == "good" || body == "slow\nno\nShout!\nno\nShout!") {
      return says("YES");
    }
    return says("no");
  });
  CHECK(result.progress.ok == 2);
  CHECK(result.progress.failed == 1);
  CHECK(job.sent.size() == 1 + 3 + 3);
  const auto outcomes = job.outcomes();
  CHECK(outcomes.at(0).attempts == 1);
  CHECK(outcomes.at(1).output == "YES");
  CHECK(outcomes.at(1).attempts == 3);
  CHECK(outcomes.at(1).usage.input_tokens == 30);
  CHECK(outcomes.at(1).cost_micro_usd == 45);
  CHECK(outcomes.at(2).failure == RowFailure::invalid_answer);
  CHECK(outcomes.at(2).message == "not in upper case");
  CHECK(outcomes.at(2).output == "no");
  CHECK(result.progress.cost_micro_usd == 15 + 45 + 45);
  CHECK(result.in_doubt == 0);
}

TEST_CASE("a row that was told what is wrong goes on from there after an interruption",
          "[engine]") {
  UpperCaseCheck check;
  Job job({"row"});
  job.settings.dispatcher.check = &check;
  job.settings.dispatcher.reasks = 2;
  job.settings.dispatcher.price = one_micro_a_token();
  job.run([&job](const std::string&, std::size_t) {
    job.interrupt();
    return says("no");
  });
  CHECK(job.sent == std::vector<std::string>{"row"});
  CHECK(job.outcomes().empty());
  const EngineResult result = job.run([](const std::string&, std::size_t) { return says("YES"); });
  CHECK(job.sent == std::vector<std::string>{"row\nno\nShout!"});
  CHECK(result.in_doubt == 0);
  CHECK(result.all_rows_done);
  CHECK(job.outcomes().at(0).attempts == 2);
  CHECK(job.outcomes().at(0).cost_micro_usd == 30);
  CHECK(result.progress.cost_micro_usd == 30);
}

TEST_CASE("what was spent on answers before an interruption counts for the limit", "[engine]") {
  UpperCaseCheck check;
  Job job({"row"});
  job.settings.dispatcher.check = &check;
  job.settings.dispatcher.reasks = 5;
  job.settings.dispatcher.price = one_micro_a_token();
  job.run([&job](const std::string&, std::size_t) {
    job.interrupt();
    return says("no");
  });
  job.settings.max_cost_micro_usd = 100;  // 15 are spent, and the next may cost more than 85
  job.run([](const std::string&, std::size_t) { return says("YES"); });
  CHECK(job.sent.empty());
  REQUIRE(job.error);
  CHECK(job.error->code() == ErrorCode::cost_limit);
}

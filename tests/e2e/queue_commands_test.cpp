// SPDX-License-Identifier: Apache-2.0
// submit, and what is done with queued jobs from the command line: real batchllmd and simulator.
#include "core/job_id.h"
#include "core/text.h"
#include "tests/support/catch.h"
#include "tests/support/daemon_process.h"
#include "tests/support/job.h"

#include <map>

using namespace batchllm::test;
using batchllm::is_job_id;

namespace {

// A user with a daemon; the simulator's options decide what becomes of the rows.
class Queue {
 public:
  explicit Queue(std::vector<std::string> simulator = {}, std::size_t rows = 3)
      : daemon_({.program = BATCHLLM_DAEMON,
                 .batchllm = BATCHLLM_PROGRAM,
                 .simulator = std::move(simulator)}) {
    daemon_.folder().write("in.csv", csv_of_rows(rows));
  }

  ProcessResult call(const Words& words) const { return run_process(options(words)); }

  ProcessOptions options(const Words& words) const {
    ProcessOptions options = daemon_.command(words);
    options.folder = daemon_.folder().path();
    options.environment["BATCHLLM_MODEL"] = "simulator/any";
    options.environment["BATCHLLM_BASE_URL"] = base_url_;
    return options;
  }

  ProcessResult submit(Words more, const std::string& prompt = "say {text}") const {
    more.insert(more.begin(), {"submit", "in.csv", "-p", prompt});
    return call(more);
  }

  // The id of a job that was taken.
  std::string submitted(const Words& more = {}) const {
    const ProcessResult result = submit(more);
    CAPTURE(result.error_text);
    REQUIRE(result.exit_code == 0);
    return std::string(batchllm::trim(result.output_text));
  }

  std::string state(const std::string& id) const { return daemon_.get("/jobs/" + id).at(".state"); }

  const DaemonProcess& daemon() const { return daemon_; }

  DaemonProcess& daemon() { return daemon_; }

 private:
  DaemonProcess daemon_;
  std::string base_url_ = daemon_.simulator().base_url();
};

}  // namespace

TEST_CASE("submit prints the id alone in a pipe, and the result is as run's", "[e2e][queue]") {
  const Queue queue;
  const auto submitted = queue.submit({"-o", "out.csv", "--wait"});
  CAPTURE(submitted.error_text);
  CHECK(submitted.exit_code == 0);
  const std::string id(batchllm::trim(submitted.output_text));
  CHECK(submitted.output_text == id + "\n");
  CHECK(is_job_id(id));
  const auto run = queue.call({"run", "in.csv", "-p", "say {text}", "-o", "-"});
  CHECK(run.exit_code == 0);
  CHECK(queue.call({"results", "export", id}).output_text == run.output_text);
  ProcessOptions read = queue.options({});
  read.argv = {"cat", "out.csv"};
  CHECK(run_process(read).output_text == run.output_text);
}

TEST_CASE("the steps of a template are asked by the daemon as by run", "[e2e][queue][steps]") {
  const Queue queue({"--log-bodies"});
  queue.daemon().folder().write("steps.toml", R"(
system = "Be brief."
[parameters]
seed = 7
[[steps]]
name = "first"
prompt = "Name {text}"
model = "simulator/small"
max_tokens = 99
[[steps]]
prompt = "Of {id}: {steps.first.output}"
when = 'id != "2"'
)");
  const auto run = queue.call({"run", "in.csv", "--template", "steps.toml", "-o", "-"});
  CAPTURE(run.error_text);
  CHECK(run.exit_code == 0);
  const auto submitted = queue.call({"submit", "in.csv", "--template", "steps.toml", "--wait"});
  CAPTURE(submitted.error_text);
  CHECK(submitted.exit_code == 0);
  const std::string id(batchllm::trim(submitted.output_text));
  CHECK(queue.call({"results", "export", id}).output_text == run.output_text);
  std::map<std::string, int> times;
  for (const LoggedCall& call : queue.daemon().simulator().calls()) {
    ++times[call.body];
  }
  CHECK(times.size() == 5);
  for (const auto& [body, count] : times) {
    CAPTURE(body);
    CHECK(count == 2);  // once by run, once by the daemon
    CHECK_THAT(body, ContainsSubstring("\"seed\":7"));
    CHECK((body.find("small") == std::string::npos) == (body.find("99") == std::string::npos));
  }
}

TEST_CASE("models are compared by the daemon as by run", "[e2e][queue][compare]") {
  const Queue queue;
  const Words asked = {"in.csv", "-p", "say {text}", "--compare", "simulator/a,simulator/b"};
  Words words = {"run", "-o", "-"};
  words.insert(words.end(), asked.begin(), asked.end());
  const auto run = queue.call(words);
  CAPTURE(run.error_text);
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.output_text,
             Catch::Matchers::StartsWith("id,text,simulator/a,simulator/b,agrees\n"));
  words = {"submit", "--wait"};
  words.insert(words.end(), asked.begin(), asked.end());
  const auto submitted = queue.call(words);
  CAPTURE(submitted.error_text);
  CHECK(submitted.exit_code == 0);
  const std::string id(batchllm::trim(submitted.output_text));
  CHECK(queue.call({"results", "export", id}).output_text == run.output_text);
  CHECK_THAT(queue.call({"results", "show", id}).output_text, ContainsSubstring("agree"));
}

TEST_CASE("rows by standard input are sent to the daemon", "[e2e][queue]") {
  const Queue queue;
  ProcessOptions options = queue.options({"submit", "-", "-p", "say {text}"});
  options.input = csv_of_rows(2);
  const auto submitted = run_process(options);
  CAPTURE(submitted.error_text);
  REQUIRE(submitted.exit_code == 0);
  const std::string id(batchllm::trim(submitted.output_text));
  CHECK(queue.call({"jobs", "wait", id}).exit_code == 0);
  CHECK(json_at(queue.call({"jobs", "show", id, "--json"}).output_text, ".job.rows.ok") == "2");
}

TEST_CASE("a wait ends with the exit code of the run", "[e2e][queue]") {
  struct Case {
    Words simulator;
    Words options;
    int code;
  };

  const auto c = GENERATE(values<Case>({
      {{}, {}, 0},
      {{"--fault", "400:100%"}, {}, 4},
      {{"--fault", "400:100%"}, {"--fail-on", "none"}, 0},
      {{"--fault", "400:100%"}, {"--max-failures", "1", "-c", "1"}, 5},
      {{"--require-key", "another"}, {}, 6},
  }));
  CAPTURE(c.simulator, c.options);
  const Queue queue(c.simulator);
  Words words = c.options;
  words.emplace_back("--wait");
  const auto result = queue.submit(words);
  CAPTURE(result.error_text);
  CHECK(result.exit_code == c.code);
  const std::string id(batchllm::trim(result.output_text));
  const auto watched = queue.call({"jobs", "watch", id});
  CHECK(watched.exit_code == c.code);
  CHECK_THAT(watched.error_text, ContainsSubstring(id + " "));
  const auto waited = queue.call({"jobs", "wait", id, "--json"});
  CHECK(waited.exit_code == c.code);
  CHECK(json_at(waited.output_text, ".schema") == "batchllm.wait/1");
  CHECK(json_at(waited.output_text, ".jobs[0].exit_code") == std::to_string(c.code));
}

TEST_CASE("of several jobs the worst decides", "[e2e][queue]") {
  const Queue queue;
  const std::string good = queue.submitted();
  const std::string cancelled = queue.submitted({"--ask-first"});
  CHECK(queue.call({"jobs", "cancel", cancelled}).exit_code == 0);
  CHECK(queue.call({"jobs", "wait", good, cancelled}).exit_code == 130);
  CHECK(queue.call({"jobs", "wait", good}).exit_code == 0);
}

TEST_CASE("an idempotency key queues one job, and another request under it is refused",
          "[e2e][queue]") {
  const Queue queue;
  const std::string first = queue.submitted({"--idempotency-key", "night-1"});
  CHECK(queue.submitted({"--idempotency-key", "night-1"}) == first);
  const auto other = queue.submit({"--idempotency-key", "night-1"}, "shout {text}");
  CHECK(other.exit_code == 10);
  CHECK_THAT(other.error_text, ContainsSubstring("night-1"));
}

TEST_CASE("a job waits for another one and says so", "[e2e][queue]") {
  const Queue queue;
  const std::string first = queue.submitted({"--ask-first"});
  const std::string second = queue.submitted({"--after", first + ":any"});
  const std::string third = queue.submitted({"--after", second});
  CHECK_THAT(queue.call({"jobs", "show", second}).output_text,
             ContainsSubstring("waits for " + first));
  CHECK(queue.call({"jobs", "wait", third, "--timeout", "300ms"}).exit_code == 124);
  CHECK(queue.call({"jobs", "cancel", first}).exit_code == 0);
  CHECK(queue.call({"jobs", "wait", second, third}).exit_code == 0);
  const auto unknown = queue.submit({"--after", "job_20260102_030405_k7f3"});
  CHECK(unknown.exit_code == 9);
}

TEST_CASE("a job that asks is answered", "[e2e][queue]") {
  const Queue queue;
  const std::string id = queue.submitted({"--ask-first", "--name", "Tickets"});
  const auto waited = queue.call({"jobs", "wait", id});
  CHECK(waited.exit_code == 12);
  CHECK_THAT(waited.error_text, ContainsSubstring("Begin Tickets?"));
  CHECK_THAT(queue.call({"jobs", "show", id}).output_text, ContainsSubstring("Begin Tickets?"));
  CHECK(queue.call({"jobs", "answer", id, "perhaps"}).exit_code == 2);
  const auto unanswered = queue.call({"jobs", "answer", id});  // nobody is at a terminal
  CHECK(unanswered.exit_code == 12);
  CHECK(queue.call({"jobs", "answer", id, "yes"}).exit_code == 0);
  CHECK(queue.call({"jobs", "wait", id}).exit_code == 0);
  CHECK(queue.call({"jobs", "answer", id, "yes"}).exit_code == 10);
}

TEST_CASE("a job is paused, goes on where it was, and is cancelled", "[e2e][queue]") {
  Queue queue({"--latency", "100ms"}, 200);
  const std::string id = queue.submitted({"-c", "1"});
  REQUIRE(queue.daemon().wait_for_state(id, "running"));
  CHECK(queue.call({"jobs", "pause", id}).exit_code == 0);
  REQUIRE(queue.daemon().wait_for_state(id, "paused"));
  CHECK_THAT(queue.call({"jobs", "list", "--state", "paused"}).output_text, ContainsSubstring(id));
  const auto waited = queue.call({"jobs", "wait", id, "--timeout", "300ms"});
  CHECK(waited.exit_code == 124);  // whoever paused it means to go on
  const auto resumed = queue.call({"resume", id});
  CHECK(resumed.exit_code == 0);
  CHECK_THAT(resumed.error_text, ContainsSubstring("The same as: batchllm jobs resume " + id));
  REQUIRE(queue.daemon().wait_for_state(id, "running"));
  const auto removed = queue.call({"jobs", "rm", id, "--yes"});
  CHECK(removed.exit_code == 10);
  CHECK(queue.call({"jobs", "cancel", id}).exit_code == 0);
  CHECK(queue.call({"jobs", "wait", id}).exit_code == 130);
  CHECK(queue.call({"jobs", "pause", id}).exit_code == 10);
  CHECK(queue.call({"jobs", "rm", id, "--yes"}).exit_code == 0);
  CHECK(queue.call({"jobs", "show", id}).exit_code == 9);
}

TEST_CASE("the list has queued jobs and runs of this machine", "[e2e][queue]") {
  const Queue queue;
  const std::string queued = queue.submitted({"--tag", "team=support", "--project", "emails"});
  CHECK(queue.call({"jobs", "wait", queued}).exit_code == 0);
  REQUIRE(queue.call({"run", "in.csv", "-p", "say {text}", "-o", "run.csv"}).exit_code == 0);
  const auto all = queue.call({"jobs", "list", "--json"}).output_text;
  CHECK(json_at(all, ".schema") == "batchllm.jobs/1");
  CHECK(json_at(all, ".jobs[1].id") == queued);
  CHECK(json_at(all, ".jobs[1].state") == "succeeded");
  CHECK(json_at(all, ".jobs[1].rows.ok") == "3");
  CHECK(json_at(all, ".jobs[0].status") == "succeeded");
  CHECK(json_at(all, ".jobs[2].id").empty());
  const std::string run = json_at(all, ".jobs[0].id");
  const auto tagged = queue.call({"jobs", "ls", "--json", "--tag", "team=support"}).output_text;
  CHECK(json_at(tagged, ".jobs[0].id") == queued);
  CHECK(json_at(tagged, ".jobs[1].id").empty());
  CHECK(queue.call({"jobs", "ls", "--project", "other"}).output_text.empty());
  CHECK(queue.call({"jobs", "wait", run}).exit_code == 0);
  const auto paused = queue.call({"jobs", "pause", run});
  CHECK(paused.exit_code == 10);
  CHECK_THAT(paused.error_text, ContainsSubstring("no job of batchllmd"));
  CHECK(queue.call({"jobs", "cancel", run}).exit_code == 10);
}

TEST_CASE("watching ends with Ctrl-C, the job does not", "[e2e][queue]") {
  Queue queue({"--latency", "100ms"}, 200);
  const std::string id = queue.submitted({"-c", "1"});
  REQUIRE(queue.daemon().wait_for_state(id, "running"));
  Process watch(queue.options({"jobs", "watch", id, "--progress", "json"}));
  REQUIRE(watch.wait_for_error(R"("type":"progress")"));
  watch.send_signal(SIGINT);
  const auto result = watch.wait();
  CHECK(result.exit_code == 130);
  CHECK_THAT(result.error_text, ContainsSubstring(id + " goes on"));
  CHECK(queue.state(id) == "running");
}

TEST_CASE("the log of a job tells what happened", "[e2e][queue]") {
  const Queue queue;
  const std::string id = queue.submitted();
  const auto followed = queue.call({"jobs", "logs", id, "-f"});
  CHECK(followed.exit_code == 0);
  CHECK_THAT(followed.output_text, ContainsSubstring("started"));
  CHECK_THAT(followed.output_text, ContainsSubstring("succeeded"));
  const auto json = queue.call({"jobs", "logs", id, "--json"});
  CHECK(json_at(json.output_text.substr(0, json.output_text.find('\n')), ".type") == "job.queued");
}

TEST_CASE("what is wrong is found before anything is stored", "[e2e][queue]") {
  const Queue queue;
  const auto wrong = queue.submit({}, "say {txt}");
  CHECK(wrong.exit_code == 3);
  CHECK_THAT(wrong.error_text, ContainsSubstring("did you mean {text}?"));
  CHECK(queue.call({"submit", "absent.csv", "-p", "say {text}"}).exit_code == 3);
  CHECK(queue.submit({"-m", "nobody/any"}).exit_code != 0);
  CHECK(queue.submit({"-o", "in.csv"}).exit_code == 10);
  CHECK(json_at(queue.call({"jobs", "list", "--json"}).output_text, ".jobs[0].id").empty());
}

TEST_CASE("without a daemon submit says how to start one, and --yes starts it", "[e2e][queue]") {
  Queue queue;
  CHECK(queue.daemon().stop() == 0);
  const auto refused = queue.submit({});
  CHECK(refused.exit_code == 8);
  CHECK_THAT(refused.error_text, ContainsSubstring("batchllm daemon start"));
  CHECK(queue.call({"jobs", "list"}).exit_code == 0);
  const auto started = queue.submit({"--yes", "--wait"});
  CAPTURE(started.error_text);
  CHECK(started.exit_code == 0);
  const std::string id(batchllm::trim(started.output_text));
  CHECK(queue.call({"daemon", "stop"}).exit_code == 0);

  const auto list = queue.call({"jobs", "list"});
  CHECK_THAT(list.output_text, ContainsSubstring(id));
  CHECK_THAT(list.error_text, ContainsSubstring("batchllmd is not running"));
  const auto resumed = queue.call({"resume", id});
  CHECK(resumed.exit_code == 8);
  CHECK(queue.call({"resume"}).exit_code == 9);
  CHECK(queue.call({"jobs", "prune", "--older-than", "1ms", "--yes"}).exit_code == 0);
  CHECK_THAT(queue.call({"jobs", "list"}).output_text, ContainsSubstring(id));
}

TEST_CASE("a run in another terminal is cancelled by a signal", "[e2e][queue]") {
  const Queue queue({"--latency", "100ms"}, 200);
  Process run(queue.options(
      {"run", "in.csv", "-p", "say {text}", "-o", "o.csv", "-c", "1", "--progress", "json"}));
  REQUIRE(run.wait_for_error(R"("type":"progress")"));
  const std::string id = json_at(queue.call({"jobs", "list", "--json"}).output_text, ".jobs[0].id");
  const auto cancelled = queue.call({"jobs", "cancel", id});
  CHECK(cancelled.exit_code == 0);
  CHECK_THAT(cancelled.error_text, ContainsSubstring("batchllm resume " + id));
  CHECK(run.wait().exit_code == 130);
  CHECK(queue.call({"jobs", "wait", id}).exit_code == 130);
}

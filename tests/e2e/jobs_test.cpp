// SPDX-License-Identifier: Apache-2.0
// Looking at jobs and clearing them away.
#include "tests/support/catch.h"
#include "tests/support/job.h"

using namespace batchllm::test;

namespace {

// A workspace with one job that succeeded and, newer, one of which two rows of four failed.
struct TwoJobs {
  TwoJobs() {
    workspace.write("good.csv", csv_of_rows(3));
    workspace.write("mixed.csv", csv_of_rows(4));
    workspace.write("script.jsonl",
                    R"({"match":"row 2,","status":400,"error":"no such thing","times":1})"
                    "\n"
                    R"({"match":"row 3,","content":"","times":1})"
                    "\n");
    simulator = std::make_unique<SimulatorProcess>(
        BATCHLLM_PROGRAM, Words{"--script", workspace.path("script.jsonl")});
    workspace.write("script.jsonl", "");
    SimulatorProcess plain(BATCHLLM_PROGRAM);
    REQUIRE(workspace.run(plain, {"good.csv", "-o", "good-out.csv"}).exit_code == 0);
    good = workspace.job();
    const auto mixed_run =
        workspace.run(*simulator, {"mixed.csv", "-o", "mixed-out.csv", "--id-column", "id"});
    REQUIRE(mixed_run.exit_code == 4);
    mixed = json_at(workspace.call({"jobs", "list", "--json", "--status", "partial"}).output_text,
                    ".jobs[0].id");
  }

  Workspace workspace{BATCHLLM_PROGRAM};
  std::unique_ptr<SimulatorProcess> simulator;
  std::string good;
  std::string mixed;
};

}  // namespace

TEST_CASE("jobs list shows every job with what became of it", "[e2e][jobs]") {
  const TwoJobs jobs;
  const auto text = jobs.workspace.call({"jobs", "list"});
  CHECK(text.exit_code == 0);
  CHECK_THAT(text.output_text, ContainsSubstring("JOB  "));
  CHECK_THAT(text.output_text,
             ContainsSubstring(jobs.good + "   succeeded             3        0"));
  CHECK_THAT(text.output_text,
             ContainsSubstring(jobs.mixed + "   partial               2        2"));

  const auto json = jobs.workspace.call({"jobs", "list", "--json"}).output_text;
  CHECK(json_at(json, ".schema") == "batchllm.jobs/1");
  CHECK_FALSE(json_at(json, ".jobs[1].id").empty());
  CHECK(json_at(json, ".jobs[2].id").empty());

  const auto some = jobs.workspace.call({"jobs", "ls", "--status", "succeeded", "--json"});
  CHECK(json_at(some.output_text, ".jobs[0].id") == jobs.good);
  CHECK(json_at(some.output_text, ".jobs[1].id").empty());
}

TEST_CASE("without jobs the list says how to begin", "[e2e][jobs]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  const auto list = workspace.call({"jobs", "list"});
  CHECK(list.exit_code == 0);
  CHECK(list.output_text.empty());
  CHECK_THAT(list.error_text, ContainsSubstring("There are no jobs yet."));
  CHECK(workspace.call({"jobs", "list", "--json"}).output_text ==
        "{\"schema\":\"batchllm.jobs/1\",\"jobs\":[]}\n");
  const auto resume = workspace.call({"resume"});
  CHECK(resume.exit_code == 9);
}

TEST_CASE("a job that is not there is answered with the nearest one", "[e2e][jobs]") {
  const TwoJobs jobs;
  std::string near = jobs.good;
  near.back() = near.back() == 'a' ? 'b' : 'a';
  for (const Words& words : {Words{"jobs", "show"},
                             Words{"jobs", "rm"},
                             Words{"results", "show"},
                             Words{"results", "export"},
                             Words{"results", "errors"},
                             Words{"resume"},
                             Words{"retry"}}) {
    Words all = words;
    all.push_back(near);
    CAPTURE(all);
    const auto result = jobs.workspace.call(all);
    CHECK(result.exit_code == 9);
    CHECK(result.error_text ==
          "error: there is no job " + near + "\n  hint: did you mean " + jobs.good + "?\n");
  }
}

TEST_CASE("jobs rm asks first and then deletes", "[e2e][jobs]") {
  const TwoJobs jobs;
  const auto unasked = jobs.workspace.call({"jobs", "rm", jobs.good});
  CHECK(unasked.exit_code == 12);
  CHECK_THAT(unasked.error_text, ContainsSubstring("--yes answers every question with yes"));

  auto asked = jobs.workspace.command({"jobs", "rm", jobs.good});
  asked.terminal = true;
  asked.terminal_input = true;
  Process process(asked);
  REQUIRE(process.wait_for_error("[y/N] "));
  process.type("n\n");
  CHECK(process.wait().exit_code == 12);
  CHECK(jobs.workspace.call({"jobs", "show", jobs.good}).exit_code == 0);

  const auto removed =
      jobs.workspace.call({"jobs", "rm", jobs.good, jobs.mixed, "--yes", "--json"});
  CHECK(removed.exit_code == 0);
  CHECK(json_at(removed.output_text, ".jobs[1]") == jobs.mixed);
  CHECK(jobs.workspace.call({"jobs", "show", jobs.good}).exit_code == 9);
}

TEST_CASE("jobs prune removes what is old enough", "[e2e][jobs]") {
  const TwoJobs jobs;
  CHECK(jobs.workspace.call({"jobs", "prune", "--yes"}).exit_code == 0);
  CHECK(jobs.workspace.call({"jobs", "show", jobs.good}).exit_code == 0);
  const auto dry =
      jobs.workspace.call({"jobs", "prune", "--older-than", "1ms", "--status", "partial", "-n"});
  CHECK(dry.output_text == jobs.mixed + "\n");
  const auto pruned = jobs.workspace.call({"jobs", "prune", "--older-than", "1ms", "--yes"});
  CHECK(pruned.exit_code == 0);
  CHECK_THAT(pruned.error_text, ContainsSubstring("Deleted " + jobs.good));
  CHECK_THAT(pruned.error_text, ContainsSubstring("Deleted " + jobs.mixed));
}

TEST_CASE("results errors groups the failed rows by their reason", "[e2e][results]") {
  const TwoJobs jobs;
  CHECK(jobs.workspace.call({"results", "errors", jobs.mixed}).output_text ==
        "bad_request: 1 row\n"
        "  row 2 (2): HTTP 400: no such thing\n"
        "empty_answer: 1 row\n"
        "  row 3 (3): the answer is empty\n"
        "Ask failed rows again: batchllm retry " +
            jobs.mixed + "\n");
  const auto json = jobs.workspace.call({"results", "errors", jobs.mixed, "--json"}).output_text;
  CHECK(json_at(json, ".groups[0].error") == "bad_request");
  CHECK(json_at(json, ".groups[0].examples[0].row") == "2");
  CHECK(json_at(json, ".groups[0].examples[0].http_status") == "400");
  CHECK(jobs.workspace.call({"results", "errors", jobs.good}).output_text ==
        "No row of " + jobs.good + " failed.\n");
}

TEST_CASE("results show sums a job up", "[e2e][results]") {
  const TwoJobs jobs;
  const auto text = jobs.workspace.call({"results", "show", jobs.mixed}).output_text;
  CHECK_THAT(text, ContainsSubstring(jobs.mixed + "  partial\n"));
  CHECK_THAT(text, ContainsSubstring("  model    openai/gpt-4o-mini\n"));
  CHECK_THAT(text, ContainsSubstring("  rows     2 ok, 2 failed, 0 skipped\n"));
}

TEST_CASE("results export writes what was asked for", "[e2e][results]") {
  const TwoJobs jobs;
  const auto lines = [&](const Words& more) {
    Words words = {"results", "export", jobs.mixed};
    words.insert(words.end(), more.begin(), more.end());
    const auto result = jobs.workspace.call(words);
    CHECK(result.exit_code == 0);
    return sorted_lines(result.output_text).size();
  };
  CHECK(lines({}) == 5);
  CHECK(lines({"--status", "ok"}) == 3);
  CHECK(lines({"--status", "failed"}) == 3);
  CHECK(lines({"--output-format", "jsonl"}) == 4);
  CHECK(lines({"-o", "again.jsonl"}) == 0);
  CHECK(jobs.workspace.read("again.jsonl").starts_with("{\"id\":\"1\",\"text\":"));
  CHECK(jobs.workspace.call({"results", "export", jobs.mixed, "-o", "again.jsonl"}).exit_code ==
        10);
  CHECK(lines({"-o", "again.jsonl", "--overwrite"}) == 0);
  CHECK(jobs.workspace.call({"results", "export", jobs.mixed}).output_text ==
        jobs.workspace.read("mixed-out.csv"));
}

TEST_CASE("retry asks the failed rows again, and no others", "[e2e][retry]") {
  TwoJobs jobs;
  const std::size_t before = jobs.simulator->call_count();
  const auto one = jobs.workspace.call({"retry", jobs.mixed, "--only", "bad_request"});
  CAPTURE(one.error_text);
  CHECK(one.exit_code == 4);
  CHECK(jobs.simulator->call_count() == before + 1);
  const auto other = jobs.workspace.call({"retry", jobs.mixed});
  CAPTURE(other.error_text);
  CHECK(other.exit_code == 0);
  CHECK(jobs.simulator->call_count() == before + 2);
  const std::string result = jobs.workspace.read("mixed-out.csv");
  CHECK(result.starts_with("id,text,output\n"));
  CHECK(sorted_lines(result).size() == 5);
  const auto nothing = jobs.workspace.call({"retry", jobs.mixed});
  CHECK(nothing.exit_code == 0);
  CHECK(jobs.simulator->call_count() == before + 2);
}

TEST_CASE("retry knows the names of failures", "[e2e][retry]") {
  const TwoJobs jobs;
  const auto result = jobs.workspace.call({"retry", jobs.mixed, "--only", "bad_requests"});
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.error_text, ContainsSubstring("bad_request"));
}

// SPDX-License-Identifier: Apache-2.0
// The answers of two jobs beside each other.
#include "tests/support/catch.h"
#include "tests/support/job.h"

using namespace batchllm::test;

namespace {

// Rows 1 and 2 the same (but for case), 3 and 4 different, 5 failed in the second, 6 in both.
constexpr std::string_view k_first = R"({"match":"six","status":400,"error":"no"})"
                                     "\n"
                                     R"({"match":"one","content":"yes"})"
                                     "\n"
                                     R"({"match":"three","content":"yes"})"
                                     "\n"
                                     R"({"match_regex":".","content":"no"})"
                                     "\n";
constexpr std::string_view k_second = R"({"match":"five","status":400,"error":"no"})"
                                      "\n"
                                      R"({"match":"six","status":400,"error":"no"})"
                                      "\n"
                                      R"({"match":"four","content":"yes"})"
                                      "\n"
                                      R"({"match":"one","content":"Yes."})"
                                      "\n"
                                      R"({"match_regex":".","content":"no"})"
                                      "\n";

struct TwoRuns {
  TwoRuns() {
    workspace.write("rows.csv", "id,text\na,one\nb,two\nc,three\nd,four\ne,five\nf,six\n");
    first = run(k_first, "first.csv");
    second = run(k_second, "second.csv");
  }

  std::string run(std::string_view script,
                  const std::string& output,
                  const std::string& input = "rows.csv") const {
    const SimulatorProcess simulator(BATCHLLM_PROGRAM,
                                     {"--script", workspace.write("script.jsonl", script)});
    const auto ended =
        workspace.run(simulator, {input, "-o", output, "--id-column", "id", "--json"});
    INFO(ended.error_text);
    return json_at(ended.output_text, ".job");
  }

  ProcessResult diff(Words more) const {
    more.insert(more.begin(), {"results", "diff", first, second});
    return workspace.call(more);
  }

  Workspace workspace{BATCHLLM_PROGRAM};
  std::string first;
  std::string second;
};

}  // namespace

TEST_CASE("results diff counts and lists what two jobs answer differently", "[e2e][diff]") {
  const TwoRuns jobs;
  const auto text = jobs.diff({});
  INFO(text.error_text);
  CHECK(text.exit_code == 0);
  CHECK_THAT(
      text.output_text,
      ContainsSubstring("2 rows the same, 2 different: agreement 50.0 %, kappa 0.000\n"
                        "answered by the first alone 1, by the second alone 0, by neither 1\n"
                        "row    first  second\n"
                        "3 (c)  yes    no\n"
                        "4 (d)  no     yes\n"
                        "5 (e)  no     [bad_request]\n"));
  CHECK_THAT(text.output_text, ContainsSubstring("rows      5 ok, 1 failed"));
  const std::string json = jobs.diff({"--json", "--limit", "1"}).output_text;
  INFO(json);
  CHECK(json_at(json, ".schema") == "batchllm.diff/1");
  CHECK(json_at(json, ".jobs[0].id") == jobs.first);
  CHECK(json_at(json, ".jobs[1].rows.failed") == "2");
  CHECK(json_at(json, ".rows.same") == "2");
  CHECK(json_at(json, ".rows.different") == "2");
  CHECK(json_at(json, ".rows.only_a") == "1");
  CHECK(json_at(json, ".rows.neither") == "1");
  CHECK(json_at(json, ".agreement") == "0.500000");
  CHECK(json_at(json, ".kappa") == "0.000000");
  CHECK(json_at(json, ".differences[0].row") == "3");
  CHECK(json_at(json, ".differences[0].b.answer") == "no");
  CHECK(json_at(json, ".differences[1].row").empty());
  CHECK(json_at(jobs.diff({"--json", "--exact"}).output_text, ".rows.same") == "1");
}

TEST_CASE("the rows that differ are written with both answers", "[e2e][diff]") {
  const TwoRuns jobs;
  REQUIRE(jobs.diff({"-o", "differ.csv"}).exit_code == 0);
  const std::string csv = jobs.workspace.read("differ.csv");
  CHECK_THAT(csv,
             Catch::Matchers::StartsWith("id,text,output_a,error_a,output_b,error_b\n"
                                         "c,three,yes,,no,\n"
                                         "d,four,no,,yes,\n"
                                         "e,five,no,,,bad_request: "));
  CHECK(sorted_lines(csv).size() == 4);
  CHECK(jobs.diff({"-o", "differ.csv"}).exit_code == 10);
  CHECK(jobs.diff({"-o", "differ.csv", "--overwrite"}).exit_code == 0);
  const auto stream = jobs.diff({"-o", "-", "--output-format", "jsonl"});
  CHECK_THAT(stream.output_text,
             Catch::Matchers::StartsWith(R"({"id":"c","text":"three","output_a":"yes",)"));
  CHECK_THAT(stream.error_text, ContainsSubstring("agreement 50.0 %"));
}

TEST_CASE("jobs with other inputs are not compared unless that is wanted", "[e2e][diff]") {
  const TwoRuns jobs;
  const auto against = [&](const std::string& other, const Words& more) {
    Words words{"results", "diff", jobs.first, other};
    words.insert(words.end(), more.begin(), more.end());
    return jobs.workspace.call(words);
  };
  jobs.workspace.write("other.csv", "id,text\na,one\nb,two\nc,threE\nd,four\ne,five\nf,six\n");
  const std::string other = jobs.run(k_second, "other-out.csv", "other.csv");
  const auto refused = against(other, {});
  CHECK(refused.exit_code == 3);
  CHECK_THAT(refused.error_text, ContainsSubstring("do not have the same input"));
  CHECK_THAT(refused.error_text, ContainsSubstring("--force"));
  CHECK(against(other, {"--force"}).exit_code == 0);

  // The same bytes under another name are the same input.
  jobs.workspace.write("copy.csv", jobs.workspace.read("rows.csv"));
  CHECK(against(jobs.run(k_second, "copy-out.csv", "copy.csv"), {}).exit_code == 0);
  CHECK(against("job_20260102_030405_k7f3", {}).exit_code == 9);
}

TEST_CASE("rows that one of the jobs did not ask are told apart", "[e2e][diff]") {
  const TwoRuns jobs;
  const SimulatorProcess simulator(BATCHLLM_PROGRAM,
                                   {"--script", jobs.workspace.write("script.jsonl", k_first)});
  const auto part =
      jobs.workspace.run(simulator, {"rows.csv", "-o", "part.csv", "--limit", "2", "--json"});
  const auto diff = jobs.workspace.call(
      {"results", "diff", jobs.first, json_at(part.output_text, ".job"), "--json"});
  CHECK(json_at(diff.output_text, ".rows.same") == "2");
  CHECK(json_at(diff.output_text, ".rows.only_a") == "3");
  CHECK(json_at(diff.output_text, ".rows.neither") == "1");
  CHECK(json_at(diff.output_text, ".differences[0].b.reason") == "not asked");
}

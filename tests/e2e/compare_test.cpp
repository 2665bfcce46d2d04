// SPDX-License-Identifier: Apache-2.0
// One question to several models: columns, failures, resume, and how they are compared.
#include "tests/support/catch.h"
#include "tests/support/job.h"

#include <algorithm>
#include <map>
#include <memory>
#include <sstream>

using namespace batchllm::test;

namespace {

// mini says bug to all but c; big says praise to b and fails d; c is the same but for its marks.
constexpr std::string_view k_script =
    R"({"model":"gpt-4o-mini","match":"c","content":"**Praise**"}
{"model":"gpt-4o-mini","content":"bug","usage":{"prompt_tokens":10,"completion_tokens":1}}
{"model":"gpt-4o","match":"b","content":"praise"}
{"model":"gpt-4o","match":"c","content":"praise"}
{"model":"gpt-4o","match":"d","status":400,"error":"too odd","times":1}
{"model":"gpt-4o","content":"Bug","usage":{"prompt_tokens":20,"completion_tokens":2}}
)";

constexpr std::string_view k_rows = "text,truth\na,bug\nb,bug\nc,praise\nd,bug\n";

const Words k_models = {"--compare", "openai/gpt-4o-mini", "--compare", "gpt-4o"};

struct Compared {
  Compared() : Compared(k_script) {}

  explicit Compared(std::string_view script) {
    workspace.write("rows.csv", k_rows);
    simulator = std::make_unique<SimulatorProcess>(
        BATCHLLM_PROGRAM,
        Words{"--log-bodies", "--script", workspace.write("script.jsonl", script)});
  }

  Words words(const Words& more) const {
    Words all = {"run", "rows.csv", "--base-url", simulator->base_url(), "-p", "Sort: {text}"};
    all.insert(all.end(), k_models.begin(), k_models.end());
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  ProcessResult run(const Words& more) const { return workspace.call(words(more)); }

  // How often each model was asked.
  std::map<std::string, std::size_t> calls_by_model() const {
    std::map<std::string, std::size_t> calls;
    for (const LoggedCall& call : simulator->calls()) {
      ++calls[json_at(call.body, ".model")];
    }
    return calls;
  }

  Workspace workspace{BATCHLLM_PROGRAM};
  std::unique_ptr<SimulatorProcess> simulator;
};

// The first line that begins so.
std::string line_of(const std::string& text, const std::string& start) {
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line) && !line.starts_with(start)) {
  }
  return line;
}

}  // namespace

TEST_CASE("each model has a column, and one that fails fails alone", "[e2e][compare]") {
  const Compared job;
  const std::string order = GENERATE(as<std::string>(), "input", "completion");
  const auto run = job.run({"-o", "out.csv", "--order", order});
  INFO(run.error_text);
  CHECK(run.exit_code == 4);
  CHECK(sorted_lines(job.workspace.read("out.csv")) ==
        sorted_lines("text,truth,openai/gpt-4o-mini,gpt-4o,agrees,error\n"
                     "a,bug,bug,Bug,true,\n"
                     "b,bug,bug,praise,false,\n"
                     "c,praise,**Praise**,praise,true,\n"
                     "d,bug,bug,,,bad_request: gpt-4o: HTTP 400: too odd\n"));
  CHECK_THAT(run.error_text, ContainsSubstring("4 rows for 2 models"));
  CHECK(job.simulator->call_count() == 8);
}

TEST_CASE("a retry asks the model again that failed, and no other", "[e2e][compare]") {
  const Compared job;
  CHECK(job.run({"-o", "out.csv"}).exit_code == 4);
  const auto again = job.workspace.call({"retry", job.workspace.job(), "--overwrite", "--json"});
  INFO(again.error_text);
  CHECK(again.exit_code == 0);
  CHECK(job.calls_by_model() ==
        std::map<std::string, std::size_t>{{"gpt-4o-mini", 4}, {"gpt-4o", 5}});
  CHECK_THAT(job.workspace.read("out.csv"), ContainsSubstring("d,bug,bug,Bug,true"));
  CHECK(json_at(again.output_text, ".comparison.models[0].ok") == "4");
  CHECK(json_at(again.output_text, ".comparison.models[1].ok") == "4");
  CHECK(json_at(again.output_text, ".comparison.agreement.rows") == "4");
  // What a kept answer has cost counts once.
  const auto usd = [&](std::string_view path) {
    return std::stod(json_at(again.output_text, path));
  };
  CHECK_THAT(usd(".comparison.models[0].cost_usd") + usd(".comparison.models[1].cost_usd"),
             Catch::Matchers::WithinAbs(usd(".cost_usd"), 1e-7));
}

TEST_CASE("when the first model fails the answer of the second is kept over a retry",
          "[e2e][compare]") {
  const Compared job(
      R"({"model":"gpt-4o-mini","match":"a","status":400,"error":"no","times":1}
{"content":"x"}
)");
  CHECK(job.run({"-o", "out.csv"}).exit_code == 4);
  CHECK_THAT(job.workspace.read("out.csv"),
             ContainsSubstring("a,bug,,x,,bad_request: openai/gpt-4o-mini: "));
  const auto again = job.workspace.call({"retry", job.workspace.job(), "--overwrite"});
  INFO(again.error_text);
  CHECK(again.exit_code == 0);
  CHECK(job.calls_by_model() ==
        std::map<std::string, std::size_t>{{"gpt-4o-mini", 5}, {"gpt-4o", 4}});
  CHECK_THAT(job.workspace.read("out.csv"), ContainsSubstring("a,bug,x,x,true\n"));
}

TEST_CASE("the models are compared in a table", "[e2e][compare]") {
  const Compared job;
  const auto run = job.run({"-o", "out.csv", "--gold", "truth"});
  INFO(run.error_text);
  CHECK_THAT(run.error_text,
             ContainsSubstring("Compared 2 models over 4 rows, accuracy by truth:"));
  CHECK_THAT(run.error_text,
             ContainsSubstring("All agree in 2 of the 3 rows that all answered: 66.7 %, kappa"));
  const auto shown = job.workspace.call({"results", "show", job.workspace.job()});
  CHECK(shown.exit_code == 0);
  CHECK_THAT(shown.output_text, ContainsSubstring("model    openai/gpt-4o-mini, gpt-4o\n"));
  CHECK_THAT(shown.output_text, ContainsSubstring("Compared 2 models over 4 rows"));
  const std::string line = line_of(shown.output_text, "gpt-4o ");
  CHECK_THAT(line, ContainsSubstring(" 3       1 "));
  CHECK_THAT(line, Catch::Matchers::EndsWith(" 0.500"));
}

TEST_CASE("the comparison is a member of the JSON object", "[e2e][compare]") {
  const Compared job;
  const auto run = job.run({"-o", "out.csv", "--gold", "truth", "--json"});
  const std::string& json = run.output_text;
  INFO(json);
  CHECK(json_at(json, ".schema") == "batchllm.run/1");
  CHECK(json_at(json, ".rows.ok") == "3");
  CHECK(json_at(json, ".rows.failed") == "1");
  CHECK(json_at(json, ".comparison.rows") == "4");
  CHECK(json_at(json, ".comparison.models[0].model") == "openai/gpt-4o-mini");
  CHECK(json_at(json, ".comparison.models[0].ok") == "4");
  CHECK(json_at(json, ".comparison.models[0].failed") == "0");
  CHECK(json_at(json, ".comparison.models[0].gold.right") == "4");
  CHECK(json_at(json, ".comparison.models[0].gold.accuracy") == "1.000000");
  CHECK_FALSE(json_at(json, ".comparison.models[0].latency_ms.median").empty());
  CHECK_FALSE(json_at(json, ".comparison.models[0].latency_ms.p95").empty());
  CHECK(json_at(json, ".comparison.models[1].model") == "gpt-4o");
  CHECK(json_at(json, ".comparison.models[1].ok") == "3");
  CHECK(json_at(json, ".comparison.models[1].failed") == "1");
  CHECK(json_at(json, ".comparison.models[1].gold.right") == "2");
  CHECK(json_at(json, ".comparison.models[1].gold.no_answer") == "1");
  CHECK(json_at(json, ".comparison.agreement.rows") == "3");
  CHECK(json_at(json, ".comparison.agreement.same") == "2");
  CHECK(json_at(json, ".comparison.agreement.pairs[0].a") == "openai/gpt-4o-mini");
  CHECK(json_at(json, ".comparison.agreement.pairs[0].b") == "gpt-4o");
  CHECK(json_at(json, ".comparison.agreement.pairs[0].rows") == "3");
  CHECK(json_at(json, ".comparison.gold.column") == "truth");
  CHECK(json_at(json, ".gold").empty());
  const auto tokens = [&](const std::string& which) {
    return std::stoi(json_at(json, ".comparison.models[0].tokens." + which)) +
           std::stoi(json_at(json, ".comparison.models[1].tokens." + which));
  };
  CHECK(tokens("input") == std::stoi(json_at(json, ".tokens.input")));
  CHECK(tokens("output") == std::stoi(json_at(json, ".tokens.output")));
  const auto shown = job.workspace.call({"results", "show", job.workspace.job(), "--json"});
  CHECK(json_at(shown.output_text, ".comparison.agreement.same") == "2");
}

TEST_CASE("fields of compared answers have a column for each model", "[e2e][compare]") {
  const Compared job(
      R"({"model":"gpt-4o","match":"b","content":"{\"label\":\"praise\",\"n\":1}"}
{"content":"{\"label\":\"bug\",\"n\":1}"}
)");
  const auto run = job.run({"-o",
                            "out.jsonl",
                            "--limit",
                            "2",
                            "--fields",
                            "label:enum(bug,praise), n:integer",
                            "--gold",
                            "label=truth",
                            "--json"});
  INFO(run.error_text);
  CHECK(run.exit_code == 0);
  CHECK(
      job.workspace.read("out.jsonl") ==
      "{\"text\":\"a\",\"truth\":\"bug\",\"openai/gpt-4o-mini.label\":\"bug\","
      "\"openai/gpt-4o-mini.n\":1,\"gpt-4o.label\":\"bug\",\"gpt-4o.n\":1,\"agrees\":true}\n"
      "{\"text\":\"b\",\"truth\":\"bug\",\"openai/gpt-4o-mini.label\":\"bug\","
      "\"openai/gpt-4o-mini.n\":1,\"gpt-4o.label\":\"praise\",\"gpt-4o.n\":1,\"agrees\":false}\n");
  CHECK(json_at(run.output_text, ".comparison.models[0].gold.right") == "2");
  CHECK(json_at(run.output_text, ".comparison.models[1].gold.right") == "1");
}

TEST_CASE("an answer without its form is asked again of its model alone", "[e2e][compare]") {
  const Compared job(
      R"({"model":"gpt-4o","match":"Sort: a","content":"perhaps"}
{"model":"gpt-4o","match":"must be","content":"praise"}
{"content":"bug"}
)");
  const auto run = job.run({"-o", "out.csv", "--limit", "1", "--choices", "bug, praise"});
  INFO(run.error_text);
  CHECK(run.exit_code == 0);
  CHECK(job.calls_by_model() ==
        std::map<std::string, std::size_t>{{"gpt-4o-mini", 1}, {"gpt-4o", 2}});
  CHECK(job.workspace.read("out.csv") ==
        "text,truth,openai/gpt-4o-mini,gpt-4o,agrees\na,bug,bug,bug,true\n");
}

TEST_CASE("after a kill no model is asked again that has answered", "[e2e][compare][kill]") {
  constexpr std::size_t k_count = 60;
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(k_count));
  const SimulatorProcess simulator(
      BATCHLLM_PROGRAM,
      {"--log-bodies",
       "--latency",
       "uniform:5ms,30ms",
       "--script",
       workspace.write("script.jsonl",
                       R"({"model":"gpt-4o","match":"7","status":400,"error":"no sevens"})"
                       "\n")});
  const Words words = {"run",
                       "rows.csv",
                       "-o",
                       "out.csv",
                       "-c",
                       "8",
                       "-p",
                       "{text}",
                       "--base-url",
                       simulator.base_url(),
                       "--compare",
                       "gpt-4o",
                       "--compare",
                       "gpt-4o-mini",
                       "--compare",
                       "gpt-4.1"};
  std::size_t doubts = 0;
  for (int kill = 0; kill < 3; ++kill) {
    stop_after(workspace.command(words), simulator, 40);
    doubts += workspace.rows_in_doubt().size();
  }
  const auto rest = workspace.call(words);
  INFO(rest.error_text);
  CHECK(rest.exit_code == 4);
  std::map<std::string, std::size_t> asked;
  for (const LoggedCall& call : simulator.calls()) {
    ++asked[json_at(call.body, ".model") + " " + call.user];
  }
  std::size_t twice = 0;
  for (const auto& [question, count] : asked) {
    twice += count - 1;
  }
  CHECK(asked.size() == 3 * k_count);
  CHECK(twice <= doubts);
  const auto shown = workspace.call({"results", "show", workspace.job(), "--json"});
  CHECK(json_at(shown.output_text, ".comparison.rows") == std::to_string(k_count));
  CHECK(json_at(shown.output_text, ".comparison.models[1].ok") == std::to_string(k_count));
  CHECK(json_at(shown.output_text, ".comparison.models[2].ok") == std::to_string(k_count));
  CHECK_THAT(workspace.call({"results", "show", workspace.job()}).output_text,
             ContainsSubstring("  gpt-4o-mini and gpt-4.1: "));
}

TEST_CASE("a comparison that a limit stops says what there is", "[e2e][compare]") {
  const Compared job;
  const auto run =
      job.run({"-o", "out.csv", "-c", "1", "--max-tokens", "10", "--max-cost", "0.0002", "--json"});
  CHECK(run.exit_code == 5);
  CHECK(json_at(run.output_text, ".comparison.rows") == json_at(run.output_text, ".rows.ok"));
  CHECK(json_at(run.output_text, ".comparison.models[1].ok") ==
        json_at(run.output_text, ".rows.ok"));
  CHECK(json_at(run.output_text, ".rows.ok") != "0");
}

TEST_CASE("two jobs of the same models are the same where each model is", "[e2e][compare]") {
  const Compared job(R"({"model":"gpt-4o","match":"New","content":"praise"}
{"content":"Bug."}
)");
  CHECK(job.run({"-o", "a.csv"}).exit_code == 0);
  const std::string first = job.workspace.job();
  CHECK(job.run({"-o", "b.csv", "--system", "x"}).exit_code == 0);
  const std::string second = job.workspace.job();
  Words words = job.words({"-o", "c.csv"});
  std::replace(words.begin(), words.end(), std::string("Sort: {text}"), std::string("New {text}"));
  CHECK(job.workspace.call(words).exit_code == 0);
  const std::string third = job.workspace.job();
  REQUIRE(first != second);
  const auto same = job.workspace.call({"results", "diff", first, second, "--json"});
  INFO(same.error_text);
  CHECK(json_at(same.output_text, ".rows.same") == "4");
  const auto different = job.workspace.call({"results", "diff", first, third, "--json"});
  CHECK(json_at(different.output_text, ".rows.different") == "4");
  CHECK(json_at(different.output_text, ".differences[0].b.answer") ==
        R"({"openai/gpt-4o-mini":"Bug.","gpt-4o":"praise"})");
  Words single = {"run", "rows.csv", "-m", "openai/gpt-4o", "-p", "{text}", "-o", "d.csv"};
  single.insert(single.end(), {"--base-url", job.simulator->base_url()});
  CHECK(job.workspace.call(single).exit_code == 0);
  const auto refused = job.workspace.call({"results", "diff", job.workspace.job(), first});
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.error_text,
             ContainsSubstring("compares the models openai/gpt-4o-mini and gpt-4o"));
}

TEST_CASE("a comparison that cannot be is refused before anything is sent", "[e2e][compare]") {
  struct Case {
    Words options;
    std::string message;
  };

  const auto c = GENERATE(values<Case>({
      {{"-p", "{text}", "--compare", "openai/gpt-4o"}, "nothing to compare it with"},
      {{"-p", "{text}", "--compare", "gpt-4o", "--compare", "gpt-4o"}, "it is there twice"},
      {{"-p", "{text}", "--compare", "gpt-4o,gpt-4.1", "-m", "gpt-4o"},
       "--model and --compare exclude each other"},
      {{"-p", "{text}", "-p", "{text}", "--compare", "gpt-4o,gpt-4.1"}, "not several steps"},
      {{"-p", "{steps.1.output}", "--compare", "gpt-4o,gpt-4.1"}, "names no column"},
      {{"-p", "{text}", "--compare", "gpt-4o,gpt-4.1", "--gold", "thruth"}, "no such column"},
      {{"-p", "{text}", "--compare", "gpt-4o,gtp-4.1"}, "gtp-4.1"},
  }));
  const Compared job;
  Words words = {"run", "rows.csv", "--base-url", job.simulator->base_url()};
  words.insert(words.end(), c.options.begin(), c.options.end());
  const auto run = job.workspace.call(words);
  CAPTURE(run.error_text);
  CHECK(run.exit_code != 0);
  CHECK_THAT(run.error_text, ContainsSubstring(c.message));
  CHECK(job.simulator->call_count() == 0);
}

TEST_CASE("a dry run counts all models", "[e2e][compare]") {
  const Compared job;
  const auto run = job.run({"--dry-run", "--json"});
  INFO(run.error_text);
  CHECK(run.exit_code == 0);
  CHECK(json_at(run.output_text, ".models[1]") == "gpt-4o");
  CHECK_FALSE(json_at(run.output_text, ".input_cost_usd").empty());
  Words single = {"run", "rows.csv", "-m", "gpt-4o", "-p", "Sort: {text}", "--dry-run", "--json"};
  single.insert(single.end(), {"--base-url", job.simulator->base_url()});
  const auto one = job.workspace.call(single);
  CHECK(std::stoi(json_at(run.output_text, ".input_tokens")) ==
        2 * std::stoi(json_at(one.output_text, ".input_tokens")));
  CHECK_THAT(job.run({"--dry-run"}).output_text,
             ContainsSubstring("asked of each of openai/gpt-4o-mini and openai/gpt-4o"));
  CHECK(job.simulator->call_count() == 0);
}

TEST_CASE("a file that is not there fails its row for every model", "[e2e][compare]") {
  const Compared job(R"({"content":"a picture"})"
                     "\n");
  job.workspace.write("rows.csv", "text,picture\na,https://example.org/a.png\nb,gone.png\n");
  const auto run = job.run({"-o", "out.csv", "--image-column", "picture"});
  INFO(run.error_text);
  CHECK(run.exit_code == 4);
  CHECK_THAT(job.workspace.read("out.csv"), ContainsSubstring("a.png,a picture,a picture,true,"));
  CHECK_THAT(job.workspace.read("out.csv"),
             ContainsSubstring("gone.png,,,,bad_request: openai/gpt-4o-mini: "));
  const auto calls = job.simulator->calls();
  REQUIRE(calls.size() == 2);
  for (const LoggedCall& call : calls) {
    CHECK_THAT(call.body, ContainsSubstring("https://example.org/a.png"));
  }
}

TEST_CASE("models of several providers are compared, each in its own dialect", "[e2e][compare]") {
  const Compared job(R"({"model":"gpt-4o-mini","match":"b","content":"praise"}
{"content":"bug"}
)");
  const SimulatorProcess other(
      BATCHLLM_PROGRAM,
      {"--log-bodies",
       "--script",
       job.workspace.write("other.jsonl",
                           R"({"match":"c","status":400,"error":"no","times":1})"
                           "\n"
                           R"({"content":"bug"})"
                           "\n")});
  const auto command = [&](const Words& words) {
    ProcessOptions options = job.workspace.command(words);
    options.environment.insert(
        {{"ANTHROPIC_BASE_URL", other.base_url()}, {"ANTHROPIC_API_KEY", "sk-ant-made-up"}});
    return options;
  };
  const auto run = run_process(command({"run",
                                        "rows.csv",
                                        "--base-url",
                                        job.simulator->base_url(),
                                        "-p",
                                        "Sort: {text}",
                                        "--compare",
                                        "openai/gpt-4o-mini",
                                        "--compare",
                                        "anthropic/claude-sonnet-5",
                                        "-o",
                                        "out.csv",
                                        "--json"}));
  INFO(run.error_text);
  CHECK(run.exit_code == 4);
  const std::string result = job.workspace.read("out.csv");
  CHECK_THAT(result, ContainsSubstring("openai/gpt-4o-mini,anthropic/claude-sonnet-5,agrees"));
  CHECK_THAT(result, ContainsSubstring("b,bug,praise,bug,false,\n"));
  CHECK_THAT(result, ContainsSubstring("c,praise,bug,,,bad_request: anthropic/claude-sonnet-5: "));
  CHECK(job.simulator->call_count() == 4);
  CHECK(other.call_count() == 4);
  for (const LoggedCall& call : other.calls()) {
    CHECK(json_at(call.body, ".model") == "claude-sonnet-5");
  }
  CHECK(json_at(run.output_text, ".comparison.models[1].ok") == "3");
  const auto again = run_process(command({"retry", job.workspace.job(), "--overwrite", "--json"}));
  INFO(again.error_text);
  CHECK(again.exit_code == 0);
  CHECK(job.simulator->call_count() == 4);
  CHECK(other.call_count() == 5);
  CHECK(json_at(again.output_text, ".comparison.agreement.same") == "3");
}

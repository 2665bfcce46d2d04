// SPDX-License-Identifier: Apache-2.0
// Vectors of rows: every format, killed and resumed, with one row that is refused.
#include "tests/support/catch.h"
#include "tests/support/job.h"
#include "tests/support/raw_http_server.h"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstring>
#include <map>
#include <mutex>
#include <sstream>

using namespace batchllm::test;
using batchllm::RawHttpServer;

namespace {

constexpr std::size_t k_npy_header = 128;

ProcessOptions embed(const Workspace& workspace, const std::string& base_url, const Words& more) {
  Words words = {"embed", "-m", "openai/text-embedding-3-small", "--base-url", base_url};
  words.insert(words.end(), more.begin(), more.end());
  return workspace.command(words);
}

Words lines_of(const std::string& text) {
  std::istringstream in(text);
  Words lines;
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
  }
  return lines;
}

// The numbers of a .npy file, row by row.
std::vector<float> matrix(const std::string& file) {
  std::vector<float> numbers((file.size() - k_npy_header) / sizeof(float));
  std::memcpy(numbers.data(), file.data() + k_npy_header, numbers.size() * sizeof(float));
  return numbers;
}

// The texts of a request, as JSON spells them; none of them has a bracket.
Words texts_of(const std::string& body) {
  constexpr std::string_view k_begin = R"("input":[")";
  constexpr std::string_view k_between = R"(",")";
  auto at = body.find(k_begin) + k_begin.size();
  const auto end = body.find("\"]", at);
  Words texts;
  while (at < end) {
    const auto next = std::min(body.find(k_between, at), end);
    texts.push_back(body.substr(at, next - at));
    at = next + k_between.size();
  }
  return texts;
}

std::map<std::string, std::size_t> asked_texts(const SimulatorProcess& simulator) {
  std::map<std::string, std::size_t> asked;
  for (const auto& call : simulator.calls()) {
    for (const auto& text : texts_of(call.body)) {
      ++asked[text];
    }
  }
  return asked;
}

}  // namespace

TEST_CASE("a column becomes vectors in each format, with few requests", "[e2e][embed]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  const SimulatorProcess simulator(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(300));
  for (const char* name : {"out.jsonl", "out.csv", "out.npy"}) {
    const auto run = run_process(
        embed(workspace,
              simulator.base_url(),
              {"rows.csv", "--column", "text", "--dimensions", "8", "-o", name, "--json"}));
    INFO(run.error_text);
    REQUIRE(run.exit_code == 0);
    CHECK(json_at(run.output_text, ".rows.ok") == "300");
  }
  CHECK(simulator.call_count() == 3);
  const Words rows = lines_of(workspace.read("out.jsonl"));
  REQUIRE(rows.size() == 300);
  CHECK_THAT(rows[0],
             Catch::Matchers::Matches(
                 R"(\{"id":"1","text":.*,"embedding":\[(-?[0-9.e-]+,){7}-?[0-9.e-]+\]\})"));
  const std::string csv = workspace.read("out.csv");
  CHECK_THAT(csv, Catch::Matchers::StartsWith("id,text,embedding\n1,"));
  const std::string npy = workspace.read("out.npy");
  CHECK_THAT(npy, ContainsSubstring("'shape': (300, 8)"));
  const auto numbers = matrix(npy);
  REQUIRE(numbers.size() == 300 * 8);
  // The same numbers in the same order.
  for (const std::size_t row : {std::size_t{0}, std::size_t{299}}) {
    const std::string& line = rows[row];
    const float first = std::strtof(line.c_str() + line.find("\"embedding\":[") + 13, nullptr);
    CHECK(numbers[row * 8] == first);
    CHECK_THAT(lines_of(csv)[row + 1],
               ContainsSubstring(line.substr(line.find("\"embedding\":[") + 12, 40)));
  }
}

TEST_CASE("the rows of a request are as many as the user wants", "[e2e][embed]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--log-bodies"});
  workspace.write("rows.csv", csv_of_rows(25));
  const auto run = run_process(embed(workspace,
                                     simulator.base_url(),
                                     {"rows.csv",
                                      "-p",
                                      "{id} {text}",
                                      "--request-rows",
                                      "10",
                                      "--dimensions",
                                      "4",
                                      "-o",
                                      "out.jsonl"}));
  INFO(run.error_text);
  CHECK(run.exit_code == 0);
  CHECK(simulator.call_count() == 3);
  CHECK(asked_texts(simulator).size() == 25);
}

TEST_CASE("vectors that were there when a run was killed are not asked for again", "[e2e][embed]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--latency", "20ms", "--log-bodies"});
  workspace.write("rows.csv", csv_of_rows(400));
  const Words words = {"rows.csv",
                       "--column",
                       "text",
                       "--dimensions",
                       "4",
                       "--request-rows",
                       "5",
                       "-c",
                       "2",
                       "-o",
                       "out.npy"};
  stop_after(embed(workspace, simulator.base_url(), words), simulator, 12);
  CHECK_FALSE(workspace.has("out.npy"));
  const std::size_t in_doubt = workspace.rows_in_doubt().size();
  CHECK(in_doubt <= 10);
  const auto resumed = workspace.call({"resume"});
  INFO(resumed.error_text);
  CHECK(resumed.exit_code == 0);
  simulator.stop();
  const auto asked = asked_texts(simulator);
  CHECK(asked.size() == 400);
  CHECK(static_cast<std::size_t>(std::count_if(asked.begin(), asked.end(), [](const auto& one) {
          return one.second > 1;
        })) <= in_doubt);
  CHECK_THAT(workspace.read("out.npy"), ContainsSubstring("(400, 4)"));
  const auto exported = workspace.call({"results", "export", workspace.job(), "-o", "again.jsonl"});
  CHECK(exported.exit_code == 0);
  CHECK(lines_of(workspace.read("again.jsonl")).size() == 400);
}

TEST_CASE("a text that the provider refuses fails alone, an empty one is not sent",
          "[e2e][embed]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  RawHttpServer server([](const batchllm::RawRequest& request) -> batchllm::RawReply {
    const Words texts = texts_of(request.body);
    if (std::find(texts.begin(), texts.end(), "poison") != texts.end()) {
      const std::string body =
          R"({"error":{"message":"input is too long","type":"invalid_request_error"}})";
      return {"HTTP/1.1 400 Bad Request\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n" + body};
    }
    std::string data;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      data += (i == 0 ? "" : ",") + std::string(R"({"index":)") + std::to_string(i) +
              R"(,"embedding":[)" + std::to_string(texts[i].size()) + ",1]}";
    }
    return {RawHttpServer::ok(R"({"data":[)" + data + R"(],"usage":{"prompt_tokens":9}})")};
  });
  workspace.write("rows.csv", "text\nabc\nde\npoison\n\" \"\nf\n");
  const auto run = run_process(
      embed(workspace, server.url(), {"rows.csv", "--column", "text", "-o", "out.npy"}));
  INFO(run.error_text);
  CHECK(run.exit_code == 4);
  CHECK(workspace.failures() == std::map<std::string, std::size_t>{{"bad_request", 2}});
  const auto numbers = matrix(workspace.read("out.npy"));
  REQUIRE(numbers.size() == 10);
  CHECK(numbers[0] == 3.0F);
  CHECK(numbers[2] == 2.0F);
  CHECK(std::isnan(numbers[4]));
  CHECK(std::isnan(numbers[7]));
  CHECK(numbers[8] == 1.0F);
  const auto exported = workspace.call({"results", "export", workspace.job(), "-o", "out.jsonl"});
  CHECK(exported.exit_code == 0);
  CHECK_THAT(workspace.read("out.jsonl"),
             ContainsSubstring(R"({"text":"abc","embedding":[3,1],"error":null})"));
}

TEST_CASE("what cannot become vectors is said before anything is sent", "[e2e][embed]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", "id,text\n1,a\n");

  struct Case {
    Words words;
    int exit_code;
    std::string message;
  };

  const std::string model = "openai/text-embedding-3-small";
  for (const auto& c : std::vector<Case>{
           {{"embed", "rows.csv", "-m", model}, 2, "a column is missing: --column"},
           {{"embed", "rows.csv", "--column", "text"}, 2, "a model is missing"},
           {{"embed", "rows.csv", "--column", "txt", "-m", model}, 3, "did you mean text"},
           {{"embed", "rows.csv", "--column", "text", "-m", "anthropic/claude-x"}, 2, "no vectors"},
           {{"embed", "rows.csv", "--column", "text", "-m", "openai/gpt-4o"}, 2, "no vectors"},
           {{"embed",
             "rows.csv",
             "--column",
             "text",
             "-m",
             model,
             "-o",
             "-",
             "--output-format",
             "npy"},
            2,
            "stream"},
           {{"embed", "rows.csv", "--column", "text", "-m", model, "-o", "a.npy.gz"},
            2,
            "not compressed"},
           {{"run", "rows.csv", "-p", "{text}", "-m", "openai/gpt-4o", "-o", "a.npy"},
            2,
            "holds vectors"},
           {{"run", "rows.csv", "-p", "{text}", "-m", model}, 2, "answers no prompts"},
       }) {
    CAPTURE(c.words);
    const auto result = workspace.call(c.words);
    CHECK(result.exit_code == c.exit_code);
    CHECK_THAT(result.error_text, ContainsSubstring(c.message));
  }
}

TEST_CASE("a budget stops vectors, too", "[e2e][embed]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  const SimulatorProcess simulator(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(2000));
  const auto run = run_process(embed(workspace,
                                     simulator.base_url(),
                                     {"rows.csv",
                                      "--column",
                                      "text",
                                      "--dimensions",
                                      "4",
                                      "-c",
                                      "1",
                                      "--max-cost",
                                      "0.0001",
                                      "-o",
                                      "out.jsonl"}));
  INFO(run.error_text);
  CHECK(run.exit_code == 5);
  const std::size_t ok = std::stoul(workspace.about_job(".job.rows.ok"));
  CHECK(ok > 0);
  CHECK(ok < 2000);
}

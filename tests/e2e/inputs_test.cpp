// SPDX-License-Identifier: Apache-2.0
// Files as the world writes them go in; what comes out still says what they said.
#include "core/json_text.h"
#include "tests/support/catch.h"
#include "tests/support/job.h"

using namespace batchllm::test;

namespace {

// What `program` makes of a text.
std::string piped(const Words& program, const std::string& text) {
  return run_process({.argv = program, .input = text}).output_text;
}

// One simulator with a workspace; most tests run one command in it.
struct Bench {
  ProcessResult run(const Words& more) const { return workspace.run(simulator, more); }

  SimulatorProcess simulator{BATCHLLM_PROGRAM};
  Workspace workspace{BATCHLLM_PROGRAM};
};

}  // namespace

TEST_CASE("every format is found by its content and name", "[e2e][inputs]") {
  struct Case {
    std::string name;
    std::string text;
    Words options = {};
  };

  const auto c = GENERATE(values<Case>({
      {"a.csv", "id,text\r\n1,one\r\n2,two\r\n"},
      {"a.csv", "\xEF\xBB\xBFid;text\n1;one\n2;two\n"},
      {"a.csv", "id|text\n1|one\n\n2|\"two\"\n"},
      {"a.tsv", "id\ttext\n1\tone\n2\ttwo\n"},
      {"a.txt", "1,one\n2,two\n", {"--input-format", "csv", "--no-header", "--columns", "id,text"}},
      {"a.json", R"([{"id":"1","text":"one"},{"id":"2","text":"two"}])"},
      {"a.json",
       R"({"data":{"items":[{"id":"1","text":"one"},{"id":"2","text":"two"}]}})",
       {"--json-path", "data.items"}},
      {"a.jsonl", "{\"id\":\"1\",\"text\":\"one\"}\n{\"id\":\"2\",\"text\":\"two\"}\n"},
      {"a.ndjson", R"({"id":"1","text":"one"}{"id":"2","text":"two"})"},
  }));
  CAPTURE(c.name, c.text);
  const Bench bench;
  bench.workspace.write(c.name, c.text);
  Words more = {c.name, "-o", "out.csv", "--prompt", "{text}"};
  more.insert(more.end(), c.options.begin(), c.options.end());
  const auto result = bench.run(more);
  CAPTURE(result.error_text);
  CHECK(result.exit_code == 0);
  const std::string out = bench.workspace.read("out.csv");
  CHECK(out.starts_with("id,text,output\n1,one,"));
  CHECK_THAT(out, ContainsSubstring("\n2,two,"));
  CHECK(bench.simulator.calls_by_message() ==
        std::map<std::string, std::size_t>{{"one", 1}, {"two", 1}});
}

TEST_CASE("encodings are read by their mark or by name", "[e2e][inputs]") {
  const auto [encoding, option] =
      GENERATE(table<std::string, Words>({{"UTF-16", {}}, {"LATIN1", {"--encoding", "latin1"}}}));
  CAPTURE(encoding);
  const Bench bench;
  bench.workspace.write(
      "a.csv", piped({"iconv", "-f", "UTF-8", "-t", encoding}, "id,text\n1,Grüße\n2,naïve\n"));
  Words more = {"a.csv", "-o", "out.csv"};
  more.insert(more.end(), option.begin(), option.end());
  CHECK(bench.run(more).exit_code == 0);
  CHECK(bench.workspace.read("out.csv").starts_with("id,text,output\n1,Grüße,"));
}

TEST_CASE("compressed files go in and come out", "[e2e][inputs]") {
  const auto [tool, extension] = GENERATE(table<std::string, std::string>(
      {{"gzip", ".gz"}, {"zstd", ".zst"}, {"xz", ".xz"}, {"bzip2", ".bz2"}, {"lz4", ".lz4"}}));
  CAPTURE(tool);
  if (run_process({.argv = {tool, "--version"}}).exit_code == 127) {
    WARN("skipped: there is no " << tool << " here");
    return;
  }
  const Bench bench;
  bench.workspace.write("a.csv" + extension, piped({tool, "-c"}, csv_of_rows(100)));
  const auto result = bench.run({"a.csv" + extension, "-o", "out.jsonl" + extension});
  CAPTURE(result.error_text);
  CHECK(result.exit_code == 0);
  const std::string out = piped({tool, "-dc"}, bench.workspace.read("out.jsonl" + extension));
  CHECK(sorted_lines(out).size() == 100);
  CHECK(json_at(out.substr(0, out.find('\n')), ".text") == "row 1, as \"said\"");
}

TEST_CASE("cells and numbers keep their spelling", "[e2e][inputs]") {
  const Bench bench;
  bench.workspace.write("a.csv", "id,text\n007,1.50\n1e3,0x1F\n");
  CHECK(bench.run({"a.csv", "-o", "out.csv"}).exit_code == 0);
  CHECK(bench.workspace.read("out.csv").starts_with("id,text,output\n007,1.50,"));
  CHECK(bench.run({"a.csv", "-o", "out.jsonl"}).exit_code == 0);
  CHECK(bench.workspace.read("out.jsonl").starts_with(R"({"id":"007","text":"1.50","output":)"));

  const std::string record =
      R"({"id":12345678901234567890,"text":1.10,"deep":{"a":[1,2.50,null,true]},"e":1E5)";
  bench.workspace.write("b.jsonl", record + "}\n");
  CHECK(bench.run({"b.jsonl", "-o", "numbers.jsonl"}).exit_code == 0);
  CHECK(bench.workspace.read("numbers.jsonl").starts_with(record + ",\"output\":"));
  CHECK(bench.run({"b.jsonl", "-o", "numbers.csv"}).exit_code == 0);
  CHECK(bench.workspace.read("numbers.csv")
            .starts_with("id,text,deep,e,output\n12345678901234567890,1.10,\"{\"\"a\"\":[1,2.50,"));
}

TEST_CASE("rows go from CSV to JSON lines and back unchanged", "[e2e][inputs]") {
  const Bench bench;
  const std::string text =
      "id,text\n1,\"a \"\"quote\"\", a comma\"\n2,\"two\nlines\"\n3,\n4,\" spaces \"\n";
  bench.workspace.write("a.csv", text);
  CHECK(bench.run({"a.csv", "-o", "b.jsonl", "--output-column", "one"}).exit_code == 0);
  CHECK(bench.run({"b.jsonl", "-o", "c.csv", "--output-column", "two", "--columns", "id,text"})
            .exit_code == 0);
  const std::string back = bench.workspace.read("c.csv");
  CHECK(back.starts_with("id,text,two\n1,\"a \"\"quote\"\", a comma\","));
  CHECK_THAT(back, ContainsSubstring("\n2,\"two\nlines\","));
  CHECK_THAT(back, ContainsSubstring("\n3,,"));
}

TEST_CASE("several inputs and a folder of texts are one input", "[e2e][inputs]") {
  const Bench bench;
  bench.workspace.write("a.csv", csv_of_rows(2));
  bench.workspace.write("b.csv", csv_of_rows(2, 2));
  CHECK(bench.run({"a.csv", "b.csv", "-o", "out.csv"}).exit_code == 0);
  CHECK(sorted_lines(bench.workspace.read("out.csv")).size() == 5);
  CHECK(bench.run({"*.csv", "-o", "globbed.csv", "--where", "output == null"}).exit_code == 3);

  bench.workspace.write("texts/one.txt", "first text\n");
  bench.workspace.write("texts/two.md", "second text");
  const auto result = bench.run({"texts", "-o", "texts.csv", "--prompt", "{name}: {text}"});
  CAPTURE(result.error_text);
  CHECK(result.exit_code == 0);
  CHECK_THAT(bench.workspace.read("texts.csv"), ContainsSubstring("one.txt"));
  CHECK(bench.simulator.calls_by_message().contains("two.md: second text"));
}

TEST_CASE("rows are chosen by condition, place and lot", "[e2e][inputs]") {
  struct Case {
    Words options;
    Words ids;
  };

  const auto c = GENERATE(values<Case>({
      {{"--limit", "2"}, {"1", "2"}},
      {{"--offset", "8"}, {"10", "9"}},
      {{"--offset", "2", "--limit", "2"}, {"3", "4"}},
      {{"--where", "id > 7"}, {"10", "8", "9"}},
      {{"--where", "id > 4", "--offset", "1", "--limit", "2"}, {"6", "7"}},
      {{"--where", R"(text == "nothing")"}, {}},
  }));
  CAPTURE(c.options);
  const Bench bench;
  bench.workspace.write("a.csv", csv_of_rows(10));
  Words more = {"a.csv", "-o", "out.csv", "--columns", "id", "--output-column", "o"};
  more.insert(more.end(), c.options.begin(), c.options.end());
  CHECK(bench.run(more).exit_code == 0);
  Words ids;
  for (const auto& line : sorted_lines(bench.workspace.read("out.csv"))) {
    if (line != "id,o") {
      ids.push_back(line.substr(0, line.find(',')));
    }
  }
  CHECK(ids == c.ids);
}

TEST_CASE("a sample is the same for the same seed", "[e2e][inputs]") {
  const Bench bench;
  bench.workspace.write("a.csv", csv_of_rows(1000));
  const auto sample = [&](const std::string& seed) {
    const auto result =
        bench.run({"a.csv", "-o", "-", "--sample", "20", "--seed", seed, "--columns", "id"});
    CHECK(result.exit_code == 0);
    CHECK(sorted_lines(result.output_text).size() == 21);
    return result.output_text;
  };
  CHECK(sample("1") == sample("1"));
  CHECK(sample("1") != sample("2"));
}

TEST_CASE("a row of 10 MB is asked and written", "[e2e][inputs]") {
  const Bench bench;
  const std::string large(std::size_t{10} << 20, 'x');
  bench.workspace.write("a.csv", "id,text\n1,\"" + large + "\"\n2,small\n");
  const auto result = bench.run({"a.csv", "-o", "out.csv"});
  CAPTURE(result.error_text);
  CHECK(result.exit_code == 0);
  const std::string out = bench.workspace.read("out.csv");
  CHECK(out.find(large) != std::string::npos);
  CHECK(out.find("\n2,small,") != std::string::npos);
}

TEST_CASE("a row that is larger than allowed is bad, and named", "[e2e][inputs]") {
  const Bench bench;
  bench.workspace.write("a.csv", "id,text\n1," + std::string(5000, 'x') + "\n2,small\n");
  const auto result = bench.run({"a.csv", "-o", "out.csv", "--max-row-bytes", "1000"});
  CHECK(result.exit_code == 3);
  CHECK_THAT(result.error_text, ContainsSubstring("a.csv:2: row 1: "));
  CHECK(bench.simulator.call_count() == 0);
}

TEST_CASE("bytes that are no UTF-8 stop the run before anything is sent", "[e2e][inputs]") {
  const Bench bench;
  bench.workspace.write("a.csv", "id,text\n1,good\n2,b\xff\x80\n3,good too\n");
  const auto result = bench.run({"a.csv", "-o", "out.csv"});
  CHECK(result.exit_code == 3);
  CHECK_THAT(result.error_text, ContainsSubstring("a.csv:3: row 2: "));
  CHECK_THAT(result.error_text, ContainsSubstring("--on-bad-row reject"));
  CHECK(result.error_text.find("resume") == std::string::npos);
  CHECK(bench.simulator.call_count() == 0);
  CHECK(bench.workspace.job().empty());

  bench.workspace.write("a.csv", "id,text\n1,good\n2,better\n3,good too\n");
  CHECK(bench.run({"a.csv", "-o", "out.csv"}).exit_code == 0);
}

TEST_CASE("rejected rows are written down as they were", "[e2e][inputs]") {
  const Bench bench;
  bench.workspace.write("a.csv", "id,text\n1,good\n2,b\xff\x80\n3,good too\n");
  const auto result = bench.run({"a.csv", "-o", "out.csv", "--on-bad-row", "reject"});
  CAPTURE(result.error_text);
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.error_text, ContainsSubstring("1 row could not be read: see "));
  CHECK(sorted_lines(bench.workspace.read("out.csv")).size() == 3);
  const std::string reject = bench.workspace.read("out.csv.rejects.jsonl");
  CHECK(json_at(reject, ".file") == bench.workspace.path("a.csv"));
  CHECK(json_at(reject, ".row") == "2");
  CHECK(json_at(reject, ".line") == "3");
  CHECK(json_at(reject, ".byte") == "15");
  CHECK(json_at(reject, ".reason") == "not_utf8");
  CHECK(json_at(reject, ".raw_base64") == "Mixi/4A=");
}

TEST_CASE("an unclosed quote is told with the line where it was opened", "[e2e][inputs]") {
  const Bench bench;
  bench.workspace.write("a.csv", "id,text\n1,good\n2,\"never closed\n3,swallowed\n4,too\n");
  const auto result = bench.run({"a.csv", "-o", "out.csv"});
  CHECK(result.exit_code == 3);
  CHECK_THAT(result.error_text, ContainsSubstring("a.csv:3: row 2: "));
  CHECK_THAT(result.error_text, ContainsSubstring("quote"));
  CHECK(bench.simulator.call_count() == 0);
}

TEST_CASE("a bad row late in the file stops the run, which goes on once it is mended",
          "[e2e][inputs]") {
  const Bench bench;
  std::string text = csv_of_rows(3000);
  bench.workspace.write("a.csv", text + "3001,b\xff\n");
  const auto result = bench.run({"a.csv", "-o", "out.csv"});
  CHECK(result.exit_code == 3);
  CHECK_THAT(result.error_text, ContainsSubstring("a.csv:3002: row 3,001: "));
  const auto rejecting = bench.run({"a.csv", "-o", "out.csv", "--on-bad-row", "reject"});
  CAPTURE(rejecting.error_text);
  CHECK(rejecting.exit_code == 0);
  CHECK(sorted_lines(bench.workspace.read("out.csv")).size() == 3001);
}

TEST_CASE("rows are named by their id column", "[e2e][inputs]") {
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--fault", "400:100%"});
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("a.csv", "key,text\nT-17,one\n");
  CHECK(workspace.run(simulator, {"a.csv", "-o", "o.csv", "--id-column", "key"}).exit_code == 4);
  CHECK_THAT(workspace.call({"results", "errors", workspace.job()}).output_text,
             ContainsSubstring("row 1 (T-17): "));
}

TEST_CASE("results go to standard output when it is read, and end quietly with it",
          "[e2e][inputs]") {
  const Bench bench;
  bench.workspace.write("a.csv", csv_of_rows(2000));
  const auto result = bench.run({"a.csv", "--limit", "3"});
  CHECK(result.exit_code == 0);
  CHECK(sorted_lines(result.output_text).size() == 4);
  CHECK_FALSE(bench.workspace.has("a.out.csv"));

  auto shell = bench.workspace.command({});
  shell.argv = {
      "bash", "-c", "\"$@\" | head -n 2; echo \"exit ${PIPESTATUS[0]}\"", "-", BATCHLLM_PROGRAM};
  const Words words = bench.workspace.run_words(bench.simulator, {"a.csv"});
  shell.argv.insert(shell.argv.end(), words.begin(), words.end());
  const auto head = run_process(shell);
  CAPTURE(head.error_text);
  CHECK_THAT(head.output_text, ContainsSubstring("exit 0\n"));
  CHECK(head.error_text.find("error") == std::string::npos);
}

TEST_CASE("on a terminal results go to a file beside the input", "[e2e][inputs]") {
  const Bench bench;
  bench.workspace.write("a.csv", csv_of_rows(3));
  auto command = bench.workspace.command(bench.workspace.run_words(bench.simulator, {"a.csv"}));
  command.terminal = true;
  command.environment["TERM"] = "dumb";
  command.columns = 200;
  const auto result = run_process(command);
  CAPTURE(result.error_text);
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.error_text,
             ContainsSubstring("Results go to " + bench.workspace.path("a.out.csv")));
  CHECK(sorted_lines(bench.workspace.read("a.out.csv")).size() == 4);
}

TEST_CASE("rows from a pipe are asked while it is open", "[e2e][inputs]") {
  const Bench bench;
  auto command =
      bench.workspace.command(bench.workspace.run_words(bench.simulator, {"-", "-o", "out.csv"}));
  command.input = csv_of_rows(5000);
  const auto result = run_process(command);
  CHECK(result.exit_code == 0);
  CHECK(sorted_lines(bench.workspace.read("out.csv")).size() == 5001);
}

TEST_CASE("wrong input is answered with what is wrong and what to do", "[e2e][inputs]") {
  struct Case {
    Words options;
    int exit_code;
    std::string text;
  };

  const auto c = GENERATE(values<Case>({
      {{"b.csv"}, 3, "b.csv"},
      {{"a.csv", "--prompt", "{txet}"}, 3, "did you mean {text}?"},
      {{"a.csv", "--where", "txt == 1"}, 3, "text"},
      {{"a.csv", "--columns", "id,txt"}, 3, "--columns txt: the input has no such column"},
      {{"a.csv", "--id-column", "idd"}, 3, "did you mean id?"},
      {{"a.csv", "--output-column", "text"}, 2, "the input has a column text already"},
      {{"a.csv", "-o", "x.parquet"}, 2, "there is no output format for .parquet"},
      {{"a.csv", "-o", "none/x.csv"}, 11, "does not exist"},
      {{"a.csv", "-m", "opnai/x"}, 9, "openai"},
      {{"empty.csv"}, 3, "empty.csv"},
      {{"a.csv", "--base-url", "ftp://x"}, 2, "ftp://x"},
  }));
  CAPTURE(c.options);
  const Bench bench;
  bench.workspace.write("a.csv", csv_of_rows(3));
  bench.workspace.write("empty.csv", "");
  Words more = c.options;
  if (std::find(more.begin(), more.end(), "-o") == more.end()) {
    more.insert(more.end(), {"-o", "out.csv"});
  }
  const auto result = bench.run(more);
  CHECK(result.exit_code == c.exit_code);
  CHECK_THAT(result.error_text, ContainsSubstring(c.text));
  CHECK(result.error_text.starts_with("error: "));
  CHECK(bench.simulator.call_count() == 0);
  CHECK(bench.workspace.job().empty());
}

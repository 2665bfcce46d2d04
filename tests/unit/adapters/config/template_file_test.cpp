// SPDX-License-Identifier: Apache-2.0
#include "adapters/config/template_file.h"

#include "tests/support/catch.h"
#include "tests/support/test_rows.h"
#include "tests/support/thrown_error.h"

#include <filesystem>

using namespace batchllm;

namespace {

namespace fs = std::filesystem;

std::optional<Error> refusal(std::string_view toml) {
  return thrown_error([&] { (void)parse_template_file(toml, "t.toml"); });
}

TemplateNames ticket_names() {
  TemplateNames names;
  names.columns = {"id", "created_at", "channel", "customer", "text"};
  names.variables = {{"language", "German"}, {"fields", "amount, deadline"}};
  return names;
}

}  // namespace

TEST_CASE("a template file holds messages, a model and parameters", "[template]") {
  const ChatTemplateText text = parse_template_file(R"(
description = "for people"
model = "openai/gpt-4o-mini"
system = "Be brief."
prompt = """
Classify {text}.
"""

[parameters]
temperature = 0.2
max_tokens = 5
top_p = 1.0
stop = ["\n", "END"]
logprobs = true
response_format = { type = "json_object" }
)",
                                                    "t.toml");
  CHECK(text.model == "openai/gpt-4o-mini");
  REQUIRE(text.messages.size() == 2);
  CHECK(text.messages[0].role == "system");
  CHECK(text.messages[0].text == "Be brief.");
  CHECK(text.messages[1].role == "user");
  CHECK(text.messages[1].text == "Classify {text}.\n");
  std::vector<std::string> parameters;
  for (const auto& [name, json] : text.parameters) {
    parameters.push_back(name + "=" + json);
  }
  CHECK(parameters == std::vector<std::string>{"temperature=0.2",
                                               "max_tokens=5",
                                               "top_p=1.0",
                                               R"(stop=["\n","END"])",
                                               "logprobs=true",
                                               R"(response_format={"type":"json_object"})"});
}

TEST_CASE("messages are listed in order with their roles", "[template]") {
  const ChatTemplateText text = parse_template_file(
      "[[messages]]\nrole = \"system\"\ncontent = \"a\"\n"
      "[[messages]]\nrole = \"user\"\ncontent = \"b\"\n"
      "[[messages]]\nrole = \"assistant\"\ncontent = \"c\"\n",
      "t.toml");
  REQUIRE(text.messages.size() == 3);
  CHECK(text.messages[1].role == "user");
  CHECK(text.messages[2].text == "c");
}

TEST_CASE("a wrong column is reported where it stands in the file", "[template]") {
  struct Case {
    std::string_view toml;
    std::string_view place;
  };

  const auto c = GENERATE(values<Case>({
      {"prompt = \"{txt}\"", "t.toml:1:11: {txt}"},
      {"# ü\n\nprompt = 'a {txt}'", "t.toml:3:13: {txt}"},
      {"prompt = \"\"\"{txt}\"\"\"", "t.toml:1:13: {txt}"},
      {"prompt = \"\"\"\n\n a {txt}\"\"\"", "t.toml:3:4: {txt}"},
      {"system = 'x'\r\nprompt = '''\r\n{txt}'''", "t.toml:3:1: {txt}"},
      {"[[messages]]\nrole = 'user'\ncontent = '{txt}'", "t.toml:3:12: {txt}"},
  }));
  CAPTURE(c.toml);
  const ChatTemplateText text = parse_template_file(c.toml, "t.toml");
  const auto error = thrown_error([&] { (void)ChatTemplate::compile(text, ticket_names()); });
  REQUIRE(error);
  CHECK_THAT(error->message(), ContainsSubstring(std::string(c.place)));
}

TEST_CASE("a template file may hold several steps", "[template]") {
  const ChatTemplateText text = parse_template_file(R"(
model = "openai/m"
system = "Be brief."

[[steps]]
name = "first"
prompt = "Sort {text}"
temperature = 0
max_tokens = 9
effort = "low"
parameters = { top_p = 0.5 }

[steps.schema]
type = "object"

[[steps]]
when = 'steps.first.output != ""'
model = "openai/n"
system = "Be long."
prompt = "Explain {steps.first.output}"
choices = "a, b"
strip = true
)",
                                                    "folder/t.toml");
  CHECK(text.messages.empty());
  REQUIRE(text.steps.size() == 2);
  const auto& first = text.steps[0];
  CHECK(first.name == "first");
  REQUIRE(first.messages.size() == 2);
  CHECK(first.messages[0].text == "Be brief.");
  CHECK(first.messages[1].text == "Sort {text}");
  CHECK(first.model.temperature == 0.0);
  CHECK(first.model.max_tokens == 9);
  CHECK(first.model.effort == "low");
  REQUIRE(first.model.parameters.size() == 1);
  CHECK(first.model.parameters[0] == std::pair<std::string, std::string>("top_p", "0.5"));
  CHECK(first.answer.schema == R"({"type":"object"})");
  const auto& second = text.steps[1];
  CHECK(second.name.empty());
  CHECK(second.when == "steps.first.output != \"\"");
  CHECK(second.model.model == "openai/n");
  REQUIRE(second.messages.size() == 2);
  CHECK(second.messages[0].text == "Be long.");
  CHECK(second.answer.choices == "a, b");
  CHECK(second.answer.strip);
  const ChatTemplateText beside =
      parse_template_file("[[steps]]\nprompt = 'x'\nschema = 's.json'", "folder/t.toml");
  CHECK(beside.steps.at(0).answer.schema == "folder/s.json");
}

TEST_CASE("a wrong template file is refused with its place", "[template]") {
  struct Case {
    std::string_view toml;
    std::string_view message;
    std::string_view hint;
  };

  const auto c = GENERATE(values<Case>({
      {"", "t.toml: neither prompt nor messages is given", "write prompt ="},
      {"system = 'x'", "t.toml: neither prompt nor messages is given", ""},
      {"prompt = ", "t.toml:1:10: not TOML: ", "a template file has"},
      {"prompt = 'x'\npromt = 'y'",
       "t.toml:2:1: promt is not a key of a template file",
       "did you mean prompt? keys are: description, messages"},
      {"prompt = 'x'\n[schema]\ntype = 'object'",
       "t.toml:2:2: schema stands in a step: [[steps]]",
       "--schema"},
      {"steps = 3", "t.toml:1:9: steps is not a list of tables", "write [[steps]]"},
      {"prompt = 'x'\n[[steps]]\nprompt = 'y'", "prompt cannot stand beside steps", "the first"},
      {"[[steps]]\nname = 'a'", "t.toml: step a: neither prompt nor messages is given", ""},
      {"[[steps]]\nprompt = 'x'\nwhen = 'a'", "the first step has no when", "--where"},
      {"[[steps]]\npromt = 'x'", "steps.promt is not a key of a template file", "mean prompt?"},
      {"[[steps]]\nprompt = 'x'\nmax_tokens = 0", "max_tokens is not a count", ""},
      {"[[steps]]\nprompt = 'x'\ntemperature = 'a'", "temperature is not a number", ""},
      {"[[steps]]\nprompt = 'x'\nstrip = 1", "strip is neither true nor false", ""},
      {"[[steps]]\nprompt = 'x'\nfields = 'a:string'\nschema = '{}'",
       "schema and fields exclude each other",
       ""},
      {"prompt = 3", "t.toml:1:10: prompt is not a text", "write prompt = \"…\""},
      {"prompt = 'x'\nmodel = ['a']", "t.toml:2:9: model is not a text", ""},
      {"prompt = 'x'\nparameters = 3", "parameters is not a table", "write [parameters]"},
      {"prompt = 'x'\n[parameters]\nwhen = 2026-01-01", "t.toml:3:8: a parameter is", "quotes"},
      {"prompt = 'x'\n[parameters]\nt = nan", "t.toml:3:5: a parameter is", ""},
      {"prompt = 'x'\n[[messages]]\nrole = 'user'\ncontent = 'x'",
       "messages cannot stand beside system or prompt",
       "make them messages"},
      {"messages = 'x'", "messages is not a list of tables", "write [[messages]]"},
      {"messages = []", "messages is not a list of tables", ""},
      {"messages = [1]", "messages is not a list of tables", ""},
      {"[[messages]]\nrole = 'user'", "t.toml:1:1: this message has no content", "content = "},
      {"[[messages]]\ncontent = 'x'", "this message has no role", ""},
      {"[[messages]]\nrole = 'bot'\ncontent = 'x'", "t.toml:2:8: \"bot\" is not a role", "roles"},
      {"[[messages]]\nrole = 'user'\ntext = 'x'",
       "t.toml:3:1: messages.text is not a key",
       "keys are: content and role"},
      {"prompt = '\xFF'", "t.toml: the template is not UTF-8 text", ""},
  }));
  CAPTURE(c.toml);
  const auto error = refusal(c.toml);
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::template_invalid);
  CHECK_THAT(error->message(), ContainsSubstring(std::string(c.message)));
  CHECK_THAT(error->hint(), ContainsSubstring(std::string(c.hint)));
}

TEST_CASE("a template file that cannot be read is refused", "[template]") {
  const auto missing = thrown_error([] { (void)read_template_file("/nonexistent/t.toml"); });
  REQUIRE(missing);
  CHECK(missing->code() == ErrorCode::usage);
  CHECK(missing->message() == "--template /nonexistent/t.toml: No such file or directory");
  const auto folder = thrown_error([] { (void)read_template_file("/"); });
  REQUIRE(folder);
  CHECK(folder->message() == "--template /: Is a directory");
}

TEST_CASE("the templates that ship compile for the example file", "[template]") {
  const fs::path folder = fs::path(BATCHLLM_SHARE) / "templates";
  int found = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    CAPTURE(entry.path());
    const ChatTemplateText text = read_template_file(entry.path().string());
    CHECK(text.model == "openai/gpt-4o-mini");
    ChatTemplate chat = ChatTemplate::compile(text, ticket_names());
    CHECK(chat.uses_rows());
    CHECK(chat.warnings().empty());
    chat.bind(ticket_names().columns);
    const TestRows rows({{"T-1", "2026-02-02", "chat", "Zoë", "It does not work."}});
    Prompt prompt;
    chat.render(rows.batch(), 0, prompt);
    CHECK_THAT(prompt.messages.back().text, ContainsSubstring("It does not work."));
    ++found;
  }
  CHECK(found >= 4);
}

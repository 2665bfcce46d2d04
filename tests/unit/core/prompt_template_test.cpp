// SPDX-License-Identifier: Apache-2.0
#include "core/prompt_template.h"

#include "tests/support/catch.h"
#include "tests/support/test_rows.h"
#include "tests/support/thrown_error.h"

using namespace batchllm;

namespace {

TemplateNames ticket_names() {
  TemplateNames names;
  names.columns = {
      "id", "text", "lang", "First Name", "a.b", "a", "größe", "Price (USD)", "meta", "{odd}"};
  names.variables = {{"tone", "friendly"}, {"config", R"({"n": [1, 2]})"}};
  return names;
}

std::string rendered(std::string_view text, const TemplateNames& names, const TestRows& rows) {
  PromptTemplate prompt = PromptTemplate::compile(text, names, {"--prompt"});
  prompt.bind(names.columns);
  std::string out;
  prompt.render(rows.batch(), 0, out);
  return out;
}

std::string rendered(std::string_view text) {
  const TestRows rows({{"7",
                        " hello ",
                        "",
                        "Ada",
                        "dotted",
                        R"({"b": "inner", "c": [{"d": 1.50}, null]})",
                        "XL",
                        "9.99",
                        R"({"user": {"full name": "Ada L."}, "ok": true, "tags": ["x", "y"]})",
                        "odd!"}});
  return rendered(text, ticket_names(), rows);
}

std::optional<Error> refusal(std::string_view text) {
  return thrown_error([&] { (void)PromptTemplate::compile(text, ticket_names(), {"ask.txt"}); });
}

struct Case {
  std::string_view text;
  std::string_view result;
};

}  // namespace

TEST_CASE("a placeholder is replaced by the row's value", "[template]") {
  const auto c = GENERATE(values<Case>({
      {"", ""},
      {"no braces", "no braces"},
      {"{id}", "7"},
      {"Ticket {id}:{text}.", "Ticket 7: hello ."},
      {"{id}{id}", "77"},
      {"{ id }", "7"},
      {"{lang}", ""},
      {"{First Name}", "Ada"},
      {"{größe}", "XL"},
      {"{Price (USD)}", "9.99"},
      {"{{odd}}", "{odd}"},
      {"{{odd}|upper}", "{odd}|upper}"},
      {"{tone}", "friendly"},
      {"{tone|upper}!", "FRIENDLY!"},
      {"{config.n[1]}", "2"},
      {"{config.x}", ""},
  }));
  CAPTURE(c.text);
  CHECK(rendered(c.text) == c.result);
}

TEST_CASE("a path reaches into a cell that holds JSON", "[template]") {
  const auto c = GENERATE(values<Case>({
      {"{a.b}", "dotted"},  // a column with that very name wins
      {"{a.c[0].d}", "1.50"},
      {"{a.c[1]}", ""},
      {"{a.c[9]}", ""},
      {"{a.nothing}", ""},
      {"{a.nothing|default:\"none\"}", "none"},
      {"{meta.user.full name}", "Ada L."},
      {"{meta.ok}", "true"},
      {"{meta.tags}", R"(["x", "y"])"},
      {"{meta.tags[1]|upper}", "Y"},
      {"{id.x}", ""},
      {"{text.x}", ""},  // not JSON: nothing there
  }));
  CAPTURE(c.text);
  CHECK(rendered(c.text) == c.result);
}

TEST_CASE("what cannot be a column path stays as it is", "[template]") {
  const std::string_view text = GENERATE(as<std::string_view>(),
                                         "{}",
                                         "{ }",
                                         "{ x, y }",
                                         R"({"label": "bug", "n": 1})",
                                         R"({"a": {"b": 1}})",
                                         R"({"a": {"b": {"c": []}}})",
                                         R"([{"text": "x"}, {"text": "y"}])",
                                         R"({"text"})",
                                         R"({'text': 1})",
                                         "a{3} b{2,5} c{12}",
                                         "function f() {\n  return 1;\n}",
                                         "if (x) { y(); }",
                                         "{x + 1}",
                                         "{x | x > 0}",
                                         "{:>10}",
                                         "{0}",
                                         "{-}",
                                         "{text",
                                         "{",
                                         "}",
                                         "a } b",
                                         "{id. x}",
                                         "{some words that are far from any column}",
                                         "${HOME:-x}",
                                         "{\ntext}");
  CAPTURE(text);
  CHECK(rendered(text) == text);
}

TEST_CASE("doubled braces are literal braces", "[template]") {
  const auto c = GENERATE(values<Case>({
      {"{{", "{"},
      {"}}", "}"},
      {"{{id}}", "{id}"},
      {"{{{id}}}", "{7}"},
      {R"({{"n": {id}}})", R"({"n": 7})"},
      {R"({{"n": {{"m": {id}}}}})", R"({"n": {"m": 7}})"},
      {R"({"n": {id}})", R"({"n": 7})"},
      {R"({"n": {"m": "{id}"}})", R"({"n": {"m": "7"}})"},
      {"{{}}", "{}"},
      {"{}}}", "{}}"},
  }));
  CAPTURE(c.text);
  CHECK(rendered(c.text) == c.result);
}

TEST_CASE("filters change a value from left to right", "[template]") {
  const auto c = GENERATE(values<Case>({
      {"[{text|trim}]", "[hello]"},
      {"[{text|trim|upper|truncate:3}]", "[HEL]"},
      {"[{ text | trim | truncate: 3 }]", "[hel]"},
      {"{lang|default:\"none\"}", "none"},
      {"{lang|default:none}", "none"},
      {"{lang|default:'a } | \" b'}", "a } | \" b"},
      {R"({lang|default:"say \"hi\"\n"})", "say \"hi\"\n"},
      {"{lang|default:\"\"}", ""},
      {"{text|json}", "\" hello \""},
      {"{meta.tags|json}", R"(["x", "y"])"},
      {R"({text|replace:"l","L"})", " heLLo "},
      {"{First Name|lower}", "ada"},
  }));
  CAPTURE(c.text);
  CHECK(rendered(c.text) == c.result);
}

TEST_CASE("a missing value renders as nothing", "[template]") {
  TemplateNames names;
  names.columns = {"a", "n"};
  const TestRows rows({{std::nullopt, TestCell::json("12")}});
  CHECK(rendered("[{a}]", names, rows) == "[]");
  CHECK(rendered("[{a.b}]", names, rows) == "[]");
  CHECK(rendered("[{a|upper|trim}]", names, rows) == "[]");
  CHECK(rendered("[{a|default:x}]", names, rows) == "[x]");
  CHECK(rendered("[{a|json}]", names, rows) == "[null]");
  CHECK(rendered("[{a|length}]", names, rows) == "[0]");
  CHECK(rendered("[{n}{n|json}]", names, rows) == "[1212]");
}

TEST_CASE("the template knows what it reads", "[template]") {
  const auto prompt =
      PromptTemplate::compile("{text} {id} {text|trim} {meta.x} {tone}", ticket_names(), {"x"});
  CHECK(prompt.columns() == std::vector<std::string>{"text", "id", "meta"});
  CHECK(prompt.variables() == std::vector<std::string>{"tone"});
  CHECK(prompt.uses_rows());
  CHECK_FALSE(PromptTemplate::compile("{tone} {{id}}", ticket_names(), {"x"}).uses_rows());
}

TEST_CASE("cells are found in the order that was selected", "[template]") {
  TemplateNames names;
  names.columns = {"a", "b"};
  PromptTemplate prompt = PromptTemplate::compile("{a}-{b}", names, {"x"});
  prompt.bind({"b", "other", "a"});
  const TestRows rows({{"B", "O", "A"}, {"B2", "O2", "A2"}});
  std::string out = "> ";
  prompt.render(rows.batch(), 1, out);
  CHECK(out == "> A2-B2");
  CHECK(thrown_error([&] { prompt.bind({"a"}); })->code() == ErrorCode::internal);
}

TEST_CASE("a path that names no column is refused with the nearest one", "[template]") {
  struct Refused {
    std::string_view text;
    std::string_view message;
    std::string_view hint;
  };

  const auto c = GENERATE(values<Refused>({
      {"{txt}", "ask.txt:1:1: {txt} names no column of the input", "did you mean {text}? columns"},
      {"é\nü {Text}", "ask.txt:2:3: {Text} names no column", "did you mean {text}?"},
      {"{txt|upper}", "{txt} names no column", "did you mean {text}?"},
      {"{yes|no}", "{yes} names no column", "for literal braces write {{yes}}"},
      {"{banana}", "{banana} names no column", "columns are: id, text, lang, First Name, a.b, a"},
      {"{mta.user}", "{mta.user} names no column", "did you mean {meta.user}?"},
      {"{Firstname}", "{Firstname} names no column", "did you mean {First Name}?"},
      {"{First Nam}", "{First Nam} names no column", "did you mean {First Name}?"},
      {"{ txt }", "{txt} names no column", "did you mean {text}?"},
      {"{Price (USD}", "{Price (USD} names no column", "did you mean {Price (USD)}?"},
      {"{tne}", "{tne} names no column", "variables are: tone and config"},
      {R"({"text": "{txt}"})", "ask.txt:1:11: {txt} names", "did you mean {text}?"},
  }));
  CAPTURE(c.text);
  const auto error = refusal(c.text);
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::column_missing);
  CHECK(error->exit_code() == 3);
  CHECK_THAT(error->message(), ContainsSubstring(std::string(c.message)));
  CHECK_THAT(error->hint(), ContainsSubstring(std::string(c.hint)));
}

TEST_CASE("a wrong filter or index is refused with its place", "[template]") {
  struct Refused {
    std::string_view text;
    std::string_view message;
    std::string_view hint;
  };

  const auto c = GENERATE(values<Refused>({
      {"ab {text|uper}",
       "ask.txt:1:4: \"uper\" is not a filter",
       "did you mean upper? filters are"},
      {"{text|}", "\"\" is not a filter", "filters are: base64"},
      {"{text|42}", "\"42\" is not a filter", "filters are: base64"},
      {"{text|truncate}", "filter truncate takes one whole number, as in truncate:200", "first"},
      {"{text|truncate:many}", "filter truncate takes one whole number", ""},
      {"{text|truncate:-1}", "filter truncate takes one whole number", ""},
      {"{text|truncate:1,2}", "filter truncate takes one whole number", ""},
      {"{text|upper:1}", "filter upper takes no argument, as in upper", ""},
      {"{text|default}", "filter default takes one text, as in default:\"none\"", ""},
      {"{text|replace:\"a\"}", "filter replace takes two texts", ""},
      {"{text|replace:\"\",\"a\"}", "filter replace needs a text to look for", ""},
      {"{text|default:\"x}", "the text that begins with \"x} is not closed", "close it with \""},
      {"{text|trim", "expected | or } after \"{text|trim\"", "stand in quotes"},
      {"{text|trim upper}", "expected | or } after \"{text|trim \"", "stand in quotes"},
      {"{text[x]}", "\"[x]\" is not an index of text", "as in {text[0]}"},
      {"\xFF{text}", "ask.txt: the template is not UTF-8 text", "save it as UTF-8"},
  }));
  CAPTURE(c.text);
  const auto error = refusal(c.text);
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::template_invalid);
  CHECK(error->exit_code() == 2);
  CHECK_THAT(error->message(), ContainsSubstring(std::string(c.message)));
  CHECK_THAT(error->hint(), ContainsSubstring(std::string(c.hint)));
}

TEST_CASE("an open-ended input allows unknown names with a default only", "[template]") {
  TemplateNames names;
  names.columns = {"id"};
  names.open_ended = true;
  const auto prompt = PromptTemplate::compile("{late.x|trim|default:\"-\"}", names, {"x"});
  CHECK(prompt.columns() == std::vector<std::string>{"late"});
  const auto error =
      thrown_error([&] { (void)PromptTemplate::compile("{late|trim}", names, {"x"}); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::column_missing);
  CHECK(error->message() == "x:1:1: {late} names no column of the first rows");
  names.open_ended = false;
  CHECK(thrown_error([&] { (void)PromptTemplate::compile("{late|default:1}", names, {"x"}); }));
}

TEST_CASE("places count from where the text begins in its file", "[template]") {
  const auto error = thrown_error([] {
    (void)PromptTemplate::compile("a {txt}", ticket_names(), TemplateOrigin{"t.toml", 4, 11});
  });
  CHECK_THAT(error->message(), ContainsSubstring("t.toml:4:13: {txt}"));
}

TEST_CASE("a variable with the name of a column is refused", "[template]") {
  TemplateNames names;
  names.columns = {"text"};
  names.variables = {{"text", "x"}};
  const auto error = thrown_error([&] { (void)PromptTemplate::compile("", names, {"x"}); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::usage);
  CHECK(error->message() == "--var text: the input has a column named text");
  names.variables = {{"a", "x"}, {"a", "y"}};
  CHECK(thrown_error([&] { (void)PromptTemplate::compile("", names, {"x"}); })->message() ==
        "--var a is given twice");
  names.variables = {{"a", "\xFF"}};
  CHECK(thrown_error([&] { (void)PromptTemplate::compile("", names, {"x"}); })->message() ==
        "--var a: the value is not UTF-8 text");
  names.variables = {{"", "x"}};
  CHECK(thrown_error([&] { (void)PromptTemplate::compile("", names, {"x"}); })->code() ==
        ErrorCode::usage);
}

TEST_CASE("a column in doubled braces is probably not meant", "[template]") {
  const auto prompt = PromptTemplate::compile("Hi {{ text }} {{x}}", ticket_names(), {"--prompt"});
  REQUIRE(prompt.warnings().size() == 1);
  CHECK(prompt.warnings().front() ==
        "--prompt:1:4: {{text}} is the literal text {text}; for the value write {text}");
}

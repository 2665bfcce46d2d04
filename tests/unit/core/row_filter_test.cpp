// SPDX-License-Identifier: Apache-2.0
#include "core/row_filter.h"

#include "core/filter_value.h"
#include "tests/support/catch.h"
#include "tests/support/test_rows.h"
#include "tests/support/thrown_error.h"

using namespace batchllm;

namespace {

TemplateNames ticket_names() {
  TemplateNames names;
  names.columns = {"status", "text", "price", "meta", "gone", "First Name", "n", "id", "active"};
  names.variables = {{"wanted", "open"}};
  return names;
}

bool matches(std::string_view expression) {
  const TestRows rows({{"open",
                        "Größe?",
                        " 12.50 ",
                        R"({"lang": "de", "score": 7, "hot": true, "none": null})",
                        std::nullopt,
                        "Ada",
                        TestCell::json("10"),
                        TestCell::json("9007199254740993"),
                        "TRUE"}});
  const TemplateNames names = ticket_names();
  RowFilter filter = RowFilter::compile(expression, names);
  filter.bind(names.columns);
  return filter.matches(rows.batch(), 0);
}

}  // namespace

TEST_CASE("rows that fulfil the condition match", "[filter]") {
  const std::string_view expression = GENERATE(as<std::string_view>(),
                                               R"(status == "open")",
                                               "status == 'open' and len(text) == 6",
                                               "status == wanted",
                                               R"(status != "closed")",
                                               R"(not status == "closed" && !(price > 100))",
                                               R"(status == "closed" or price >= 12.5)",
                                               R"(status == "closed" || TRUE)",
                                               "price == 12.5",
                                               "price == 1.25e1",
                                               "price > -3",
                                               "price < .5e2",
                                               "n > 9",
                                               "n == \"10\"",
                                               "n == '10.0'",
                                               "id == 9007199254740993",
                                               "id != 9007199254740992",
                                               "id > 9007199254740992",
                                               "number(price) < 13",
                                               "meta.lang in (\"en\", \"de\")",
                                               "meta.lang not in (\"en\", 'fr')",
                                               "meta.score > 6 and meta.score < 8",
                                               "meta.hot == true",
                                               "meta.hot",
                                               "meta.none == null",
                                               "meta.nothing is null",
                                               "meta.lang is not null",
                                               "gone == null",
                                               "gone is null",
                                               "gone != \"x\"",
                                               "status != null",
                                               "not (gone < 5)",
                                               "not (gone > 5)",
                                               "len(gone) is null",
                                               "default(gone, \"x\") == \"x\"",
                                               "default(status, \"x\") == 'open'",
                                               "number(text) is null",
                                               "not (text < 5) and not (text >= 5) and text != 5",
                                               "text contains \"öß\"",
                                               "text not contains 'x'",
                                               "text starts_with 'Gr' and text ends_with \"?\"",
                                               "text like 'Gr??e*'",
                                               "text not like '*x*'",
                                               "lower(`First Name`) == \"ada\"",
                                               "upper({First Name}) == \"ADA\"",
                                               "trim(price) == \"12.50\"",
                                               "active == true",
                                               "active != false",
                                               "(status == 'open') == true",
                                               "(((status)))",
                                               "status > 'a' AND status < 'z'",
                                               "'it\\'s' == \"it's\"",
                                               "2 in (1, 2.0)");
  CAPTURE(expression);
  CHECK(matches(expression));
}

TEST_CASE("rows that do not fulfil the condition do not match", "[filter]") {
  const std::string_view expression =
      GENERATE(as<std::string_view>(),
               R"(status == "Open")",
               "price == '12.50'",
               "text == 0",
               "gone",
               "gone == \"\"",
               "gone contains ''",
               "gone like '*'",
               "gone in ('x')",
               "null < 1",
               "null >= null",
               "false or 0 or '' or 'False' or \"0\" or null",
               "not true",
               "n < 9",
               "true and status == 'closed'",
               "true or true and false == true and false or not true "
               "and false == not_there_is_constant");
  CAPTURE(expression);
  if (expression.find("not_there") != std::string_view::npos) {
    CHECK(thrown_error([&] { matches(expression); })->code() == ErrorCode::column_missing);
  } else {
    CHECK_FALSE(matches(expression));
  }
}

TEST_CASE("and binds stronger than or, not stronger than both", "[filter]") {
  CHECK(matches("true or false and false"));
  CHECK_FALSE(matches("(true or false) and false"));
  CHECK(matches("not false and true"));
  CHECK_FALSE(matches("not (true or false)"));
  CHECK(matches("not not true"));
}

TEST_CASE("a filter names its columns once and follows the selection", "[filter]") {
  RowFilter filter =
      RowFilter::compile("len(text) > 1 and status == 'x' or text == ''", ticket_names());
  CHECK(filter.columns() == std::vector<std::string>{"text", "status"});
  filter.bind({"status", "id", "text"});
  const TestRows rows({{"x", "1", "long"}, {"y", "2", "long"}, {"y", "3", ""}});
  CHECK(filter.matches(rows.batch(), 0));
  CHECK_FALSE(filter.matches(rows.batch(), 1));
  CHECK(filter.matches(rows.batch(), 2));
  CHECK(thrown_error([&] { filter.bind({"text"}); })->code() == ErrorCode::internal);
}

TEST_CASE("a malformed condition is refused with its place", "[filter]") {
  struct Refused {
    std::string_view expression;
    std::string_view message;
    std::string_view hint;
  };

  const auto c = GENERATE(values<Refused>({
      {"", "--where: the expression is empty", "write a condition"},
      {"status = \"open\"",
       "--where: \"=\" is not a comparison\n  status = \"open\"\n         ^",
       "use =="},
      {"status <> 'x'", "\"<>\" is not a comparison", "use !="},
      {"status == 'x' & n", "\"&\" joins nothing", "use and"},
      {"status == 'x' | n", "\"|\" joins nothing", "use or"},
      {"status == ", "the expression ends where a value is expected", "a value is a column"},
      {"== 'x'", "expected a value before \"==\"", ""},
      {"status == 'x", "this text is not closed\n  status == 'x\n            ^", "end it with '"},
      {"`status == 'x'", "this name is not closed", "end it with `"},
      {"status == “open”", "typographic quotes do not begin a text", "write \"…\""},
      {"status 'x'", "expected and, or or the end\n  status 'x'\n         ^", "comparisons are:"},
      {"status matches 'x.*'", "there are no regular expressions here", "use like"},
      {"(status == 'x'", "expected )", "each ( needs a )"},
      {"status in 'x'", "expected ( after in", "as in lang in"},
      {"status in ()", "expected a value before \")\"", ""},
      {"status is 'x'", "expected null after is", "use =="},
      {"status not 'x'", "expected in, contains, starts_with, ends_with or like after not", ""},
      {"1 < n < 3", "comparisons do not chain", "join two comparisons with and"},
      {"lenn(text) > 1", "lenn() is not a function", "did you mean len()? functions are: len"},
      {"len(text, 1) > 1", "len() takes 1 value, not 2", "as in len(text)"},
      {"default(text) == 1", "default() takes 2 values, not 1", "as in default(text, \"none\")"},
      {"n > 12abc", "this is not a number", ""},
      {"n > 1e999", "this is not a number", ""},
      {"n + 1 > 2", "\"+\" has no meaning here", ""},
      {"and", "expected a value before \"and\"", "a column of that name is written `and`"},
      {"text == \"\xFF\"", "not UTF-8", ""},
  }));
  CAPTURE(c.expression);
  const auto error = thrown_error([&] { matches(c.expression); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::usage);
  CHECK_THAT(error->message(), ContainsSubstring(std::string(c.message)));
  CHECK_THAT(error->hint(), ContainsSubstring(std::string(c.hint)));
}

TEST_CASE("an unknown column is refused with the nearest one", "[filter]") {
  const auto near = thrown_error([] { matches("len(text) > 1 and staus == 'open'"); });
  REQUIRE(near);
  CHECK(near->code() == ErrorCode::column_missing);
  CHECK(near->message() ==
        "--where: staus names no column of the input\n"
        "  len(text) > 1 and staus == 'open'\n"
        "                    ^");
  CHECK_THAT(near->hint(), ContainsSubstring("did you mean status? columns are: status, text"));

  const auto unquoted = thrown_error([] { matches("status == closed"); });
  REQUIRE(unquoted);
  CHECK_THAT(unquoted->hint(), ContainsSubstring("the text is written \"closed\""));
}

TEST_CASE("an open-ended input allows unknown names inside default()", "[filter]") {
  TemplateNames names;
  names.columns = {"id"};
  names.open_ended = true;
  CHECK(RowFilter::compile("default(late.x, 0) > 1", names).columns() ==
        std::vector<std::string>{"late"});
  CHECK(thrown_error([&] { (void)RowFilter::compile("late > 1", names); })->code() ==
        ErrorCode::column_missing);
}

TEST_CASE("no expression exhausts the stack", "[filter]") {
  const std::string deep(60'000, GENERATE('(', '!'));
  const auto error = thrown_error([&] { matches(deep + "true"); });
  REQUIRE(error);
  CHECK_THAT(error->message(), ContainsSubstring("nested too deeply"));
  CHECK(error->message().size() < 400);
  CHECK_THAT(thrown_error([&] { matches(std::string(70'000, ' ')); })->message(),
             ContainsSubstring("longer than 64.0 KB"));
  std::string wide = "false";
  for (int i = 0; i < 5000; ++i) {
    wide += " or n == 1";
  }
  CHECK_FALSE(matches(wide));
}

TEST_CASE("patterns know * and ?", "[filter]") {
  struct Case {
    std::string_view text;
    std::string_view pattern;
    bool matches;
  };

  const auto c = GENERATE(values<Case>({
      {"", "", true},
      {"", "*", true},
      {"", "?", false},
      {"abc", "abc", true},
      {"abc", "ab", false},
      {"abc", "a*", true},
      {"abc", "*c", true},
      {"abc", "*b*", true},
      {"abc", "a?c", true},
      {"äöü", "???", true},
      {"äöü", "??", false},
      {"aab", "*ab", true},
      {"mississippi", "*iss*ip*i", true},
      {"mississippi", "*iss*x*", false},
      {"a", "a**", true},
  }));
  CAPTURE(c.text, c.pattern);
  CHECK(matches_pattern(c.text, c.pattern) == c.matches);
}

// SPDX-License-Identifier: Apache-2.0
#include "core/template_filters.h"

#include "tests/support/catch.h"

#include <algorithm>
#include <array>

using namespace batchllm;

namespace {

std::string filtered(std::string_view name,
                     std::vector<std::string> arguments,
                     std::string_view text,
                     CellKind kind = CellKind::text) {
  const TemplateFilter* filter = find_template_filter(name);
  REQUIRE(filter != nullptr);
  const std::vector<FilterCall> calls = {make_filter_call(*filter, std::move(arguments)).value()};
  TemplateValue value{text, kind, text.data() == nullptr};
  std::array<std::string, 2> buffers;
  apply_filters(calls, value, buffers);
  return std::string(value.text);
}

}  // namespace

TEST_CASE("each filter does what its help line says", "[template]") {
  struct Case {
    std::string_view filter;
    std::vector<std::string> arguments;
    std::string_view text;
    std::string_view result;
  };

  const auto c = GENERATE(values<Case>({
      {"trim", {}, " \t a b\r\n", "a b"},
      {"trim", {}, " ", ""},
      {"truncate", {"3"}, "äöüß", "äöü"},
      {"truncate", {"4"}, "äöüß", "äöüß"},
      {"truncate", {"0"}, "abc", ""},
      {"truncate_words", {"2"}, " one  two three", " one  two"},
      {"truncate_words", {"3"}, "one two three ", "one two three "},
      {"truncate_words", {"0"}, "one", ""},
      {"truncate_words", {"1"}, "", ""},
      {"upper", {}, "straße é z", "STRAßE é Z"},
      {"lower", {}, "ÄB@[Z", "Äb@[z"},
      {"default", {"x"}, "", "x"},
      {"default", {"x"}, " ", " "},
      {"json", {}, "a\"b\n\xC3\xA4", "\"a\\\"b\\n\xC3\xA4\""},
      {"json", {}, "", "\"\""},
      {"one_line", {}, "  a\r\n\tb  c\n", "a b c"},
      {"one_line", {}, "", ""},
      {"replace", {"aa", "b"}, "aaaaa", "bba"},
      {"replace", {"x", ""}, "xaxbx", "ab"},
      {"lines", {"2"}, "a\r\nb\r\nc", "a\r\nb"},
      {"lines", {"2"}, "a\nb", "a\nb"},
      {"lines", {"1"}, "a\n", "a"},
      {"lines", {"0"}, "a\nb", ""},
      {"length", {}, "äöü", "3"},
      {"escape_xml",
       {},
       "<a href=\"x\">'&'</a>",
       "&lt;a href=&quot;x&quot;&gt;&apos;&amp;&apos;&lt;/a&gt;"},
      {"urlencode", {}, "a b/ä~-_.", "a%20b%2F%C3%A4~-_."},
      {"base64", {}, "", ""},
      {"base64", {}, "f", "Zg=="},
      {"base64", {}, "fo", "Zm8="},
      {"base64", {}, "foo", "Zm9v"},
      {"base64", {}, "\xFF\xFE\xFD\xFC", "//79/A=="},
  }));
  CAPTURE(c.filter, c.text);
  CHECK(filtered(c.filter, c.arguments, c.text) == c.result);
}

TEST_CASE("json leaves what is JSON alone", "[template]") {
  CHECK(filtered("json", {}, "1.50", CellKind::json) == "1.50");
  CHECK(filtered("json", {}, R"({"a": 1})", CellKind::json) == R"({"a": 1})");
}

TEST_CASE("a long chain of filters never mixes its buffers", "[template]") {
  std::vector<FilterCall> calls;
  for (const auto* name :
       {"upper", "trim", "lower", "one_line", "trim", "upper", "lower", "json"}) {
    calls.push_back(make_filter_call(*find_template_filter(name), {}).value());
  }
  TemplateValue value{"  A  b  C ", CellKind::text, false};
  std::array<std::string, 2> buffers;
  apply_filters(calls, value, buffers);
  CHECK(value.text == "\"a b c\"");
}

TEST_CASE("the table of filters is sorted and complete for help", "[template]") {
  const auto filters = template_filters();
  CHECK(std::is_sorted(filters.begin(), filters.end(), [](const auto& a, const auto& b) {
    return a.name < b.name;
  }));
  for (const auto& filter : filters) {
    CHECK_FALSE(filter.help.empty());
    CHECK(filter.usage.substr(0, filter.name.size()) == filter.name);
  }
  CHECK(nearest_template_filter("trunc") == "truncate");
  CHECK(nearest_template_filter("banana").empty());
}

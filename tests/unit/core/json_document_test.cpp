// SPDX-License-Identifier: Apache-2.0
#include "core/json_document.h"

#include "tests/support/catch.h"
#include "tests/support/suite_files.h"

#include <cmath>

using namespace batchllm;

namespace {

JsonNode parsed(std::string_view text) {
  auto node = parse_json_document(text);
  if (!node) {
    FAIL(node.error().message);
  }
  return *std::move(node);
}

std::string why_refused(std::string_view text, const JsonLimits& limits = {}) {
  const auto node = parse_json_document(text, limits);
  return node ? "taken" : node.error().message;
}

}  // namespace

TEST_CASE("a document is read value by value and keeps the order of its members", "[json]") {
  const JsonNode root = parsed(
      R"( {"name":"a\u00e9\n","n":[1,-2.50,true,null],"o":{"z":{},"a":[]},"f":false,"":"empty"} )");

  REQUIRE(root.kind() == JsonNode::Kind::object);
  CHECK(root.find_string("name") == "a\xC3\xA9\n");
  CHECK(root.find_string("") == "empty");
  CHECK(root.find("f")->boolean() == false);
  REQUIRE(root.find("n")->items().size() == 4);
  CHECK(root.find("n")->items()[0].integer() == 1);
  CHECK(root.find("n")->items()[1].number() == -2.5);
  CHECK(root.find("n")->items()[2].boolean() == true);
  CHECK(root.find("n")->items()[3].is_null());
  REQUIRE(root.find("o")->members().size() == 2);
  CHECK(root.find("o")->members()[0].key == "z");
  CHECK(root.find("o")->members()[1].value.kind() == JsonNode::Kind::array);
  CHECK(root.find("absent") == nullptr);
}

TEST_CASE("a value answers only questions of its own kind", "[json]") {
  const JsonNode root = parsed(R"({"s":"1","n":1,"b":true,"z":null,"a":[],"o":{}})");
  for (const auto& [key, value] : root.members()) {
    CAPTURE(key);
    CHECK(value.string().has_value() == (key == "s"));
    CHECK(value.integer().has_value() == (key == "n"));
    CHECK(value.unsigned_integer().has_value() == (key == "n"));
    CHECK(value.number().has_value() == (key == "n"));
    CHECK(value.number_text().has_value() == (key == "n"));
    CHECK(value.boolean().has_value() == (key == "b"));
    CHECK(value.is_null() == (key == "z"));
    CHECK(value.items().empty());
    CHECK(value.members().empty());
    CHECK(value.find("s") == nullptr);
  }
  CHECK_FALSE(root.find_string("n").has_value());
  CHECK_FALSE(root.find_string("absent").has_value());
}

TEST_CASE("a number is whole only when it is spelled so and fits", "[json]") {
  struct Case {
    std::string text;
    std::optional<std::int64_t> integer;
    std::optional<std::uint64_t> unsigned_integer;
    double number;
  };

  const auto& c = GENERATE(values<Case>({
      {"0", 0, 0, 0},
      {"-0", 0, std::nullopt, 0},
      {"42", 42, 42, 42},
      {"-7", -7, std::nullopt, -7},
      {"9223372036854775807", INT64_MAX, INT64_MAX, 9223372036854775807.0},
      {"9223372036854775808", std::nullopt, 9223372036854775808ULL, 9223372036854775808.0},
      {"-9223372036854775808", INT64_MIN, std::nullopt, -9223372036854775808.0},
      {"18446744073709551615", std::nullopt, UINT64_MAX, 18446744073709551615.0},
      {"1.0", std::nullopt, std::nullopt, 1},
      {"1e3", std::nullopt, std::nullopt, 1000},
      {"0.10", std::nullopt, std::nullopt, 0.1},
      {"1.5E-3", std::nullopt, std::nullopt, 0.0015},
  }));
  CAPTURE(c.text);
  for (const auto& text : {c.text, " " + c.text + "\n ", "[" + c.text + " ]"}) {
    const JsonNode root = parsed(text);
    const JsonNode& node = root.items().empty() ? root : root.items()[0];
    CHECK(node.integer() == c.integer);
    CHECK(node.unsigned_integer() == c.unsigned_integer);
    CHECK(node.number() == c.number);
    CHECK(node.number_text() == c.text);
  }
}

TEST_CASE("a document that is not strictly JSON is refused with the reason", "[json]") {
  struct Case {
    std::string text;
    std::string reason;
  };

  const auto& c = GENERATE(values<Case>({
      {"", "nothing in it"},
      {" \n", "nothing in it"},
      {"{\"a\":1,\"b\":2,\"a\":1}", "the key \"a\" stands twice in an object"},
      {"[{\"a\":1,\"\\u0061\":2}]", "the key \"a\" stands twice in an object"},
      {"\"\xFF\"", "not well-formed UTF-8"},
      {"{\"\xC3\x28\":1}", "not well-formed UTF-8"},
      {"\"\xED\xA0\x80\"", "not well-formed UTF-8"},
      {"\"a\nb\"", "not JSON: a control character inside a string"},
      {"\"\\ud800\"", "not JSON: a broken escape in a string"},
      {"\"open", "not JSON: a string without its closing quote"},
      {"18446744073709551616", "not JSON: a number that is malformed or out of range"},
      {"1e400", "not JSON: a number that is malformed or out of range"},
      {"01", "not JSON: a number that is malformed or out of range"},
  }));
  CAPTURE(c.text);
  CHECK(why_refused(c.text) == c.reason);
}

TEST_CASE("more than one value, or less, is refused", "[json]") {
  for (const char* text : {"1,2",
                           "1 2",
                           "[1],[2]",
                           "[1][2]",
                           "1]",
                           "[1",
                           "],[",
                           "][",
                           "{\"a\":1},",
                           "{\"a\" 1}",
                           "{a:1}",
                           "[1,]",
                           "nul",
                           "nulll",
                           "tru",
                           "NaN",
                           "'a'",
                           "// a\n1",
                           "\xEF\xBB\xBF{}"}) {
    CAPTURE(text);
    CHECK(why_refused(text) != "taken");
  }
}

TEST_CASE("a document stays within its limits", "[json]") {
  JsonLimits limits;
  limits.bytes = 30;
  CHECK(why_refused(std::string(30, ' ') + "1", limits) == "31 B long, more than 30 B");
  CHECK(why_refused(std::string(29, ' ') + "1", limits) == "taken");
  limits.depth = 3;
  CHECK(why_refused("[[{\"a\":1}]]", limits) == "taken");
  CHECK(why_refused("[[{\"a\":[]}]]", limits) == "nested more than 3 levels deep");
  limits.values = 4;
  CHECK(why_refused("[1,2,3]", limits) == "taken");
  CHECK(why_refused("[1,2,3,4]", limits) == "more than 4 values in it");
  CHECK(why_refused(std::string(100'000, '[')) != "taken");
  CHECK(why_refused(std::string(1000, '[') + std::string(1000, ']')) ==
        "nested more than 64 levels deep");
}

TEST_CASE("a document is written again as it was, without white space", "[json]") {
  const JsonNode root =
      parsed("{ \"a\" : [ 1.50 , -0 , \"q\\\"\\u0001\\u00e9\" , null ] ,\n\"b\":{ \"c\": true} }");
  const std::string json = root.to_json();
  CHECK(json == "{\"a\":[1.50,-0,\"q\\\"\\u0001\xC3\xA9\",null],\"b\":{\"c\":true}}");
  CHECK(parsed(json).to_json() == json);
  CHECK(root.find("a")->to_json() == "[1.50,-0,\"q\\\"\\u0001\xC3\xA9\",null]");
}

TEST_CASE("a value outlives the text that it was read from", "[json]") {
  std::string text = R"({"key":"a value longer than what fits beside its length","n":12.25})";
  const JsonNode root = parsed(text);
  const JsonNode copy = *root.find("key");
  text.assign(text.size(), '#');
  CHECK(root.find_string("key") == "a value longer than what fits beside its length");
  CHECK(root.find("n")->number_text() == "12.25");
  CHECK(copy.string() == root.find_string("key"));
}

TEST_CASE("documents are taken and refused as JSONTestSuite says", "[json][suite]") {
  const auto files = files_below(suites_folder() / "JSONTestSuite" / "test_parsing");
  if (files.empty()) {
    WARN("JSONTestSuite is not in " << suites_folder().string() << ": nothing was checked");
  }
  for (const auto& path : files) {
    const std::string name = path.filename().string();
    CAPTURE(name);
    const auto node = parse_json_document(file_text(path));
    if (name.starts_with("n_")) {
      CHECK_FALSE(node.has_value());
    } else if (name.starts_with("y_")) {
      // Keys that stand twice are allowed by the grammar and refused here.
      CHECK(node.has_value() == !name.starts_with("y_object_duplicated"));
    }
  }
}

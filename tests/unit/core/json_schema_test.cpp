// SPDX-License-Identifier: Apache-2.0
#include "core/json_schema.h"

#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/support/thrown_error.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

using namespace batchllm;

namespace {

constexpr std::string_view k_ticket = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "properties": {
    "label": {"enum": ["bug", "question", "praise"], "description": "what it is"},
    "confidence": {"type": "number", "minimum": 0, "maximum": 1},
    "tags": {"type": "array", "items": {"type": "string", "minLength": 2}, "maxItems": 3,
             "uniqueItems": true},
    "note": {"anyOf": [{"type": "string", "pattern": "^[A-Z]"}, {"type": "null"}]},
    "a/b": {"$ref": "#/$defs/count"}
  },
  "required": ["label", "confidence"],
  "additionalProperties": false,
  "$defs": {"count": {"type": "integer", "multipleOf": 5}}
})";

std::string why_refused(std::string_view schema) {
  const auto error = thrown_error([&] { (void)JsonSchema::compile(schema); });
  return error ? error->message() : "taken";
}

// The mistakes, one a line.
std::string mistakes(std::string_view schema, std::string_view answer) {
  std::string text;
  for (const auto& mistake : JsonSchema::compile(schema).validate(answer)) {
    text += (text.empty() ? "" : "\n") + mistake.text();
  }
  return text;
}

}  // namespace

TEST_CASE("an answer that follows its schema has no mistakes", "[schema]") {
  const JsonSchema schema = JsonSchema::compile(k_ticket);
  CHECK(schema.validate(R"({"label":"bug","confidence":1})").empty());
  CHECK(schema
            .validate(R"( {"confidence":0.25,"label":"praise","tags":["ab","cd"],
                             "note":null,"a/b":10.0} )")
            .empty());
}

TEST_CASE("a mistake names its place, what was expected and what was found", "[schema]") {
  struct Case {
    std::string_view answer;
    std::string_view expected;
  };

  const auto& c = GENERATE(values<Case>({
      {"[]", "the answer: expected object, found array"},
      {R"({"label":"Bug","confidence":1})",
       R"(/label: expected one of "bug", "question", "praise", found "Bug")"},
      {R"({"label":"bug"})", R"(the answer: the property "confidence" is missing)"},
      {R"({"label":"bug","confidence":"1"})", "/confidence: expected number, found string"},
      {R"({"label":"bug","confidence":1.5})", "/confidence: must be at most 1, found 1.5"},
      {R"({"label":"bug","confidence":1,"x":0})", R"(the answer: the property "x" is not allowed)"},
      {R"({"label":"bug","confidence":1,"tags":["ab",7]})",
       "/tags/1: expected string, found integer"},
      {R"({"label":"bug","confidence":1,"tags":["ab","é"]})",
       "/tags/1: must have at least 2 characters, has 1"},
      {R"({"label":"bug","confidence":1,"tags":["ab","cd","ab"]})",
       "/tags: items must differ, those at 0 and 2 are the same"},
      {R"({"label":"bug","confidence":1,"tags":["ab","cd","ef","gh"]})",
       "/tags: must have at most 3 items, has 4"},
      {R"({"label":"bug","confidence":1,"note":"small"})",
       "/note: does not match the pattern ^[A-Z]"},
      {R"({"label":"bug","confidence":1,"note":5})",
       "/note: expected string or null, found integer"},
      {R"({"label":"bug","confidence":1,"a/b":7})", "/a~1b: must be a multiple of 5, found 7"},
      {R"({"label":"bug","confidence":1,"a/b":5.5})", "/a~1b: expected integer, found number"},
      {"", "the answer: expected JSON, found nothing"},
      {R"({"label":"bug","confidence":)",
       "the answer: not JSON: commas, brackets, quotes or words are not where they must be"},
      {R"({"label":"bug","confidence":1,"label":"praise"})",
       R"(the answer: the key "label" stands twice in an object)"},
      {R"({"label":"bug"} and more)",
       "the answer: not JSON: commas, brackets, quotes or words are not where they must be"},
  }));
  CAPTURE(c.answer);
  CHECK(mistakes(k_ticket, c.answer) == c.expected);
}

TEST_CASE("a few mistakes are told, in one line the first", "[schema]") {
  const JsonSchema schema = JsonSchema::compile(k_ticket);
  const auto found =
      schema.validate(R"({"label":1,"confidence":-1,"tags":[1,2,3,4,5,6,7],"note":"x","z":1})");
  REQUIRE(found.size() == 5);
  CHECK(one_line_summary(found) ==
        R"(/label: expected one of "bug", "question", "praise", found 1 (and 4 more))");
}

TEST_CASE("rules that put schemas together tell what went wrong", "[schema]") {
  CHECK(mistakes(R"({"not":{"type":"string"}})", R"("a")") == "the answer: is what not forbids");
  CHECK(mistakes(R"({"oneOf":[{"minimum":1},{"minimum":2}]})", "3") ==
        "the answer: must follow one schema of oneOf, follows 2");
  CHECK(mistakes(R"({"oneOf":[{"minimum":1},{"minimum":2}]})", "0") ==
        "the answer: follows none of the 2 schemas it may follow");
  CHECK(mistakes(R"({"if":{"type":"integer"},"then":{"minimum":3},"else":false})", "1") ==
        "the answer: must be at least 3, found 1");
  CHECK(mistakes(R"({"if":{"type":"integer"},"then":{"minimum":3},"else":false})", "null") ==
        "the answer: no value is allowed here");
  CHECK(mistakes(R"({"contains":{"const":1},"minContains":2})", "[1]") ==
        "the answer: must have at least 2 items of the kind that contains describes, has 1");
  CHECK(mistakes(R"({"propertyNames":{"pattern":"^a"}})", R"({"b":1})") ==
        R"(the answer: "b" is not allowed as the name of a property)");
  CHECK(mistakes(R"({"dependentRequired":{"a":["b"]}})", R"({"a":1})") ==
        R"(the answer: the property "b" is missing, which "a" asks for)");
  CHECK(mistakes(R"({"const":{"a":[1.0]}})", R"({"a":[1]})").empty());
  CHECK(mistakes(R"({"const":{"a":[1.0]}})", R"({"a":[2]})") ==
        R"(the answer: expected {"a":[1.0]}, found {"a":[2]})");
  CHECK(mistakes(R"({"enum":[]})", "1") == "the answer: no value is allowed here");
}

TEST_CASE("a schema that cannot be checked in full is refused, with its place", "[schema]") {
  struct Case {
    std::string_view schema;
    std::string_view reason;
  };

  const auto& c = GENERATE(values<Case>({
      {"", "#: nothing in it"},
      {"7", "#: a schema must be an object, true or false"},
      {R"({"type":"obejct"})", "#/type: unknown type \"obejct\"; did you mean \"object\"?"},
      {R"({"type":[]})", "#/type: names no type"},
      {R"({"requird":["a"]})", "#/requird: unknown keyword requird; did you mean required?"},
      {R"({"nullable":true})", "unknown keyword nullable; an own one starts with x-"},
      {R"({"properties":{"a/b":{"unevaluatedItems":false}}})",
       "#/properties/a~1b/unevaluatedItems: the keyword unevaluatedItems is not supported; use "
       "items"},
      {R"({"items":[{}]})", "#/items: a list of schemas is written as prefixItems"},
      {R"({"anyOf":[{},5]})", "#/anyOf/1: a schema must be an object, true or false"},
      {R"({"anyOf":[]})", "#/anyOf: must hold a schema"},
      {R"({"allOf":{}})", "#/allOf: must be an array"},
      {R"({"properties":[]})", "#/properties: must be an object"},
      {R"({"required":["a","a"]})", "#/required: names something twice"},
      {R"({"required":"a"})", "#/required: must be an array"},
      {R"({"minLength":-1})", "#/minLength: must be a whole number, 0 or more"},
      {R"({"minLength":1.5})", "#/minLength: must be a whole number, 0 or more"},
      {R"({"maximum":"1"})", "#/maximum: must be a number"},
      {R"({"multipleOf":0})", "#/multipleOf: must be greater than 0"},
      {R"({"uniqueItems":1})", "#/uniqueItems: must be true or false"},
      {R"({"pattern":"("})", "#/pattern: the pattern ( is not usable: missing closing"},
      {R"({"patternProperties":{"[":{}}})", "#/patternProperties/[: the pattern [ is not usable"},
      {R"({"$ref":"#/$defs/x"})", "#/$ref: nothing is at #/$defs/x"},
      {R"({"$ref":"#/enum","enum":[1]})", "#/$ref: what is at #/enum is no schema"},
      {R"({"$ref":"#x"})", "#/$ref: no $anchor is named x"},
      {R"({"$ref":"#/%zz"})", "#/$ref: #/%zz is not a URI reference"},
      {R"({"$ref":"https://example.com/a"})", "leads out of this schema"},
      {R"({"$ref":"#"})", "a $ref leads back to itself"},
      {R"({"allOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"not":{"$ref":"#"}}}})",
       "a $ref leads back to itself"},
      {R"({"items":{"$id":"a"}})", "#/items/$id: $id is supported at the root only"},
      {R"({"$anchor":"1"})", "#/$anchor: must be a name"},
      {R"({"$schema":"http://json-schema.org/draft-04/schema#"})",
       "#/$schema: http://json-schema.org/draft-04/schema# is not supported"},
      {R"({"$ref":"#/$defs/a","minimum":1,"$defs":{"a":{}},
           "$schema":"http://json-schema.org/draft-07/schema#"})",
       "draft-07 ignores minimum beside $ref"},
      {R"({"a":1,"a":2})", "the key \"a\" stands twice"},
  }));
  CAPTURE(c.schema);
  CHECK_THAT(why_refused(c.schema), ContainsSubstring(std::string(c.reason)));
}

TEST_CASE("every keyword that is not supported is refused by its name, at any depth", "[schema]") {
  // As man/batchllm-run.1.in lists them.
  const std::string keyword = GENERATE("unevaluatedProperties",
                                       "unevaluatedItems",
                                       "$dynamicRef",
                                       "$dynamicAnchor",
                                       "$vocabulary",
                                       "$recursiveRef",
                                       "$recursiveAnchor",
                                       "additionalItems",
                                       "dependencies");
  const std::string value = GENERATE("true", "{}", "\"#a\"");
  const std::string member = "\"" + keyword + "\":" + value;
  for (const std::string& schema : {"{" + member + "}",
                                    R"({"$defs":{"unused":{"items":{)" + member + "}}}}",
                                    R"({"anyOf":[true,{"not":{)" + member + "}}]}"}) {
    CAPTURE(schema);
    CHECK_THAT(why_refused(schema),
               ContainsSubstring("the keyword " + keyword + " is not supported"));
  }
}

TEST_CASE("a refusal is an error of usage that carries the place", "[schema]") {
  const auto error =
      thrown_error([] { (void)JsonSchema::compile(R"({"items":{"type":"text"}})"); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::usage);
  REQUIRE(error->details().size() == 1);
  CHECK(error->details()[0].second == "#/items/type");
}

TEST_CASE("annotations and own keywords assert nothing", "[schema]") {
  CHECK(mistakes(R"({"title":"t","description":"d","default":1,"examples":[1],"$comment":"c",
                     "format":"date","contentEncoding":"base64","x-order":1,"deprecated":true,
                     "$id":"https://example.com/s","$anchor":"here"})",
                 R"("no date")")
            .empty());
}

TEST_CASE("a schema may refer to itself on its way into a value", "[schema]") {
  constexpr std::string_view k_tree =
      R"({"$id":"urn:tree","type":"object","required":["v"],
          "properties":{"v":{"type":"integer"},"kids":{"items":{"$ref":"urn:tree#"}}}})";
  CHECK(mistakes(k_tree, R"({"v":1,"kids":[{"v":2,"kids":[]},{"v":3}]})").empty());
  CHECK(mistakes(k_tree, R"({"v":1,"kids":[{"v":2,"kids":[{}]}]})") ==
        R"(/kids/0/kids/0: the property "v" is missing)");
}

TEST_CASE("an answer as deep as it likes is refused, not followed", "[schema]") {
  const JsonSchema schema = JsonSchema::compile(R"({"items":{"$ref":"#"}})");
  CHECK(schema.validate(std::string(50, '[') + std::string(50, ']')).empty());
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  REQUIRE(schema.validate(deep).size() == 1);
  CHECK_THAT(schema.validate(deep)[0].text(), ContainsSubstring("nested too deeply"));
}

TEST_CASE("a schema that doubles its work at every step gives up by name", "[schema]") {
  std::string definitions;
  for (int i = 0; i < 30; ++i) {
    definitions +=
        fmt::format(R"({}"d{}":{{"allOf":[{{"$ref":"#/$defs/d{}"}},{{"$ref":"#/$defs/d{}"}}]}})",
                    i == 0 ? "" : ",",
                    i,
                    i + 1,
                    i + 1);
  }
  // Each definition is two schemas inside each other; 16 of them are the most.
  CHECK_THAT(
      why_refused(fmt::format(R"({{"$defs":{{{},"d30":{{"type":"integer"}}}}}})", definitions)),
      ContainsSubstring("more than 32 schemas inside each other"));
  // Over the levels of a value there is no such bound: the steps are counted.
  const JsonSchema doubling =
      JsonSchema::compile(R"({"allOf":[{"items":{"$ref":"#"}},{"items":{"$ref":"#"}}]})");
  CHECK(doubling.validate("[[[[1]]]]").empty());
  const auto given_up = doubling.validate(std::string(40, '[') + std::string(40, ']'));
  REQUIRE(given_up.size() == 1);
  CHECK(given_up[0].text() == "the answer: takes too long to check against its schema");
  // What could not be decided holds in no way around.
  const JsonSchema slow = JsonSchema::compile(R"({"not":{"pattern":"^(a+)+$"}})");
  CHECK(slow.validate(fmt::format(R"("{}!")", std::string(50, 'a'))).size() == 1);
}

TEST_CASE("long lists and big numbers are compared exactly", "[schema]") {
  std::string many = "[";
  for (int i = 0; i < 50'000; ++i) {
    many += fmt::format(R"({{"i":{}}},)", i);
  }
  CHECK(mistakes(R"({"uniqueItems":true})", many + "{}]").empty());
  CHECK(mistakes(R"({"uniqueItems":true})", many + R"({"i":7.0}])") ==
        "the answer: items must differ, those at 7 and 50000 are the same");
  CHECK(mistakes(R"({"maximum":18446744073709551614})", "18446744073709551615") ==
        "the answer: must be at most 18446744073709551614, found 18446744073709551615");
  CHECK(mistakes(R"({"const":9007199254740993})", "9007199254740992") !=
        mistakes("true", "9007199254740992"));
  CHECK(mistakes(R"({"multipleOf":0.01})", "1234567.89").empty());
  CHECK_FALSE(mistakes(R"({"multipleOf":0.01})", "1234567.891").empty());
  CHECK(mistakes(R"({"multipleOf":1e-300})", "1e300").empty());
}

TEST_CASE("the properties of the object are columns, in the schema's order", "[schema]") {
  const auto shown = [](std::string_view schema) {
    std::string text;
    const JsonSchema compiled = JsonSchema::compile(schema);
    for (const auto& column : compiled.columns()) {
      text += fmt::format(
          "{}:{}{} ", column.name, column_type_name(column.type), column.is_required ? "!" : "");
    }
    return text;
  };
  CHECK(shown(k_ticket) == "label:string! confidence:number! tags:array note:string a/b:integer ");
  CHECK(shown(R"({"$ref":"#/definitions/A","definitions":{"A":{"properties":{
            "a":{"type":["boolean","null"]},"b":{},"c":{"type":["string","number"]},
            "d":{"oneOf":[{"type":"object"},{"type":"object"}]},"e":{"const":1},
            "f":{"enum":["x",1]}}}},"$schema":"http://json-schema.org/draft-07/schema#"})") ==
        "a:boolean b:any c:any d:object e:number f:any ");
  CHECK(shown(R"({"type":"array"})").empty());
  CHECK(shown("true").empty());
}

TEST_CASE("the schema's text is kept without white space", "[schema]") {
  CHECK(JsonSchema::compile("{ \"type\" : \"string\",\n \"x-1\": 1.0 }").text() ==
        R"({"type":"string","x-1":1.0})");
}

// SPDX-License-Identifier: Apache-2.0
#include "core/answer_fields.h"

#include "core/error.h"
#include "core/json_schema.h"
#include "tests/support/catch.h"
#include "tests/support/thrown_error.h"

#include <string>
#include <string_view>

using namespace batchllm;

TEST_CASE("fields become the schema of an object", "[fields]") {
  CHECK(
      schema_of_fields(
          R"(label:enum(bug, question, praise), confidence:number, tags:string[], note?:string)") ==
      R"({"type":"object","properties":{)"
      R"("label":{"type":"string","enum":["bug","question","praise"]},)"
      R"("confidence":{"type":"number"},)"
      R"("tags":{"type":"array","items":{"type":"string"}},)"
      R"("note":{"type":"string"}},)"
      R"("required":["label","confidence","tags"],"additionalProperties":false})");
}

TEST_CASE("each way to write a field gives its schema", "[fields]") {
  struct Case {
    std::string_view fields;
    std::string_view property;
  };

  const auto& c = GENERATE(values<Case>({
      {" a : integer ", R"("a":{"type":"integer"})"},
      {"a?:boolean,", R"("a":{"type":"boolean"})"},
      {"größe:object", R"("größe":{"type":"object"})"},
      {"snake_case-2:string", R"("snake_case-2":{"type":"string"})"},
      {R"("a b":string)", R"("a b":{"type":"string"})"},
      {R"(a:string "what it \"is\"")", R"("a":{"type":"string","description":"what it \"is\""})"},
      {R"(a:enum(x,y)[] "d")",
       R"("a":{"type":"array","items":{"type":"string","enum":["x","y"]},"description":"d"})"},
      {"a:number[][]",
       R"("a":{"type":"array","items":{"type":"array","items":{"type":"number"}}})"},
      {R"(a:enum(feature  request, "b, c", C++))",
       R"("a":{"type":"string","enum":["feature request","b, c","C++"]})"},
      {"a\n:\n string", R"("a":{"type":"string"})"},
  }));
  CAPTURE(c.fields);
  const std::string schema = schema_of_fields(c.fields);
  CHECK_THAT(schema, ContainsSubstring("{" + std::string(c.property) + "}"));
  CHECK(JsonSchema::compile(schema).columns().size() == 1);
}

TEST_CASE("a mistake in the fields is told with its column and what to write", "[fields]") {
  struct Case {
    std::string_view fields;
    std::string_view message;
    std::string_view hint;
  };

  const auto& c = GENERATE(values<Case>({
      {"", "column 1: expected the name of a field, found the end", "for example: label:enum"},
      {"a", "column 2: expected a colon and a type after a, found the end", "types: string"},
      {"ä:string b:string", "column 10: expected a comma, found \"b\"", ""},
      {"a:nubmer", "column 3: unknown type nubmer", "did you mean number?"},
      {"a: int", "column 4: unknown type int", "did you mean integer?"},
      {"a:bool[]", "column 3: unknown type bool", "did you mean boolean?"},
      {"a:whatever", "column 3: unknown type whatever", "types: string, number"},
      {"a:", "column 3: expected a type, found the end", ""},
      {"a:string[", "column 10: expected ] after [, found the end", ""},
      {"a:enum", "column 7: expected ( and the values after enum, found the end", ""},
      {"a:enum()", "column 8: expected a value, found \")\"", ""},
      {"a:enum(x,)", "column 10: expected a value, found \")\"", ""},
      {"a:enum(x", "column 9: expected a comma or ), found the end", ""},
      {"a:enum(x,x)", "column 10: the value x is there twice", ""},
      {"a:string,a:number", "column 10: the field a is there twice", ""},
      {"a:string,,b:string", "column 10: expected the name of a field, found \",\"", ""},
      {R"(a:string "open)", "column 10: this quote is not closed", ""},
      {R"("":string)", "column 1: the name of a field is empty", ""},
      {"a:string[][][][][]", "column 3: a list in a list", ""},
      {"\xff", "not well-formed UTF-8", ""},
  }));
  CAPTURE(c.fields);
  const auto error = thrown_error([&] { (void)schema_of_fields(c.fields); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::usage);
  CHECK_THAT(error->message(), ContainsSubstring(std::string(c.message)));
  CHECK_THAT(error->hint(), ContainsSubstring(std::string(c.hint)));
}

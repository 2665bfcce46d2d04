// SPDX-License-Identifier: Apache-2.0
#include "core/answer_form.h"

#include "core/answer_fields.h"
#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/support/thrown_error.h"

#include <string>
#include <string_view>
#include <vector>

using namespace batchllm;

namespace {

AnswerFormSettings with_fields(std::string_view fields) {
  AnswerFormSettings settings;
  settings.schema = schema_of_fields(fields);
  return settings;
}

std::string formed(const AnswerFormSettings& settings, std::string_view answer) {
  const auto result = AnswerForm::compile(settings).apply(answer);
  return result ? result->text : "mistake: " + result.error().reason;
}

// The cells as "text", json or -, for one look.
std::string cells(const AnswerForm& form, std::string_view stored) {
  AnswerCells reader(form);
  std::string text;
  for (const NewCell& cell : reader.read(stored)) {
    text += text.empty() ? "" : " | ";
    text += cell.text.data() == nullptr   ? "-"
            : cell.kind == CellKind::json ? std::string(cell.text)
                                          : "\"" + std::string(cell.text) + "\"";
  }
  return text;
}

std::string why_refused(const AnswerFormSettings& settings) {
  const auto error = thrown_error([&] { (void)AnswerForm::compile(settings); });
  return error ? error->message() + " / " + error->hint() : "taken";
}

}  // namespace

TEST_CASE("an answer without a form is stored as it is", "[answer]") {
  const AnswerFormSettings none;
  CHECK(formed(none, " Bug.\n") == " Bug.\n");
  CHECK(formed(none, "").empty());
  CHECK(AnswerForm::compile(none).columns().empty());
  CHECK(AnswerForm::compile(none).instructions().empty());
  CHECK(AnswerForm::compile(none).schema() == nullptr);
}

TEST_CASE("thoughts, extraction, stripping and choices follow each other", "[answer]") {
  AnswerFormSettings settings;
  settings.extract = "tag:answer";
  settings.strip = true;
  const std::string_view answer =
      "<think>is it <answer>praise</answer>?</think>\n<answer> \"Bug.\" </answer>";
  CHECK(formed(settings, answer) == "Bug.");
  settings.choices = "bug, question";
  CHECK(formed(settings, answer) == "bug");
  CHECK(formed(settings, "<answer>both</answer>") ==
        "mistake: the answer is none of the choices: \"both\"");
  const auto thoughts = AnswerForm::compile(settings).apply(answer);
  REQUIRE(thoughts);
  CHECK(thoughts->thoughts == "is it <answer>praise</answer>?");
}

TEST_CASE("an answer that is all thoughts was cut off", "[answer]") {
  const auto result = AnswerForm::compile({}).apply("<think>so it must be");
  REQUIRE_FALSE(result);
  CHECK(result.error().reason == "the answer ends before its thoughts do");
}

TEST_CASE("with a schema its JSON is found, checked and stored compact", "[answer]") {
  const auto settings = with_fields("label:enum(bug,praise), confidence:number");
  CHECK(formed(settings, "Sure!\n```json\n{ \"label\": \"bug\",\n  \"confidence\": 0.50 }\n```") ==
        R"({"label":"bug","confidence":0.50})");
  CHECK(
      formed(settings, R"({"label":"bug"})") ==
      R"(mistake: the answer does not follow the schema: the answer: the property "confidence" is missing)");
  CHECK(formed(settings, "bug") == "mistake: the answer has no JSON in it");
}

TEST_CASE("the model that is asked again is told what was wrong", "[answer]") {
  const AnswerForm form =
      AnswerForm::compile(with_fields("label:enum(bug,praise), confidence:number"));
  const auto wrong = form.apply(R"({"label":"Bug","confidence":"high"})");
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().advice ==
        "Your last answer cannot be used: it does not follow the JSON Schema.\n"
        "- /label: expected one of \"bug\", \"praise\", found \"Bug\"\n"
        "- /confidence: expected number, found string\n"
        "Answer again, with the corrected JSON and nothing else.");
  const auto prose = form.apply("It is a bug.");
  REQUIRE_FALSE(prose);
  CHECK(prose.error().advice ==
        "Your last answer cannot be used: the answer has no JSON in it. "
        "Answer with one JSON value only: no other text, no code block around it.");
}

TEST_CASE("the fields of a schema are columns, under other names on request", "[answer]") {
  auto settings =
      with_fields("label:string, tags:string[], n:number, ok:boolean, o:object, x?:integer");
  settings.renamed_fields = {{"n", "count"}, {"label", "n"}};
  const AnswerForm form = AnswerForm::compile(settings);
  CHECK(form.columns() == std::vector<std::string>{"n", "tags", "count", "ok", "o", "x"});
  CHECK(
      cells(form,
            R"({"label":"a \"b\"\u00e9\n","tags":["x", "y"],"n":1.50,"ok":true,"o":{"a":[1]}})") ==
      "\"a \"b\"é\n\" | [\"x\", \"y\"] | 1.50 | true | {\"a\":[1]} | -");
  CHECK(cells(form, R"({"x":7,"unknown":[{}],"label":"","tags":null})") ==
        "\"\" | - | - | - | - | 7");
  CHECK(cells(form, "[1]") == "- | - | - | - | - | -");
  CHECK(cells(form, "") == "- | - | - | - | - | -");
}

TEST_CASE("cells of one answer after the other do not mix", "[answer]") {
  const AnswerForm form = AnswerForm::compile(with_fields("a:string, b:number"));
  AnswerCells reader(form);
  CHECK(reader.read(R"({"a":"first","b":1})")[0].text == "first");
  CHECK(reader.read(R"({"b":2})")[0].text.data() == nullptr);
  CHECK(reader.read(R"({"b":2})")[1].text == "2");
}

TEST_CASE("the form is put into words for providers that know no schema", "[answer]") {
  AnswerFormSettings settings;
  settings.schema = R"({"type":"object","properties":{"a":{"type":"string"}}})";
  CHECK(
      AnswerForm::compile(settings).instructions() ==
      "Answer with one JSON object only, that follows this JSON Schema, and with no other text:\n" +
          settings.schema);
  settings.schema.clear();
  settings.choices = "bug, \"a, b\"";
  settings.extract = "tag:answer";
  CHECK(AnswerForm::compile(settings).instructions() ==
        "Answer with exactly one of these and nothing else: bug, a, b.\n"
        "Put it between <answer> and </answer>.");
  settings.choices.clear();
  CHECK(AnswerForm::compile(settings).instructions().empty());
}

TEST_CASE("settings that cannot be are refused under the name of their option", "[answer]") {
  AnswerFormSettings settings;
  settings.choices = "a,,b";
  CHECK_THAT(why_refused(settings), ContainsSubstring("--choices: column 3: an empty choice"));
  settings.schema = "{}";
  CHECK_THAT(why_refused(settings), ContainsSubstring("cannot be asked for together"));
  settings.choices.clear();
  settings.extract = "jsn";
  CHECK_THAT(why_refused(settings), ContainsSubstring("--extract: unknown way to extract: jsn"));
  settings.extract.clear();
  settings.renamed_fields = {{"a", "b"}};
  CHECK_THAT(why_refused(settings), ContainsSubstring("--map: there is no field a / fields come"));

  settings = with_fields("label:string, note:string");
  settings.renamed_fields = {{"lable", "x"}};
  CHECK_THAT(why_refused(settings),
             ContainsSubstring("--map: there is no field lable / did you mean label?"));
  settings.renamed_fields = {{"label", "note"}};
  CHECK_THAT(why_refused(settings), ContainsSubstring("two fields become the column note"));
  settings.renamed_fields = {{"label", "x"}, {"label", "y"}};
  CHECK_THAT(why_refused(settings), ContainsSubstring("the field label is there twice"));
  settings.renamed_fields = {{"label", ""}};
  CHECK_THAT(why_refused(settings), ContainsSubstring("no column for the field label"));
  settings.schema = R"({"type":"obj"})";
  CHECK_THAT(why_refused(settings), ContainsSubstring("the schema is not usable: #/type"));
}

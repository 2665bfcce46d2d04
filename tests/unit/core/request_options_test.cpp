// SPDX-License-Identifier: Apache-2.0
#include "core/request_options.h"

#include "core/error.h"
#include "core/job_settings_reader.h"
#include "tests/support/catch.h"
#include "tests/support/thrown_error.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

using namespace batchllm;

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Settings settings_of(std::string_view json) {
  return settings_from_options(options_from_json(parse_json_document(json).value()));
}

JobSettings job_of(const std::string& json) {
  return read_job_settings(settings_of(json), {"in.csv"});
}

// What is said about options that are refused, message and hint.
std::pair<std::string, std::string> refusal_of(const std::string& json) {
  const auto error = thrown_error([&] { job_of(json); });
  if (!error) {
    return {"no error", ""};
  }
  CHECK(error->code() == ErrorCode::usage);
  return {error->message(), error->hint()};
}

}  // namespace

TEST_CASE("the options of a request reach the settings of the job", "[request_options]") {
  const JobSettings job = job_of(R"({
    "model": "x/y", "prompt": "Q: {text}\n\u00fc", "concurrency": 64, "max_cost": 0.000001,
    "param": {"top_p": 0.5, "stop": ["\n"], "user": "5", "deep": {"a": [1, true, null]}},
    "var": {"product": "App", "version": 2}, "columns": ["a", "b,c"], "include": "meta",
    "http2": true, "max_failures": "5%", "deadline": "2h", "output": "/tmp/o.csv", "limit": null})");
  CHECK(job.inputs == std::vector<std::string>{"in.csv"});
  CHECK(job.model.model == "x/y");
  CHECK(job.prompt.prompt == "Q: {text}\nü");
  CHECK(job.limits.concurrency == 64);
  CHECK(job.limits.max_cost_micro_usd == 1);
  CHECK(job.model.parameters == Pairs{{"top_p", "0.5"},
                                      {"stop", R"(["\n"])"},
                                      {"user", R"("5")"},
                                      {"deep", R"({"a":[1,true,null]})"}});
  CHECK(job.prompt.variables == Pairs{{"product", "App"}, {"version", "2"}});
  CHECK(job.output.columns == std::vector<std::string>{"a", "b,c"});
  CHECK(job.output.include_meta);
  CHECK(job.model.http2);
  CHECK(job.limits.max_failures_share == 0.05);
  CHECK(job.limits.deadline_ms == 7'200'000);
  CHECK(job.output.path == "/tmp/o.csv");
  CHECK_FALSE(job.selection.limit);
}

TEST_CASE("no options leave the defaults", "[request_options]") {
  const JobSettings job = job_of("{}");
  CHECK(job.limits.concurrency == LimitSettings{}.concurrency);
  CHECK(job.output.column == OutputSettings{}.column);
}

TEST_CASE("an option that is not known is refused with the nearest name", "[request_options]") {
  CHECK(refusal_of(R"({"concurency":1})") ==
        std::pair<std::string, std::string>("option concurency: there is no such option",
                                            "did you mean concurrency?"));
  // Options of other commands, global ones, and the flag's own spelling are not known either.
  for (const char* json : {R"({"json":true})",
                           R"({"max-cost":1})",
                           R"({"run.model":"x/y"})",
                           R"({"":1})",
                           R"({"nothing_like_it":null})"}) {
    CAPTURE(json);
    CHECK_THAT(refusal_of(json).first, ContainsSubstring("there is no such option"));
  }
  // A refused name is no suggestion.
  CHECK(refusal_of(R"({"key_fil":"f"})").second.find("key_file") == std::string::npos);
}

TEST_CASE("what a caller cannot ask of the daemon is refused with a way out", "[request_options]") {
  for (const char* name : {"prompt_file", "system_file", "template", "key_file"}) {
    CAPTURE(name);
    const auto [message, hint] = refusal_of("{\"" + std::string(name) + "\":\"/etc/passwd\"}");
    CHECK_THAT(message, ContainsSubstring("option " + std::string(name) + ": "));
    CHECK_THAT(message, ContainsSubstring("from files"));
    CHECK_FALSE(hint.empty());
  }
  for (const char* name : {"dry_run", "show_prompts", "new_job"}) {
    CAPTURE(name);
    CHECK_THAT(refusal_of("{\"" + std::string(name) + "\":1}").first,
               ContainsSubstring("for the command line only"));
  }
  CHECK_THAT(refusal_of(R"({"output":"-"})").first, ContainsSubstring("no standard output"));
  CHECK_THAT(refusal_of(R"({"output":"o.csv"})").first,
             ContainsSubstring("o.csv is not an absolute path"));
  CHECK_THAT(refusal_of(R"({"ca_file":"../x.pem"})").first, ContainsSubstring("absolute path"));
}

TEST_CASE("a value that cannot be is refused by the option's name", "[request_options]") {
  struct Case {
    const char* json;
    const char* message;
  };

  for (const auto& c : std::vector<Case>{
           {R"({"concurrency":0})", "concurrency 0: must be between 1 and 65536"},
           {R"({"concurrency":1.5})", "concurrency 1.5: expected a whole number"},
           {R"({"concurrency":[1]})", "option concurrency: expected a string, a number"},
           {R"({"model":{"a":1}})",
            "option model: expected a string, a number, true or false, "
            "found an object"},
           {R"({"http2":"perhaps"})", "http2 perhaps: expected true or false"},
           {R"({"order":"sideways"})", "order sideways: must be input or completion"},
           {R"({"columns":[1]})", "option columns: expected an array of strings, found a number"},
           {R"({"columns":{}})", "option columns: expected an array of strings, found an object"},
           {R"({"param":["a=1"]})", "option param: expected an object, found an array"},
           {R"({"param":{"a=b":1}})", "option param: \"a=b\" cannot be a name"},
           {R"({"var":{"a":[1]}})", "option var: expected strings or numbers, found an array"},
           {R"({"prompt":"a\u0000b"})", "must not contain a NUL byte"},
           {R"({"delimiter":"none"})", "delimiter none: expected a character"},
           {R"({"sample":3,"limit":3})", "sample and limit exclude each other"},
           {R"([])", "options: expected a JSON object"}}) {
    CAPTURE(c.json);
    CHECK_THAT(refusal_of(c.json).first, ContainsSubstring(c.message));
  }
}

TEST_CASE("an option that is given twice is refused", "[request_options]") {
  const auto error = thrown_error([] {
    settings_from_options({{"model", {"a/b"}}, {"model", {"c/d"}}});
  });
  REQUIRE(error);
  CHECK_THAT(error->message(), ContainsSubstring("option model: is given twice"));
}

TEST_CASE("one value is wanted where an option takes one", "[request_options]") {
  CHECK_THROWS_WITH(settings_from_options({{"model", {}}}), ContainsSubstring("takes one value"));
  CHECK_THROWS_WITH(settings_from_options({{"model", {"a/b", "c/d"}}}),
                    ContainsSubstring("takes one value, not 2"));
  CHECK(read_job_settings(settings_from_options({{"columns", {}}}), {}).output.columns.empty());
}

TEST_CASE("options of a retry change what they name and nothing else", "[request_options]") {
  JobSettings job = job_of(R"({"concurrency":8,"max_cost":5,"rpm":60})");
  apply_asking_options(settings_of(R"({"rpm":90,"max_cost":"none"})"), job);
  CHECK(job.limits.concurrency == 8);
  CHECK(job.limits.requests_per_minute == 90);
  CHECK_FALSE(job.limits.max_cost_micro_usd);
}

TEST_CASE("settings that are sent as options arrive as they were", "[request_options]") {
  SettingLayer layer;
  const auto set = [&layer](const std::string& key, std::vector<std::string> texts) {
    layer[key] = SettingValue{std::move(texts), Layer::command_line, key};
  };
  set("run.model", {"x/y"});
  set("run.temperature", {"0.25"});
  set("run.concurrency", {"64"});
  set("run.max_cost", {"0.000001"});
  set("run.http2", {"true"});
  set("run.columns", {"a", "b,c"});
  set("run.param", {"top_p=0.5", "user=\"5\"", "style=terse", "top_p=0.7"});
  set("run.var", {"product=App", "version=2"});
  set("run.max_failures", {"5%"});
  set("run.limit", {"none"});
  set("run.ca_file", {"certificates.pem"});
  const std::string json = options_to_json(layer);
  CAPTURE(json);
  const JobSettings job = job_of(json);
  CHECK(job.model.model == "x/y");
  CHECK(job.model.temperature == 0.25);
  CHECK(job.limits.concurrency == 64);
  CHECK(job.limits.max_cost_micro_usd == 1);
  CHECK(job.model.http2);
  CHECK(job.output.columns == std::vector<std::string>{"a", "b,c"});
  CHECK(job.model.parameters ==
        Pairs{{"style", R"("terse")"}, {"top_p", "0.7"}, {"user", R"("5")"}});
  CHECK(job.prompt.variables == Pairs{{"product", "App"}, {"version", "2"}});
  CHECK(job.limits.max_failures_share == 0.05);
  CHECK_FALSE(job.selection.limit);
  CHECK(job.model.ca_file == std::filesystem::current_path() / "certificates.pem");
}

TEST_CASE("what the daemon would refuse, and what travels by another way, is not sent",
          "[request_options]") {
  SettingLayer layer;
  for (const char* key : {"run.prompt",
                          "run.prompt_file",
                          "run.system",
                          "run.system_file",
                          "run.template",
                          "run.key_file",
                          "run.output",
                          "run.dry_run",
                          "jobs.limit",
                          "json"}) {
    layer[key] = SettingValue{{"1"}, Layer::command_line, key};
  }
  CHECK(options_to_json(layer) == "{}");
}

TEST_CASE("what a step says of model and form comes back as it was", "[request_options]") {
  ModelSettings model;
  model.model = "openai/gpt-4o";
  model.temperature = 0.1;
  model.max_tokens = 5;
  model.effort = "low";
  model.parameters = {{"top_p", "0.5"}, {"stop", R"(["a=b"])"}};
  AnswerSettings answer;
  answer.schema = R"({"type":"string"})";
  answer.extract = "regex:a{2}=(.*)";
  answer.strip = true;
  const std::string json = step_options_to_json(model, answer);
  const JobSettings read = read_job_settings(
      settings_from_step_options(options_from_json(parse_json_document(json).value())), {"in.csv"});
  CHECK(read.model.model == model.model);
  CHECK(read.model.temperature == model.temperature);
  CHECK(read.model.max_tokens == model.max_tokens);
  CHECK(read.model.effort == model.effort);
  auto parameters = read.model.parameters;
  std::sort(parameters.begin(), parameters.end());
  CHECK(parameters == Pairs{{"stop", R"(["a=b"])"}, {"top_p", "0.5"}});
  CHECK(read.answer.schema == answer.schema);
  CHECK(read.answer.extract == answer.extract);
  CHECK(read.answer.strip);
}

TEST_CASE("a step cannot say what is for the whole job", "[request_options]") {
  const auto error = thrown_error([] {
    settings_from_step_options(
        options_from_json(parse_json_document(R"({"concurrency":3})").value()));
  });
  REQUIRE(error);
  CHECK(error->message() == "option concurrency: is for all steps of a job");
}

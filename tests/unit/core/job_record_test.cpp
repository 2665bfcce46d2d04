// SPDX-License-Identifier: Apache-2.0
#include "core/job_record.h"

#include "core/json_text.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <functional>
#include <string>
#include <vector>

using namespace batchllm;

namespace {

// Every member differs from its default, so that one that is not written or read shows.
JobSettings full_settings() {
  JobSettings s;
  s.inputs = {"a.csv", "-"};
  s.input = {InputFormat::jsonl,
             ';',
             '\0',
             false,
             {"x", "y"},
             "latin1",
             "/data",
             1234,
             RaggedPolicy::error};
  s.selection = {"len(text) > 2", 3, 4, 5, 18'446'744'073'709'551'615U};
  s.id_column = "id";
  s.on_bad_row = BadRowPolicy::reject;
  s.on_bad_row_given = true;
  s.prompt.variables = {{"k", "v"}, {"größe", "\n\"1\""}};
  s.prompt.image_column = "photo";
  s.prompt.document_column = "note";
  s.model = {"openai/m",
             "http://h/v1",
             {{"top_p", "0.5"}},
             0.25,
             99,
             "low",
             "KEY",
             "key.txt",
             "ca.pem",
             true,
             {}};
  s.answer = {"{}", "a:string", "json", true, "x, y", {{"a", "b"}}, 3, "a=truth"};
  s.limits = {7, 8, 9, 10, 11, 12, 13, 14, 0.125};
  s.output = {"/tmp/o.csv",
              OutputFormat::tsv,
              "label",
              {"a"},
              true,
              RowOrder::completion,
              true,
              OutputConflict::append,
              false};
  s.in_doubt = InDoubtPolicy::fail;
  s.fail_on = FailOn::none;
  return s;
}

JobRecord full_record() {
  JobRecord record;
  record.id = "job_20261121_074800_k3fz";
  record.created_ms = 1;
  record.finished_ms = 2;
  record.settings = full_settings();
  record.messages = {{"system", "be brief", "--system"}, {"user", "{text}\n", "ask.txt"}};
  record.inputs = {{"/a.csv", 18'000'000'000'000'000'000U, -3, 4, 5, 6, true, "/photos", true}};
  record.output_path = "/tmp/o.csv";
  record.result_in_folder = true;
  record.identity = "0123456789abcdef";
  record.status = JobStatus::partial;
  record.stop_code = "cost_limit";
  record.stop_message = "enough";
  record.totals = {1, 2, 3, 4, 5, 6, 7};
  return record;
}

std::string identity_after(const std::function<void(JobRecord&)>& change) {
  JobRecord record = full_record();
  change(record);
  return job_identity(record);
}

}  // namespace

TEST_CASE("a job's record comes back with every member", "[job_record]") {
  const std::string json = job_record_json(full_record());
  CHECK(is_json(json));
  const JobRecord after = parse_job_record(json, "job.json");
  CHECK(job_record_json(after) == json);
  CHECK(job_identity(after) == job_identity(full_record()));
  CHECK(after.id == "job_20261121_074800_k3fz");
  CHECK(after.settings.input.delimiter == ';');
  CHECK(after.settings.input.quote == '\0');
  CHECK(after.settings.selection.seed == 18'446'744'073'709'551'615U);
  CHECK(after.settings.model.temperature == 0.25);
  CHECK(after.settings.limits.max_failures_share == 0.125);
  CHECK(after.settings.output.conflict == OutputConflict::append);
  CHECK(after.settings.output.path == "/tmp/o.csv");
  CHECK(after.settings.in_doubt == InDoubtPolicy::fail);
  CHECK(after.settings.prompt.variables == full_settings().prompt.variables);
  CHECK(after.messages == full_record().messages);
  REQUIRE(after.inputs.size() == 1);
  CHECK(after.inputs[0].bytes == 18'000'000'000'000'000'000U);
  CHECK(after.inputs[0].modified_ns == -3);
  CHECK(after.inputs[0].from_stdin);
  CHECK(after.inputs[0].base_folder == "/photos");
  CHECK(after.inputs[0].is_stored);
  CHECK(after.result_in_folder);
  CHECK(after.status == JobStatus::partial);
  CHECK(after.totals.output_tokens == 7);
}

TEST_CASE("the steps of a job come back, and tell jobs apart", "[job_record]") {
  JobRecord record = full_record();
  record.first_step = "sort";
  JobStep step;
  step.name = "fix";
  step.when = "steps.sort.label == 'bug'";
  step.messages = {{"user", "Fix {text}", "t.toml"}};
  step.model.model = "openai/n";
  step.model.parameters = {{"top_p", "0.5"}};
  step.model.temperature = 0.5;
  step.model.max_tokens = 7;
  step.model.effort = "high";
  step.answer = {"{}", "a:string", "json", true, "x, y", {{"a", "b"}}, 1, ""};
  record.later_steps = {step, step};
  const std::string json = job_record_json(record);
  const JobRecord after = parse_job_record(json, "job.json");
  CHECK(job_record_json(after) == json);
  CHECK(after.first_step == "sort");
  REQUIRE(after.later_steps.size() == 2);
  const JobStep& read = after.later_steps[1];
  CHECK(read.name == "fix");
  CHECK(read.when == step.when);
  CHECK(read.messages == step.messages);
  CHECK(read.model.parameters == step.model.parameters);
  CHECK(read.model.max_tokens == 7);
  CHECK(read.answer.choices == "x, y");
  CHECK(read.answer.columns_of_fields == step.answer.columns_of_fields);
  CHECK(&result_answer(after) == &read.answer);
  CHECK(job_identity(after) == job_identity(record));
  CHECK(job_identity(record) != job_identity(full_record()));
  record.later_steps[0].when.clear();
  CHECK(job_identity(record) != job_identity(after));
}

TEST_CASE("a job that compares models comes back as such, and is another than one of steps",
          "[job_record]") {
  JobRecord record;
  record.first_step = "openai/a";
  record.later_steps = {{"openai/b", "", {}, {}, {}}};
  CHECK(compared_models(record).empty());
  const std::string of_steps = job_identity(record);
  record.compares = true;
  CHECK(job_identity(record) != of_steps);
  const JobRecord after = parse_job_record(job_record_json(record), "job.json");
  CHECK(compared_models(after) == std::vector<std::string>{"openai/a", "openai/b"});
  CHECK(asked_models(after) == "openai/a, openai/b");
  record.settings.output.include_steps = true;
  CHECK(job_identity(record) != job_identity(after));
}

TEST_CASE("a job of defaults comes back as such", "[job_record]") {
  const JobRecord after = parse_job_record(job_record_json(JobRecord{}), "job.json");
  CHECK(job_record_json(after) == job_record_json(JobRecord{}));
  CHECK_FALSE(after.settings.selection.limit);
  CHECK_FALSE(after.settings.input.quote);
  CHECK_FALSE(after.settings.model.temperature);
}

TEST_CASE("members that are missing or of another type keep their defaults", "[job_record]") {
  for (const char* json : {"{}",
                           R"({"settings":{}})",
                           R"({"settings":{"concurrency":"many","order":"sideways"}})",
                           R"({"settings":[],"totals":3,"inputs":{},"messages":[1]})"}) {
    CAPTURE(json);
    const JobRecord record = parse_job_record(json, "job.json");
    CHECK(record.settings.limits.concurrency == 32);
    CHECK(record.settings.output.column == "output");
    CHECK(record.settings.output.order == RowOrder::input);
    CHECK(record.settings.input.has_header);
    CHECK(record.inputs.empty());
    CHECK_FALSE(record.result_in_folder);
  }
}

TEST_CASE("inputs of jobs from before there was a store have their folder and are compared",
          "[job_record]") {
  const JobRecord record = parse_job_record(R"({"inputs":[{"path":"/a.csv"}]})", "job.json");
  REQUIRE(record.inputs.size() == 1);
  CHECK(record.inputs[0].base_folder.empty());
  CHECK_FALSE(record.inputs[0].is_stored);
}

TEST_CASE("a record that cannot be read says so and names the file", "[job_record]") {
  struct Case {
    const char* json;
    const char* message;
  };

  for (const auto& c : std::vector<Case>{{"", "where/job.json"},
                                         {"{\"id\":", "where/job.json"},
                                         {"[]", "where/job.json"},
                                         {R"({"version":2})", "version 2"}}) {
    CAPTURE(c.json);
    const auto error = thrown_error([&] { parse_job_record(c.json, "where/job.json"); });
    REQUIRE(error);
    CHECK(error->code() == ErrorCode::job_corrupt);
    CHECK_THAT(error->message(), ContainsSubstring(c.message));
    CHECK_FALSE(error->hint().empty());
  }
}

TEST_CASE("the identity changes with what is asked, of what, and where it goes", "[job_record]") {
  const std::vector<std::function<void(JobRecord&)>> changes = {
      [](JobRecord& r) { r.inputs[0].path = "/b.csv"; },
      [](JobRecord& r) { r.inputs.push_back({"/c.csv"}); },
      [](JobRecord& r) { r.output_path = "/other.csv"; },
      [](JobRecord& r) { r.messages[1].text += "!"; },
      [](JobRecord& r) { r.messages[0].role = "user"; },
      [](JobRecord& r) { r.settings.model.model = "openai/n"; },
      [](JobRecord& r) { r.settings.model.base_url.clear(); },
      [](JobRecord& r) { r.settings.model.temperature.reset(); },
      [](JobRecord& r) { r.settings.model.max_tokens = 100; },
      [](JobRecord& r) { r.settings.model.parameters.clear(); },
      [](JobRecord& r) { r.settings.selection.where.clear(); },
      [](JobRecord& r) { r.settings.selection.limit.reset(); },
      [](JobRecord& r) { r.settings.selection.offset = 0; },
      [](JobRecord& r) { r.settings.selection.sample = 6; },
      [](JobRecord& r) { r.settings.selection.seed = 0; },
      [](JobRecord& r) { r.settings.prompt.variables[0].second = "w"; },
      [](JobRecord& r) { r.settings.prompt.image_column.clear(); },
      [](JobRecord& r) { r.settings.prompt.document_column.clear(); },
      [](JobRecord& r) { r.settings.prompt.text_column = "text"; },
      [](JobRecord& r) { r.settings.embedding.is_wanted = true; },
      [](JobRecord& r) { r.settings.embedding.dimensions = 8; },
      [](JobRecord& r) { r.settings.input.delimiter = ','; },
      [](JobRecord& r) { r.settings.input.encoding.clear(); },
      [](JobRecord& r) { r.settings.output.column = "x"; },
      [](JobRecord& r) { r.settings.output.include_meta = false; },
      [](JobRecord& r) { r.settings.output.order = RowOrder::input; },
  };
  const std::string before = job_identity(full_record());
  CHECK(before.size() == 16);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    CAPTURE(i);
    CHECK(identity_after(changes[i]) != before);
  }
}

TEST_CASE("the identity does not change with limits, policies, keys and how the job stands",
          "[job_record]") {
  const std::string before = job_identity(full_record());
  CHECK(identity_after([](JobRecord& r) {
          r.id = "job_20261121_074801_aaaa";
          r.created_ms = 9;
          r.status = JobStatus::failed;
          r.totals = {};
          r.settings.limits = {};
          r.settings.in_doubt = InDoubtPolicy::skip;
          r.settings.fail_on = FailOn::partial;
          r.settings.on_bad_row = BadRowPolicy::stop;
          r.settings.model.key_env = "OTHER";
          r.settings.model.key_file.clear();
          r.settings.model.http2 = false;
          r.settings.output.conflict = OutputConflict::refuse;
          r.inputs[0].bytes = 1;
          r.inputs[0].modified_ns = 1;
        }) == before);
}

TEST_CASE("status names are read back", "[job_record]") {
  for (const JobStatus status : {JobStatus::running,
                                 JobStatus::interrupted,
                                 JobStatus::failed,
                                 JobStatus::partial,
                                 JobStatus::succeeded}) {
    CHECK(job_status_from_name(job_status_name(status)) == status);
  }
  CHECK_FALSE(job_status_from_name("done"));
}

TEST_CASE("a fingerprint holds what tells that an input changed", "[job_record]") {
  const ScratchFolder folder;
  const std::string path = folder.write("a.csv", "a\n1\n");
  const InputFingerprint before = fingerprint_input(path);
  CHECK(before.path == path);
  CHECK(before.bytes == 4);
  CHECK(before.inode != 0);
  CHECK(before.modified_ns > 0);
  folder.write("a.csv", "a\n1\n2\n");
  CHECK(fingerprint_input(path).bytes == 6);
  CHECK(thrown_error([&] { fingerprint_input(folder.path("none")); })->code() ==
        ErrorCode::input_missing);
  CHECK(thrown_error([&] { fingerprint_input(path + "/x"); })->code() ==
        ErrorCode::input_unreadable);
}

// SPDX-License-Identifier: Apache-2.0
// A job as a process without a terminal runs it, against a server on loopback.
#include "adapters/job/job_run.h"

#include "adapters/job/input_check.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/raw_http_server.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <atomic>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

using namespace batchllm;
using batchllm::test::ScratchFolder;

namespace {

using Lines = std::vector<std::string>;

// Keeps what a run tells.
class Notebook final : public JobListener {
 public:
  void note(std::string_view text) override { notes.emplace_back(text); }

  void warning(std::string_view text) override { warnings.emplace_back(text); }

  void sending_begins() override {
    steps.emplace_back("begins");
    if (on_begin) {
      on_begin();
    }
  }

  void progress(const ProgressSnapshot& snapshot) override {
    const std::lock_guard lock(mutex_);
    latest_ = snapshot;
  }

  void sending_ended(const ProgressSnapshot& last) override {
    const std::lock_guard lock(mutex_);
    CHECK(latest_.done == last.done);
    steps.emplace_back("ended");
  }

  Lines notes;
  Lines warnings;
  Lines steps;
  std::function<void()> on_begin;

 private:
  std::mutex mutex_;
  ProgressSnapshot latest_;
};

RawReply answer(const std::string& text) {
  return {RawHttpServer::ok(R"({"choices":[{"message":{"content":")" + text +
                            R"("},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,)"
                            R"("completion_tokens":1}})"),
          RawReply::Then::keep};
}

// A job over a CSV file of so many rows, and what it takes to run it.
class Job {
 public:
  explicit Job(const RawHttpServer& server, std::size_t rows = 3) {
    std::string csv = "text\n";
    for (std::size_t row = 0; row < rows; ++row) {
      csv += "row " + std::to_string(row) + "\n";
    }
    record.id = "job_20260102_030405_k7f3";
    record.messages = {{"user", "Say: {text}", "prompt"}};
    record.inputs = {fingerprint_input(folder.write("in.csv", csv))};
    record.settings.model.model = "openai/m";
    record.settings.model.base_url = server.url();
    record.settings.limits.concurrency = 1;
    record.result_in_folder = true;
  }

  // The first call makes the job, later ones go on with it as another process would.
  JobEnd run() {
    JobStart start;
    start.most_concurrency = most_concurrency;
    start.is_new = !std::filesystem::exists(folder.path("jobs"));
    JobDirectory directory = start.is_new ? JobDirectory::create(folder.path(), record)
                                          : JobDirectory::open(folder.path(), record.id);
    if (!start.is_new) {
      directory.lock();
      record = directory.load();
    }
    job_folder = directory.folder();
    return run_job(
        directory, record, start, {ModelCatalog::built_in(), environment}, control, notebook);
  }

  std::string result(const std::string& name = "result.csv") const {
    return folder.read("jobs/" + record.id + "/" + name);
  }

  ScratchFolder folder;
  JobRecord record;
  std::filesystem::path job_folder;
  EnvironmentLookup environment = [](const std::string&) { return std::nullopt; };
  std::int64_t most_concurrency = 0;
  JobControl control;
  Notebook notebook;
};

}  // namespace

TEST_CASE("a job without an output path keeps its result in its folder", "[job_run]") {
  const RawHttpServer server([](const RawRequest&) { return answer("yes"); });
  Job job(server);
  const JobEnd end = job.run();
  CHECK_FALSE(end.stop);
  CHECK(end.exit_code == 0);
  CHECK(end.result.progress.ok == 3);
  CHECK(end.output_path == (job.job_folder / "result.csv").string());
  CHECK(end.rejects_path.empty());
  CHECK(job.record.status == JobStatus::succeeded);
  CHECK(job.record.totals.ok == 3);
  CHECK(job.result() == "text,output\nrow 0,yes\nrow 1,yes\nrow 2,yes\n");
  CHECK(job.notebook.steps == Lines{"begins", "ended"});
  CHECK(job.notebook.warnings.empty());
  REQUIRE_FALSE(job.notebook.notes.empty());
  CHECK_THAT(job.notebook.notes.front(), ContainsSubstring("Reading in.csv: 3 rows"));
  // The same again replaces it, and asks nothing.
  const JobEnd again = job.run();
  CHECK(again.exit_code == 0);
  CHECK(again.result.requests == 0);
  CHECK(job.result() == "text,output\nrow 0,yes\nrow 1,yes\nrow 2,yes\n");
  CHECK_FALSE(std::filesystem::exists(job.folder.path("in.csv.rejects.jsonl")));
}

TEST_CASE("the format of a result in the folder is the asked one, else the input's", "[job_run]") {
  const RawHttpServer server([](const RawRequest&) { return answer("yes"); });
  Job job(server, 1);
  job.record.settings.output.format = OutputFormat::jsonl;
  job.record.settings.output.conflict = OutputConflict::append;  // there is nothing to add to
  const JobEnd end = job.run();
  CHECK(end.output_path == (job.job_folder / "result.jsonl").string());
  job.run();
  CHECK(job.result("result.jsonl") == "{\"text\":\"row 0\",\"output\":\"yes\"}\n");
  Job lines(server, 1);
  lines.record.inputs = {fingerprint_input(lines.folder.write("in.jsonl", "{\"text\":\"a\"}\n"))};
  const JobEnd of_lines = lines.run();
  CHECK(of_lines.output_path == (lines.job_folder / "result.jsonl").string());
}

TEST_CASE("rejected rows of a result in the folder are told with their place", "[job_run]") {
  const RawHttpServer server([](const RawRequest&) { return answer("yes"); });
  Job job(server);
  job.record.inputs = {fingerprint_input(job.folder.write("bad.csv", "a,text\n1,x\n2,y,z\n"))};
  job.record.settings.on_bad_row = BadRowPolicy::reject;
  const JobEnd end = job.run();
  CHECK(end.result.bad_rows == 1);
  CHECK(end.rejects_path == (job.job_folder / "rejects.jsonl").string());
}

TEST_CASE("a key that nobody keeps in a variable is answered by the lookup", "[job_run]") {
  std::string head;
  const RawHttpServer server([&](const RawRequest& request) {
    head = request.head;
    return answer("yes");
  });
  Job job(server, 1);
  Lines asked;
  job.environment = [&](const std::string& name) -> std::optional<std::string> {
    asked.push_back(name);
    return name == "OPENAI_API_KEY" ? std::optional<std::string>("from-vault") : std::nullopt;
  };
  CHECK(job.run().exit_code == 0);
  CHECK_THAT(head, ContainsSubstring("Bearer from-vault"));
  CHECK(asked == Lines{"OPENAI_API_KEY"});
  CHECK(job.folder.read("jobs/" + job.record.id + "/job.json").find("from-vault") ==
        std::string::npos);
}

TEST_CASE("a job that is stopped from outside keeps its answers and goes on later", "[job_run]") {
  Job* stopped = nullptr;
  const RawHttpServer server([&](const RawRequest& request) {
    if (request.number == 4) {
      stopped->control.stop(Error(ErrorCode::interrupted, "paused"));
      stopped->control.stop(Error(ErrorCode::internal, "too late"));
    }
    return answer("yes");
  });
  Job job(server, 10);
  stopped = &job;
  const JobEnd end = job.run();
  REQUIRE(end.stop);
  CHECK(end.stop->message() == "paused");
  CHECK(end.exit_code == 130);
  CHECK(end.output_path.empty());
  CHECK(end.result.progress.ok == 4);
  CHECK(job.record.status == JobStatus::interrupted);
  CHECK(job.record.stop_code == "interrupted");
  CHECK_FALSE(std::filesystem::exists(job.job_folder / "result.csv"));
  // Its JobControl has stopped for good: the next run has its own.
  JobDirectory directory = JobDirectory::open(job.folder.path(), job.record.id);
  directory.lock();
  JobControl control;
  const JobEnd rest = run_job(directory,
                              job.record,
                              {},
                              {ModelCatalog::built_in(), job.environment},
                              control,
                              job.notebook);
  CHECK(rest.exit_code == 0);
  CHECK(rest.result.requests == 6);
  CHECK(server.requests() == 10);
}

TEST_CASE("a job that is stopped before it begins sends nothing", "[job_run]") {
  const RawHttpServer server([](const RawRequest&) { return answer("yes"); });
  Job job(server);
  job.control.stop(Error(ErrorCode::interrupted, "cancelled"));
  const JobEnd end = job.run();
  REQUIRE(end.stop);
  CHECK(end.exit_code == 130);
  CHECK(server.requests() == 0);
  CHECK(job.record.status == JobStatus::interrupted);
}

TEST_CASE("the rows in flight can be more than the settings say when the start allows it",
          "[job_run]") {
  for (const std::int64_t most : {0, 8}) {
    CAPTURE(most);
    Job* running = nullptr;
    std::atomic<std::size_t> arrived = 0;
    const RawHttpServer server([&](const RawRequest& request) {
      ++arrived;
      if (request.number == 5) {
        running->control.set_concurrency(8);
      }
      if (request.number == 6 && most > 1) {
        eventually([&] { return arrived > 6; });  // beside this one
      }
      return answer("yes");
    });
    Job job(server, 200);
    running = &job;
    job.most_concurrency = most;
    CHECK(job.run().exit_code == 0);
    CHECK((server.connections() > 1) == (most > 1));
    CHECK(server.connections() <= 8);
  }
}

TEST_CASE("relative image paths begin at the input's base folder", "[job_run]") {
  std::string body;
  const RawHttpServer server([&](const RawRequest& request) {
    body = request.body;
    return answer("yes");
  });
  Job job(server);
  job.record.inputs = {fingerprint_input(job.folder.write("store/ab12", "text,photo\nx,p.png\n"))};
  job.record.settings.prompt.image_column = "photo";
  const std::string image = job.folder.write("photos/p.png", "\x89PNG\r\n\x1a\n");
  job.record.inputs[0].base_folder = std::filesystem::path(image).parent_path().string();
  const JobEnd end = job.run();
  CHECK(end.result.progress.ok == 1);
  CHECK_THAT(body, ContainsSubstring("data:image/png;base64,"));
}

TEST_CASE("an input that is found by its content is not compared", "[input_check]") {
  const RawHttpServer server([](const RawRequest&) { return answer("yes"); });
  Job job(server);
  job.run();
  JobDirectory directory = JobDirectory::open(job.folder.path(), job.record.id);
  job.folder.write("in.csv", "text\nanother\n");
  const auto error = thrown_error([&] { check_inputs_unchanged(directory, job.record); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::input_changed);
  job.record.inputs[0].is_stored = true;
  CHECK_NOTHROW(check_inputs_unchanged(directory, job.record));
}

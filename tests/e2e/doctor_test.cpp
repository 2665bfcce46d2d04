// SPDX-License-Identifier: Apache-2.0
// `batchllm doctor`: what is wrong is found and said, with what to do.
#include "core/json_document.h"
#include "tests/support/catch.h"
#include "tests/support/job.h"

#include <filesystem>

using namespace batchllm::test;

namespace {

// A user whose house is in order until a test changes that.
struct Patient {
  Workspace workspace{BATCHLLM_PROGRAM};
  std::map<std::string, std::string> more;

  ProcessResult call(const Words& words) const {
    ProcessOptions command = workspace.command(words);
    command.environment.erase("BATCHLLM_NO_CONFIG");
    for (const char* kind : {"CONFIG", "DATA", "CACHE", "RUNTIME"}) {
      const bool is_runtime = std::string_view(kind) == "RUNTIME";
      command.environment[std::string("XDG_") + kind + (is_runtime ? "_DIR" : "_HOME")] =
          workspace.path(kind);
    }
    for (const auto& [name, value] : more) {
      command.environment[name] = value;
    }
    return run_process(command);
  }

  // The health of the first finding of that subject that is not ok, else "ok"; "" without any.
  static std::string health(const ProcessResult& result, std::string_view subject) {
    std::string found;
    const auto document = batchllm::parse_json_document(result.output_text);
    REQUIRE(document);
    for (const auto& finding : document->find("findings")->items()) {
      if (finding.find_string("subject") == subject && (found.empty() || found == "ok")) {
        found = finding.find_string("health").value_or("");
      }
    }
    return found;
  }
};

}  // namespace

TEST_CASE("a house in order passes", "[e2e][doctor]") {
  const Patient patient;
  const auto result = patient.call({"doctor", "--json"});
  CAPTURE(result.output_text);
  CHECK(result.exit_code == 0);
  CHECK(json_at(result.output_text, ".schema") == "batchllm.doctor/1");
  for (const char* subject : {"configuration",
                              "models",
                              "state folder",
                              "jobs",
                              "daemon",
                              "key of openai",
                              "libraries"}) {
    CAPTURE(subject);
    CHECK(Patient::health(result, subject) == "ok");
  }
  CHECK_THAT(result.output_text, ContainsSubstring("OPENAI_API_KEY (sk-…test)"));
  for (const char* library : {"libcurl", "SQLite", "libsodium", "simdjson"}) {
    CHECK_THAT(result.output_text,
               Catch::Matchers::Matches("(.|\n)*" + std::string(library) + " [1-9](.|\n)*"));
  }
  CHECK_FALSE(patient.workspace.has("state"));
}

TEST_CASE("what is wrong decides the exit code", "[e2e][doctor]") {
  Patient patient;
  std::string subject;
  int code = 0;
  SECTION("a config file") {
    patient.workspace.write("CONFIG/batchllm/config.toml", "[run]\nconcurency = 3\n");
    subject = "configuration";
    code = 2;
  }
  SECTION("a models file") {
    patient.workspace.write("CONFIG/batchllm/models.toml", "[providers.x]\n");
    subject = "models";
    code = 2;
  }
  SECTION("a folder") {
    patient.workspace.write("state", "a file\n");
    subject = "state folder";
    code = 11;
  }
  SECTION("a job") {
    patient.workspace.write("state/jobs/job_20260102_030405_k7f3/job.json", "{");
    subject = "jobs";
    code = 11;
  }
  SECTION("a key") {
    patient.more["GROQ_API_KEY_FILE"] = patient.workspace.path("nothing");
    subject = "key of groq";
    code = 6;
  }
  const auto result = patient.call({"doctor", "--json"});
  CAPTURE(result.output_text, result.error_text);
  CHECK(result.exit_code == code);
  CHECK(Patient::health(result, subject) == "fail");
}

TEST_CASE("a key file that others can read is warned of", "[e2e][doctor]") {
  Patient patient;
  const std::string file = patient.workspace.write("key", "sk-of-groq-0123456789\n");
  std::filesystem::permissions(file, std::filesystem::perms(0644));
  patient.more["GROQ_API_KEY_FILE"] = file;
  const auto result = patient.call({"doctor", "--json"});
  CHECK(result.exit_code == 0);
  CHECK(Patient::health(result, "key of groq") == "warn");
  CHECK_THAT(result.output_text, ContainsSubstring("chmod 600 "));
}

TEST_CASE("providers are asked only when that is wanted", "[e2e][doctor]") {
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--require-key", "sk-right-0123456789"});
  Patient patient;
  patient.more["OPENAI_BASE_URL"] = simulator.base_url();
  patient.more["OPENAI_API_KEY"] = "sk-right-0123456789";
  CHECK(Patient::health(patient.call({"doctor", "--json"}), "provider openai").empty());
  const auto accepted = patient.call({"doctor", "--online", "--json"});
  CHECK_THAT(accepted.output_text, ContainsSubstring("accepts the key"));
  CHECK(Patient::health(accepted, "provider openai") == "warn");  // in the clear
  patient.more["OPENAI_API_KEY"] = "sk-wrong-0123456789";
  CHECK(patient.call({"doctor", "--online"}).exit_code == 6);
  patient.more["OPENAI_BASE_URL"] = "http://127.0.0.1:1/v1";
  CHECK(patient.call({"doctor", "--online"}).exit_code == 7);
}

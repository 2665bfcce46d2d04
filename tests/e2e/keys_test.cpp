// SPDX-License-Identifier: Apache-2.0
// `batchllm keys`: a key that is stored is used, listed without being shown, tested and removed.
#include "tests/support/catch.h"
#include "tests/support/job.h"

#include <filesystem>

using namespace batchllm::test;

namespace {

constexpr const char* k_key = "sk-stored-0123456789abcdef";

// A user without keys in the environment, and a provider that takes only the stored one.
struct KeyUser {
  SimulatorProcess simulator{BATCHLLM_PROGRAM, {"--require-key", k_key}};
  Workspace workspace{BATCHLLM_PROGRAM};
  std::map<std::string, std::string> more;

  ProcessOptions command(const Words& words) const {
    ProcessOptions command = workspace.command(words);
    command.environment.erase("OPENAI_API_KEY");
    command.environment["OPENAI_BASE_URL"] = simulator.base_url();
    command.environment["XDG_DATA_HOME"] = workspace.path("data");
    command.environment["XDG_CACHE_HOME"] = workspace.path("cache");
    for (const auto& [name, value] : more) {
      command.environment[name] = value;
    }
    return command;
  }

  ProcessResult call(const Words& words, const std::string& input = {}) const {
    ProcessOptions options = command(words);
    options.input = input;
    return run_process(options);
  }

  ProcessResult run() const {
    workspace.write("rows.csv", csv_of_rows(2));
    return call({"run", "rows.csv", "-m", "openai/gpt-4o-mini", "-p", "{text}", "-o", "out.csv"});
  }

  std::filesystem::perms mode(const std::string& name) const {
    return std::filesystem::status(workspace.path("data/batchllm/" + name)).permissions();
  }
};

}  // namespace

TEST_CASE("a stored key is used, listed, tested and removed", "[e2e][keys]") {
  const KeyUser user;
  const auto without = user.run();
  CHECK(without.exit_code == 6);
  CHECK_THAT(without.error_text, ContainsSubstring("batchllm keys set openai"));

  const auto set = user.call({"keys", "set", "openai", "--stdin"}, std::string(k_key) + "\n");
  CAPTURE(set.error_text);
  REQUIRE(set.exit_code == 0);
  CHECK_THAT(set.error_text, ContainsSubstring("sk-…cdef"));
  CHECK(user.mode("keys.json") == std::filesystem::perms(0600));
  CHECK(user.mode("keys.key") == std::filesystem::perms(0600));
  CHECK_THAT(user.workspace.read("data/batchllm/keys.json"), !ContainsSubstring(k_key));

  const auto list = user.call({"keys", "list", "--json"});
  CHECK(json_at(list.output_text, ".keys[0].provider") == "openai");
  CHECK(json_at(list.output_text, ".keys[0].place") == "key_store");
  CHECK(json_at(list.output_text, ".keys[0].masked") == "sk-…cdef");
  CHECK(user.call({"keys", "test", "openai"}).exit_code == 0);
  CHECK(user.run().exit_code == 0);

  CHECK(user.call({"keys", "rm", "openia"}).exit_code == 9);
  CHECK(user.call({"keys", "rm", "openai"}).exit_code == 0);
  CHECK(user.call({"keys", "test", "openai"}).exit_code == 6);
}

TEST_CASE("keys test tells a refused key from a provider that is away", "[e2e][keys]") {
  KeyUser user;
  user.more["OPENAI_API_KEY"] = "sk-another-0123456789";
  const auto refused = user.call({"keys", "test", "--json"});
  CHECK(refused.exit_code == 6);
  CHECK(json_at(refused.output_text, ".tested[0].state") == "refused");
  user.more["OPENAI_BASE_URL"] = "http://127.0.0.1:1/v1";
  CHECK(user.call({"keys", "test", "openai"}).exit_code == 7);
}

TEST_CASE("a passphrase locks the store", "[e2e][keys]") {
  KeyUser user;
  user.call({"keys", "set", "groq", "--stdin"}, "gsk_before");
  user.more["BATCHLLM_PASSPHRASE_FILE"] = user.workspace.write("passphrase", "correct horse\n");
  REQUIRE(user.call({"keys", "set", "openai", "--stdin", "--passphrase"}, k_key).exit_code == 0);
  CHECK_FALSE(user.workspace.has("data/batchllm/keys.key"));
  CHECK(user.run().exit_code == 0);
  CHECK(json_at(user.call({"keys", "list", "--json"}).output_text, ".keys[1].place") ==
        "key_store");
  user.workspace.write("passphrase", "wrong");
  CHECK(user.call({"keys", "test", "openai"}).exit_code == 6);
  CHECK(user.run().exit_code == 6);
  user.more.clear();
  CHECK(user.call({"keys", "test", "openai"}).exit_code == 6);
  const auto run = user.run();
  CHECK(run.exit_code == 6);
  CHECK_THAT(run.error_text, ContainsSubstring("BATCHLLM_PASSPHRASE_FILE"));
  const auto locked = user.call({"keys", "list"});
  CHECK(locked.exit_code == 0);
  CHECK_THAT(locked.output_text, ContainsSubstring("locked"));
}

TEST_CASE("a damaged store is a fault of the storage, whoever asks", "[e2e][keys]") {
  const KeyUser user;
  REQUIRE(user.call({"keys", "set", "openai", "--stdin"}, k_key).exit_code == 0);
  std::filesystem::remove(user.workspace.path("data/batchllm/keys.key"));
  CHECK(user.run().exit_code == 11);
  const auto tested = user.call({"keys", "test", "openai", "--json"});
  CHECK(tested.exit_code == 11);
  CHECK_THAT(tested.output_text, ContainsSubstring("keys.key is missing"));
  CHECK(user.call({"models", "list", "--provider", "openai", "--refresh"}).exit_code == 11);
}

TEST_CASE("a key that is typed is not shown", "[e2e][keys]") {
  const KeyUser user;
  ProcessOptions options = user.command({"keys", "set", "openai"});
  options.terminal = true;
  options.terminal_input = true;
  Process process(options);
  REQUIRE(process.wait_for_error("(not shown):"));
  process.type("sk-wrong\x15" + std::string(k_key) + "x\x7f\n");
  const ProcessResult result = process.wait();
  CAPTURE(result.error_text);
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.error_text, !ContainsSubstring(k_key) && ContainsSubstring("sk-…cdef"));
  CHECK(user.call({"keys", "test", "openai"}).exit_code == 0);
}

TEST_CASE("nobody is asked for a key without a terminal", "[e2e][keys]") {
  const KeyUser user;
  CHECK(user.call({"keys", "set", "openai"}).exit_code == 12);
  CHECK(user.call({"keys", "set", "opnai", "--stdin"}, k_key).exit_code == 9);
  CHECK(user.call({"keys", "set", "openai", "--stdin"}, " \n").exit_code == 2);
  CHECK(user.call({"keys", "set", "openai", "--stdin"}, "two words").exit_code == 6);
  CHECK_FALSE(user.workspace.has("data/batchllm/keys.json"));
}

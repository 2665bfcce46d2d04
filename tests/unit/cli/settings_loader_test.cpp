// SPDX-License-Identifier: Apache-2.0
#include "cli/settings_loader.h"

#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"

#include <map>

using namespace batchllm;
using batchllm::test::ScratchFolder;

namespace {

EnvironmentLookup environment(std::map<std::string, std::string> variables) {
  return [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

}  // namespace

TEST_CASE("environment wins over the user's file, a flag over both", "[settings]") {
  const ScratchFolder folder;
  folder.write("batchllm/config.toml", "[run]\nconcurrency = 1\nmodel = \"a/file\"\nrpm = 5\n");
  const auto lookup = environment({{"XDG_CONFIG_HOME", folder.path()},
                                   {"BATCHLLM_CONCURRENCY", "2"},
                                   {"BATCHLLM_MODEL", "a/environment"}});
  const Settings settings =
      load_settings(parse_command_line({"run", "f", "--concurrency", "3"}), lookup);
  CHECK(settings.find("run.concurrency")->place == "--concurrency");
  CHECK(settings.find("run.model")->place == "BATCHLLM_MODEL");
  CHECK(settings.find("run.rpm")->place == folder.path("batchllm/config.toml") + ":4");
}

TEST_CASE("a chosen config file replaces every other, and none may be read", "[settings]") {
  const ScratchFolder folder;
  folder.write("batchllm/config.toml", "[run]\nrpm = 5\n");
  const std::string other = folder.write("other.toml", "[run]\ntpm = 6\n");
  const auto lookup = environment({{"XDG_CONFIG_HOME", folder.path()}});
  const Settings chosen =
      load_settings(parse_command_line({"run", "f", "--config", other}), lookup);
  CHECK(chosen.find("run.rpm") == nullptr);
  CHECK(chosen.find("run.tpm") != nullptr);
  const Settings none = load_settings(parse_command_line({"run", "f", "--no-config"}), lookup);
  CHECK(none.find("run.rpm") == nullptr);
  CHECK_THROWS_WITH(load_settings(parse_command_line({"run", "f", "--config", "/none"}), lookup),
                    ContainsSubstring("--config /none: no such config file"));
}

TEST_CASE("a misspelt variable is pointed out, a stranger's is not", "[settings]") {
  const auto warnings = misspelt_variables(
      {"BATCHLLM_CONCURENCY", "BATCHLLM_MODEL", "BATCHLLM_ROOT", "PATH", "BATCHLLM_XYZZY"});
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings.front(), ContainsSubstring("did you mean BATCHLLM_CONCURRENCY?"));
}

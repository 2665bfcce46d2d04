// SPDX-License-Identifier: Apache-2.0
#include "cli/completions.h"

#include "cli/command_table.h"
#include "core/error.h"
#include "core/text.h"
#include "tests/support/catch.h"
#include "tests/support/process.h"
#include "tests/support/scratch_folder.h"

#include <fmt/format.h>

#include <algorithm>

using namespace batchllm;
using batchllm::test::run_process;
using batchllm::test::ScratchFolder;

namespace {

using Words = std::vector<std::string>;

// What bash offers for the last of `words` ("batchllm" comes first by itself).
Words offered(const Words& words) {
  const ScratchFolder folder;
  folder.write("tickets.csv", "");
  std::string line = "COMP_WORDS=(batchllm";
  for (const std::string& word : words) {
    line += fmt::format(" '{}'", word);
  }
  line += fmt::format("); COMP_CWORD={}; _batchllm; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
                      words.size());
  const std::string script = completion_script("bash") + line;
  const auto result =
      run_process({.argv = {"bash", "--norc", "-c", script}, .folder = folder.path()});
  CAPTURE(result.error_text);
  CHECK(result.exit_code == 0);
  CHECK(result.error_text.empty());
  Words found = split(result.output_text, '\n');
  found.erase(std::remove(found.begin(), found.end(), ""), found.end());
  return found;
}

}  // namespace

TEST_CASE("bash completes commands, flags, choices and files", "[completions]") {
  struct Case {
    Words words;
    Words offered;
  };

  const auto c = GENERATE(values<Case>({
      {{"re"}, {"resume", "retry", "results"}},
      {{"jobs", "l"}, {"list", "ls", "logs"}},
      {{"run", "--max-c"}, {"--max-cost"}},
      {{"run", "f.csv", "--order", ""}, {"input", "completion"}},
      {{"run", "f.csv", "--order", "=", "c"}, {"completion"}},
      {{"run", "--color", "al"}, {"always"}},
      {{"--color", "never", "ver"}, {"version"}},
      {{"run", "tick"}, {"tickets.csv"}},
      {{"run", "-m", "jobs", "tick"}, {"tickets.csv"}},
      {{"run", "-o", "tick"}, {"tickets.csv"}},
      {{"run", "-m", ""}, {}},
      {{"completions", ""}, {"bash", "zsh", "fish"}},
      {{"version", "--js"}, {"--json"}},
      {{"results", "export", "--stat"}, {"--status", "--state-dir"}},
      {{"results", "export", "--status", ""}, {"ok", "failed", "all"}},
      {{"jobs", "list", "--status", "s"}, {"succeeded"}},
      {{"run", "--port"}, {}},
  }));
  CAPTURE(c.words);
  CHECK(offered(c.words) == c.offered);
}

TEST_CASE("every shell's script names every command and its flags", "[completions]") {
  for (const auto* shell : {"bash", "zsh", "fish"}) {
    const std::string script = completion_script(shell);
    for (const CommandSpec& spec : command_table()) {
      if (!spec.group.empty()) {
        CAPTURE(shell, spec.path);
        CHECK_THAT(script, ContainsSubstring(std::string(last_word(spec.path))));
        for (const OptionKey* option : options_of(spec)) {
          CHECK_THAT(script, ContainsSubstring(flag_of(*option).substr(2)));
        }
      }
    }
    CHECK(script.find("__man") == std::string::npos);
  }
}

TEST_CASE("zsh and fish can read their scripts", "[completions]") {
  const ScratchFolder folder;
  for (const auto* shell : {"zsh", "fish"}) {
    const std::string file = folder.write(shell, completion_script(shell));
    const auto result = run_process({.argv = {shell, "-n", file}});
    constexpr int k_not_installed = 127;
    if (result.exit_code == k_not_installed) {
      WARN(shell << " is not installed");
      continue;
    }
    CAPTURE(shell, result.error_text);
    CHECK(result.exit_code == 0);
  }
}

TEST_CASE("an unknown shell is refused", "[completions]") {
  CHECK_THROWS_WITH(completion_script("powershell"), ContainsSubstring("no completions for"));
  CHECK_THAT(completion_words("topics"), ContainsSubstring("exit-codes\n"));
  CHECK_THAT(completion_words("keys"), ContainsSubstring("run.concurrency\n"));
  CHECK(completion_words("nonsense").empty());
}

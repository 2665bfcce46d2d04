// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.h"

#include "tests/support/catch.h"

#include <map>

using namespace batchllm;

TEST_CASE("colour: --color, then NO_COLOR, then CLICOLOR_FORCE, then the terminal", "[terminal]") {
  struct Case {
    ColorChoice choice;
    bool is_terminal;
    std::map<std::string, std::string> variables;
    bool expected;
  };

  const auto c = GENERATE(values<Case>({
      {ColorChoice::automatic, true, {{"TERM", "xterm"}}, true},
      {ColorChoice::automatic, false, {{"TERM", "xterm"}}, false},
      {ColorChoice::automatic, true, {{"TERM", "dumb"}}, false},
      {ColorChoice::automatic, true, {}, false},
      {ColorChoice::automatic, true, {{"TERM", "xterm"}, {"NO_COLOR", "1"}}, false},
      {ColorChoice::automatic, true, {{"TERM", "xterm"}, {"NO_COLOR", ""}}, true},
      {ColorChoice::automatic, false, {{"CLICOLOR_FORCE", "1"}}, true},
      {ColorChoice::automatic, false, {{"CLICOLOR_FORCE", "0"}}, false},
      {ColorChoice::automatic, false, {{"CLICOLOR_FORCE", "1"}, {"NO_COLOR", "1"}}, false},
      {ColorChoice::always, false, {{"NO_COLOR", "1"}}, true},
      {ColorChoice::never, true, {{"TERM", "xterm"}, {"CLICOLOR_FORCE", "1"}}, false},
  }));
  CAPTURE(c.variables);
  const auto lookup = [&c](const std::string& name) -> std::optional<std::string> {
    const auto found = c.variables.find(name);
    return found == c.variables.end() ? std::nullopt : std::optional(found->second);
  };
  CHECK(wants_color(c.choice, c.is_terminal, lookup) == c.expected);
}

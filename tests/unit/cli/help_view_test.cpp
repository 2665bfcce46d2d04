// SPDX-License-Identifier: Apache-2.0
#include "cli/help_view.h"

#include "core/error.h"
#include "core/text.h"
#include "tests/support/catch.h"

#include <algorithm>

using namespace batchllm;

namespace {

std::vector<std::string> every_help() {
  std::vector<std::string> texts = {program_help(false)};
  for (const CommandSpec& spec : command_table()) {
    if (!spec.group.empty()) {
      texts.push_back(command_help(spec, HelpWanted::full, false));
      texts.push_back(command_help(spec, HelpWanted::brief, false));
    }
  }
  for (const HelpTopic& topic : help_topics()) {
    texts.push_back(topic.text());
  }
  return texts;
}

}  // namespace

TEST_CASE("no help text is wider than a hundred columns", "[help]") {
  for (const std::string& text : every_help()) {
    for (const std::string& line : split(text, '\n')) {
      CAPTURE(line);
      CHECK(character_count(line) <= 100);
    }
  }
}

TEST_CASE("every option that a command takes is in its help", "[help]") {
  for (const CommandSpec& spec : command_table()) {
    if (spec.command == Command::none || spec.group.empty()) {
      continue;
    }
    const std::string text = command_help(spec, HelpWanted::full, false);
    for (const OptionKey* option : options_of(spec)) {
      if (!section_of(*option).empty()) {
        CHECK_THAT(text, ContainsSubstring(flag_of(*option)));
      }
    }
  }
}

TEST_CASE("the short help lists options that exist", "[help]") {
  for (const CommandSpec& spec : command_table()) {
    for (const std::string& name : split(spec.common, ',')) {
      if (!name.empty()) {
        CAPTURE(name);
        const auto options = options_of(spec);
        CHECK(std::any_of(options.begin(), options.end(), [&](const auto* option) {
          return name_of(*option) == name;
        }));
      }
    }
  }
}

TEST_CASE("every exit code of an error is explained", "[help]") {
  const std::string text = help_about({"exit-codes"}, false);
  for (int number = 0; number <= static_cast<int>(ErrorCode::terminated); ++number) {
    const int code = error_kind(static_cast<ErrorCode>(number)).exit_code;
    CAPTURE(code);
    CHECK_THAT(text, ContainsSubstring(std::to_string(code)));
  }
}

TEST_CASE("an unknown topic is answered with the nearest one", "[help]") {
  try {
    help_about({"exit-code"}, false);
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.exit_code() == 9);
    CHECK_THAT(error.hint(), ContainsSubstring("batchllm help exit-codes"));
  }
  CHECK_THAT(help_about({"results", "show"}, false),
             ContainsSubstring("batchllm results show JOB"));
}

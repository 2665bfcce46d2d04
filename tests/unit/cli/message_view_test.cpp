// SPDX-License-Identifier: Apache-2.0
#include "cli/message_view.h"

#include "core/json_text.h"
#include "tests/support/catch.h"

using namespace batchllm;

namespace {

std::string shown(MessageStyle style, const std::function<void(const MessageView&)>& say) {
  std::string text;
  const MessageView view(style, [&text](std::string_view lines) { text += lines; });
  say(view);
  return text;
}

}  // namespace

TEST_CASE("an error has a message and a hint", "[message_view]") {
  const Error error(ErrorCode::column_missing,
                    "column \"txt\" is not in a.csv\ncolumns: text",
                    "did you mean {text}?");
  CHECK(error_text(error, false) ==
        "error: column \"txt\" is not in a.csv\n  columns: text\n  hint: did you mean {text}?\n");
  CHECK_THAT(error_text(error, true), ContainsSubstring("\x1b[1;31merror:\x1b[0m "));
}

TEST_CASE("an error for scripts is one object with code, exit code and details", "[message_view]") {
  const Error error =
      Error(ErrorCode::column_missing, "no \"txt\"\n", "hint").with_detail("column", "txt");
  CHECK(error_json(error) ==
        "{\"error\":{\"code\":\"column_missing\",\"exit_code\":3,\"message\":\"no \\\"txt\\\"\\n\","
        "\"hint\":\"hint\",\"details\":{\"column\":\"txt\"}}}\n");
  CHECK(is_json(error_json(Error(ErrorCode::internal, "\xff\xfe\x1b[2J\x01"))));
}

TEST_CASE("untrusted text cannot move the cursor", "[message_view]") {
  const std::string text = error_text(Error(ErrorCode::usage, "a\x1b[2Jb\rc\x9b"), false);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\r') == std::string::npos);
}

TEST_CASE("quiet leaves errors only, verbose adds details", "[message_view]") {
  const auto say = [](const MessageView& view) {
    view.note("note");
    view.warning("careful");
    view.detail("detail");
    view.error(Error(ErrorCode::usage, "wrong"));
  };
  CHECK(shown({}, say) == "note\nwarning: careful\nerror: wrong\n");
  CHECK(shown({.quiet = true}, say) == "error: wrong\n");
  CHECK(shown({.verbose = 1}, say) == "note\nwarning: careful\ndetail\nerror: wrong\n");
}

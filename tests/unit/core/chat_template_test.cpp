// SPDX-License-Identifier: Apache-2.0
#include "core/chat_template.h"

#include "tests/support/catch.h"
#include "tests/support/test_rows.h"
#include "tests/support/thrown_error.h"

using namespace batchllm;

namespace {

ChatTemplateText conversation() {
  ChatTemplateText text;
  text.messages = {{"system", "You answer in {language}.", {"--system"}},
                   {"user", "{text}", {"--prompt"}},
                   {"assistant", "ok", {"t.toml", 9, 1}},
                   {"user", "{id}: {text|upper}", {"t.toml", 12, 1}}};
  return text;
}

TemplateNames names() {
  TemplateNames names;
  names.columns = {"id", "text"};
  names.variables = {{"language", "German"}};
  return names;
}

}  // namespace

TEST_CASE("messages are rendered in order, again and again into the same prompt", "[template]") {
  ChatTemplate chat = ChatTemplate::compile(conversation(), names());
  CHECK(chat.columns() == std::vector<std::string>{"text", "id"});
  CHECK(chat.variables() == std::vector<std::string>{"language"});
  CHECK(chat.uses_rows());
  chat.bind({"id", "text"});
  const TestRows rows({{"1", "a long text"}, {"2", "b"}});
  Prompt prompt;
  chat.render(rows.batch(), 0, prompt);
  prompt.attachments = {{Attachment::Kind::image, "https://example.com/a.png"}};
  chat.render(rows.batch(), 1, prompt);
  REQUIRE(prompt.messages.size() == 4);
  CHECK(prompt.messages[0].role == "system");
  CHECK(prompt.messages[0].text == "You answer in German.");
  CHECK(prompt.messages[1].text == "b");
  CHECK(prompt.messages[2].role == "assistant");
  CHECK(prompt.messages[3].text == "2: B");
  CHECK(prompt.attachments.empty());
}

TEST_CASE("an error names the message's own place", "[template]") {
  ChatTemplateText text = conversation();
  text.messages[3].text = "{ttext}";
  CHECK_THAT(thrown_error([&] { (void)ChatTemplate::compile(text, names()); })->message(),
             ContainsSubstring("t.toml:12:1: {ttext} names no column"));
  text = conversation();
  text.messages[2].role = "robot";
  const auto role = thrown_error([&] { (void)ChatTemplate::compile(text, names()); });
  CHECK(role->code() == ErrorCode::template_invalid);
  CHECK(role->message() == "t.toml:9: \"robot\" is not a role");
}

TEST_CASE("a prompt without a message of the user is refused", "[template]") {
  ChatTemplateText text;
  text.messages = {{"system", "x", {"--system"}}};
  const auto error = thrown_error([&] { (void)ChatTemplate::compile(text, names()); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::template_invalid);
  CHECK_THAT(error->hint(), ContainsSubstring("--prompt"));
}

// SPDX-License-Identifier: Apache-2.0
#include "core/redaction.h"

#include "tests/support/catch.h"

using namespace batchllm;

TEST_CASE("what has the shape of a secret is masked, everything else stays", "[redaction]") {
  struct Case {
    std::string text;
    std::string redacted;
  };

  const auto& c = GENERATE(values<Case>({
      {"", ""},
      {"nothing here", "nothing here"},
      {"key sk-proj-abcdefghijklmnop!", "key sk-***!"},
      {"(gsk_0123456789abcdef)", "(gsk_***)"},
      {"sk-short", "sk-short"},
      {"task-abcdefghijklmnopqrst", "task-abcdefghijklmnopqrst"},  // within a word
      {"AIzaSyA-0123456789abcdefg AKIA0123456789AB", "AIza*** AKIA***"},
      {"Authorization: Bearer abcdef0123.x~y", "Authorization: Bearer ***"},
      {"Bearer of news", "Bearer of news"},
      {"http://user:pass@host/x and http://host/a@b", "http://***@host/x and http://host/a@b"},
      {"://", "://"},
  }));
  CHECK(redacted(c.text) == c.redacted);
}

TEST_CASE("a secret that was told is masked wherever it stands", "[redaction]") {
  remember_secret("no shape/at all+1");
  remember_secret("no shape/at all+1 and longer");
  remember_secret("short");
  CHECK(redacted("a no shape/at all+1b") == "a ***b");
  CHECK(redacted("no shape/at all+1 and longer") == "***");
  CHECK(redacted("?key=no%20shape%2Fat%20all%2B1&x") == "?key=***&x");
  CHECK(redacted("short") == "short");
}

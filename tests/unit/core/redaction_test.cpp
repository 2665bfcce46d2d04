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

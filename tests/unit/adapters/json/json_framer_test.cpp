// SPDX-License-Identifier: Apache-2.0
#include "adapters/json/json_framer.h"

#include "adapters/json/json_check.h"
#include "tests/support/catch.h"

using namespace batchllm::json;

TEST_CASE("the framing is told from the first lines", "[json]") {
  struct Case {
    std::string head;
    Framing framing;
  };

  for (const auto& c : std::vector<Case>{
           {"{\"a\":1}\n{\"a\":2}\n", Framing::lines},
           {"{\"a\":1}", Framing::lines},
           {"{\"a\":1,}\n{\"a\":2}\n{\"a\":3}\n", Framing::lines},
           {"{\"a\":\"cut off by the he", Framing::lines},
           {"  \n[{\"a\":1}]", Framing::array},
           {"[\n1,\n2\n]", Framing::array},
           {"[1,2]\n[3,4]\n", Framing::lines},
           {"{\n  \"a\": 1\n}\n{\n  \"a\": 2\n}\n", Framing::concatenated},
           {"{\"a\":1}{\"a\":2}\n{\"a\":3}", Framing::concatenated},
           {"{\"a\":1} {\"a\":2}", Framing::concatenated},
           {"", Framing::lines},
       }) {
    CAPTURE(c.head);
    CHECK(framing_name(detect_framing(c.head, false)) == framing_name(c.framing));
  }
}

TEST_CASE("the patient check accepts JSON of any number size", "[json]") {
  for (const char* text :
       {"1e999", "123456789012345678901234567890", "-0.0E+1", "\"\\u0000\"", " {} ", "[[],[{}]]"}) {
    CAPTURE(text);
    CHECK_FALSE(check_json(text).has_value());
  }
}

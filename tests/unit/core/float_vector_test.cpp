// SPDX-License-Identifier: Apache-2.0
#include "core/float_vector.h"

#include "core/base64.h"
#include "tests/support/catch.h"

#include <limits>

using namespace batchllm;

namespace {

bool is_vector(std::string_view text) {
  std::vector<float> vector;
  std::string bytes;
  return read_vector(text, vector, bytes);
}

std::string base64_of(const std::vector<float>& vector) {
  std::string text;
  append_vector(text, vector);
  return text;
}

}  // namespace

TEST_CASE("a vector comes back from base64 as it was", "[float_vector]") {
  CHECK(base64_of({1.0F, -2.0F}) == "AACAPwAAAMA=");
  const std::vector<float> vector = {0.0F, -0.0F, 1e-45F, 3.4e38F, 0.1F, -1.0F / 3};
  std::vector<float> again;
  std::string bytes;
  REQUIRE(read_vector(base64_of(vector), again, bytes));
  CHECK(again == vector);
}

TEST_CASE("what is no vector is refused", "[float_vector]") {
  for (const char* text : {"", "AAAA", "AACAPw=", "AACAPwA=", "AAC*Pw==", "=ACAPw==", "A=CAPw=="}) {
    CAPTURE(text);
    CHECK_FALSE(is_vector(text));
  }
  CHECK(is_vector("AACAPw=="));
  CHECK_FALSE(is_vector(base64_of({1.0F, std::numeric_limits<float>::quiet_NaN()})));
  CHECK_FALSE(is_vector(base64_of({std::numeric_limits<float>::infinity()})));
}

TEST_CASE("numbers are as short in JSON as gives them again", "[float_vector]") {
  std::string json;
  append_vector_json(json, std::vector<float>{1.0F, -0.5F, 0.1F, 1e-10F, 123456.0F});
  CHECK(json == "[1,-0.5,0.1,1e-10,123456]");
  json.clear();
  append_vector_json(json, {});
  CHECK(json == "[]");
}

TEST_CASE("base64 is read back, and nothing else", "[float_vector]") {
  for (const std::string& bytes : {std::string(),
                                   std::string("f"),
                                   std::string("fo"),
                                   std::string("foo"),
                                   std::string("\0\xff\x80\x7f", 4)}) {
    std::string text;
    append_base64(text, bytes);
    std::string again = "left over";
    CHECK(read_base64(text, again));
    CHECK(again == bytes);
  }
  std::string bytes;
  for (const char* text : {"Zg=", "Zg", "Z===", "Zg==Zg==", "Zm 9v", "Zm9v\n"}) {
    CAPTURE(text);
    CHECK_FALSE(read_base64(text, bytes));
  }
}

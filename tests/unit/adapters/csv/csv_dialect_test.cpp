// SPDX-License-Identifier: Apache-2.0
#include "adapters/csv/csv_dialect.h"

#include "core/error.h"
#include "tests/support/catch.h"

#include <string>

namespace batchllm {
namespace {

TEST_CASE("the delimiter and the quote are found in the text", "[csv]") {
  struct Case {
    std::string text;
    CsvDialect dialect;
  };

  const auto& c = GENERATE(values<Case>({
      {"", {',', '"'}},
      {"a\nb\nc\n", {',', '"'}},
      {"a,b\n1,2\n", {',', '"'}},
      {"a;b\n1;2\n", {';', '"'}},
      {"a\tb\n1\t2\n", {'\t', '"'}},
      {"a|b\n1|2\n", {'|', '"'}},
      {"name;price\nx;1,5\ny;2,5\n", {';', '"'}},
      {"a,b\n\"x;y;z\",2\n\"p;q;r\",3\n", {',', '"'}},
      {"a;b\n\"x\n,,,\";2\n", {';', '"'}},
      {"\"a\"\t\"b, c\"\n\"d\"\t\"e, f\"\n", {'\t', '"'}},
      {"a,b\n1,2\n3,4\n5\n", {',', '"'}},
      {"a,b\n'x,y',2\n'z',3\n", {',', '\''}},
      {"a,b\n'tis,2\n'twas,3\n", {',', '"'}},
      {"a,b\n'=1+1,2\n'-x,\"3\"\n", {',', '"'}},
  }));
  CAPTURE(c.text);
  const auto dialect = detect_csv_dialect(c.text, true, {}, false);
  CHECK(dialect.delimiter == c.dialect.delimiter);
  CHECK(dialect.quote == c.dialect.quote);
}

TEST_CASE("a record that the sample cuts in two does not count", "[csv]") {
  CHECK(detect_csv_dialect("a;b;c\n1;2;3\n4;5", false, {}, false).delimiter == ';');
  CHECK(detect_csv_dialect("a;b;c,d,e", false, {}, false).delimiter == ',');
}

TEST_CASE("the name or the user may say the delimiter", "[csv]") {
  CHECK(detect_csv_dialect("a,b\n1,2\n", true, {}, true).delimiter == '\t');
  InputSettings settings;
  settings.delimiter = '|';
  CHECK(detect_csv_dialect("a,b\n1,2\n", true, settings, true).delimiter == '|');
  settings.delimiter = '"';
  CHECK_THROWS_AS(detect_csv_dialect("a,b\n", true, settings, false), Error);
  settings.delimiter = '\xE9';
  CHECK_THROWS_AS(detect_csv_dialect("a,b\n", true, settings, false), Error);
}

}  // namespace
}  // namespace batchllm

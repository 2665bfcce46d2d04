// SPDX-License-Identifier: Apache-2.0
#include "core/pattern.h"

#include "tests/support/catch.h"

#include <string>
#include <vector>

using namespace batchllm;

namespace {

std::string why_refused(std::string_view text, PatternDialect dialect) {
  const auto pattern = Pattern::compile(text, dialect);
  return pattern ? "taken" : pattern.error().message;
}

Pattern compiled(std::string_view text, PatternDialect dialect) {
  auto pattern = Pattern::compile(text, dialect);
  if (!pattern) {
    FAIL(pattern.error().message);
  }
  return *std::move(pattern);
}

}  // namespace

TEST_CASE("an expression of ECMA-262 means what it means there", "[pattern]") {
  struct Case {
    std::string_view pattern;
    std::string_view text;
    bool matches;
  };

  const auto& c = GENERATE(values<Case>({
      {"b+", "abbc", true},
      {"^abc$", "abc\n", false},
      {"^\\d$", "\u0667", false},
      {"^\\w$", "\u00e9", false},
      {"^\\s$", "\u00a0", true},
      {"^[\\s]$", "\ufeff", true},
      {"^\\S$", "\u2003", false},
      {"^\\v$", "\n", false},
      {"^\\v$", "\x0b", true},
      {"^.$", "\n", false},
      {"^.$", "\u2028", false},
      {"^.$", "\U0001F600", true},
      {"^[^]$", "\n", true},
      {"^\\cC$", "\x03", true},
      {"^\\u0041\\u{1F600}$", "A\U0001F600", true},
      {"^\\x41$", "A", true},
      {"^[[:a]$", ":", true},
      {"^\\p{Letter}\\p{Lu}$", "\u03c0A", true},
      {"^\\p{General_Category=Decimal_Number}$", "\u0667", true},
      {"^\\P{Script=Greek}$", "\u03c0", false},
      {"^(?<a>x)\\k<a>(?=y)(?!z)y(?<=y)$", "xxy", true},
      {"^a{2,3}?$", "aaa", true},
      {"^a/b\\/c$", "a/b/c", true},
      {"^$", "", true},
  }));
  CAPTURE(c.pattern, c.text);
  const auto verdict = compiled(c.pattern, PatternDialect::ecma).search(c.text);
  CHECK((verdict == Pattern::Verdict::match) == c.matches);
}

TEST_CASE("what is no expression of ECMA-262 is refused", "[pattern]") {
  struct Case {
    std::string_view pattern;
    std::string_view reason;
  };

  const auto& c = GENERATE(values<Case>({
      {"(?i)abc", "character 1: a group that ECMA-262 does not have"},
      {"\u00e9(?>a)", "character 2: a group that ECMA-262 does not have"},
      {"a++", "character 3: nothing before it to repeat"},
      {"a*?+", "nothing before it to repeat"},
      {"(*ACCEPT)", "nothing before * to repeat"},
      {"\\Aabc\\z", "\\A is no escape of ECMA-262"},
      {"\\Q*\\E", "\\Q is no escape"},
      {"\\K", "\\K is no escape"},
      {"\\pL", "\\p without a name in braces"},
      {"\\p{Script", "\\p without a name in braces"},
      {"[\\S]", "not supported"},
      {"a\\", "a backslash with nothing behind it"},
      {"(", "missing closing parenthesis"},
      {"[a", "missing terminating ]"},
      {"\xff", "not well-formed UTF-8"},
  }));
  CAPTURE(c.pattern);
  CHECK_THAT(why_refused(c.pattern, PatternDialect::ecma),
             ContainsSubstring(std::string(c.reason)));
}

TEST_CASE("a search that would take too long is undecided, not false", "[pattern]") {
  const Pattern slow = compiled("^(a+)+$", PatternDialect::ecma);
  CHECK(slow.search(std::string(40, 'a')) == Pattern::Verdict::match);
  CHECK(slow.search(std::string(40, 'a') + "!") == Pattern::Verdict::undecided);
  CHECK(slow.search("\xff") == Pattern::Verdict::undecided);
  // Backtracking lies on the heap, so that long texts cannot end the stack either.
  const Pattern deep = compiled("(?:a|b)*[cd]", PatternDialect::ecma);
  CHECK(deep.search(std::string(1'000'000, 'a')) == Pattern::Verdict::undecided);
}

TEST_CASE("a match tells its place and its first group", "[pattern]") {
  const Pattern pattern = compiled("(?i)label:\\s*(\\w+)(!)?", PatternDialect::perl);
  const std::string text = "The LABEL: Bug.";
  const auto match = pattern.find(text);
  CHECK(match.verdict == Pattern::Verdict::match);
  CHECK(match.whole == "LABEL: Bug");
  CHECK(match.first_group == "Bug");
  CHECK(pattern.has_groups());

  const Pattern unset = compiled("(a)|b", PatternDialect::perl);
  CHECK_FALSE(unset.find("b").first_group);
  CHECK(unset.find("a").first_group == "a");
  CHECK(unset.find("c").verdict == Pattern::Verdict::no_match);
  CHECK(unset.find({}).verdict == Pattern::Verdict::no_match);
  CHECK_FALSE(compiled("b", PatternDialect::perl).find("abc").first_group);
  CHECK(why_refused("ab(c", PatternDialect::perl) == "character 5: missing closing parenthesis");
}

// SPDX-License-Identifier: Apache-2.0
#include "core/token_estimate.h"

#include "tests/support/catch.h"

#include <string>

using namespace batchllm;

TEST_CASE("the estimate is near what tokenizers count", "[tokens]") {
  struct Case {
    std::string_view text;
    std::int64_t o200k;   // counted with the o200k vocabulary
    std::int64_t cl100k;  // and with the older one
  };

  const auto c = GENERATE(values<Case>({
      {"PLEASE CANCEL MY SUBSCRIPTION IMMEDIATELY I AM VERY UNHAPPY WITH YOUR SERVICE", 20, 19},
      {"4929 1234 5678 9012 2026-11-21T08:49:49Z 3.14159265358979 0xDEADBEEF 127.0.0.1:8420",
       50,
       50},
      {"您好，从昨天晚上开始我就无法登录我的账户。输入密码后只显示一个空白页面，前天的转账也没有到"
       "账。请帮忙检查一下是否"
       "出现了故障？",
       41,
       60},
  }));
  CAPTURE(c.text);
  const TokenEstimate estimate = estimate_tokens(c.text);
  CHECK(estimate.upper >= std::max(c.o200k, c.cl100k));
  CHECK(estimate.mean >= c.o200k * 2 / 3);
  CHECK(estimate.mean <= c.cl100k * 3 / 2);
  CHECK(estimate.mean <= estimate.upper);
}

TEST_CASE("nothing has no tokens and anything has at least one", "[tokens]") {
  CHECK(estimate_tokens("").mean == 0);
  CHECK(estimate_tokens("").upper == 0);
  CHECK(estimate_tokens("a").mean == 1);
  CHECK(estimate_tokens("\xF0\x9F\x98\x80").upper == 3);
}

TEST_CASE("long texts are counted as their pieces are", "[tokens]") {
  // 10 characters of 2.99 tokens together, so that rounding is the only difference.
  const std::string piece = "aZ0,é漢 \tb😀";
  std::string text;
  for (int i = 0; i < 1000; ++i) {
    text += piece;
    const TokenEstimate whole = estimate_tokens(text);
    const std::int64_t pieces = i + 1;
    // a, space, tab, b: 4 x 220; Z 300; 0 680; comma 530; é 500; 漢 750; emoji 1650
    CHECK(whole.mean == (pieces * 5290 + 999) / 1000);
    CHECK(whole.upper == (pieces * 9000 + 999) / 1000);
  }
}

TEST_CASE("bytes that are no characters do no harm", "[tokens]") {
  CHECK(estimate_tokens(std::string(1000, '\x80')).upper == 0);
  CHECK(estimate_tokens(std::string(1000, '\xFF')).upper == 3000);
}

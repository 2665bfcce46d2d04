// SPDX-License-Identifier: Apache-2.0
#include "tests/support/catch.h"
#include "tests/unit/adapters/simulator/asked.h"

#include <string>
#include <string_view>

using namespace batchllm;
using namespace batchllm::simulator;
using namespace batchllm::test;

namespace {

constexpr std::string_view k_classic =
    "/openai/deployments/mine/chat/completions?api-version=2024-10-21";
constexpr std::string_view k_question =
    R"({"messages":[{"role":"user","content":"Classify as bug or praise: it crashes"}]})";

}  // namespace

TEST_CASE("Azure: a deployment is in the address or in the body", "[simulator][dialects]") {
  SimulatorService service({});
  const SimulatedReply classic = ask(service, k_question, k_classic);
  CHECK(classic.status == 200);
  CHECK(member(classic, ".model") == "mine");
  CHECK(member(classic, ".choices[0].message.content") == "bug");
  CHECK(ask(service, k_question, "/openai/deployments/mine/chat/completions").status == 404);
  CHECK(ask(service, k_question, "/openai/v1/chat/completions").status == 400);
  const SimulatedReply newer = ask(service,
                                   R"({"model":"mine","messages":[{"role":"user","content":"x"}]})",
                                   "/openai/v1/chat/completions");
  CHECK(member(newer, ".model") == "mine");
  CHECK(
      ask(service, R"({"input":"x"})", "/openai/deployments/mine/embeddings?api-version=2024-10-21")
          .status == 200);
  CHECK(ask(service, "", "/openai/v1/models", {}, "GET").status == 200);
}

TEST_CASE("Azure: the key has a header of its own, resets are whole seconds",
          "[simulator][dialects]") {
  SimulatorSettings settings;
  settings.required_key = "right";
  settings.requests_per_minute = 2;
  SimulatorService service(settings);
  const SimulatedReply first = ask(service, k_question, k_classic, {{"api-key", "right"}});
  CHECK(first.status == 200);
  CHECK(header(first, "x-ratelimit-remaining-requests") == "1");
  CHECK(header(first, "x-ratelimit-reset-requests") == "30");
  CHECK(ask(service, k_question, k_classic, {{"Authorization", "Bearer right"}}).status == 200);
  CHECK(header(ask(service, k_question, k_classic, {{"api-key", "right"}}), "retry-after-ms") ==
        "30000");
  const SimulatedReply wrong = ask(service, k_question, k_classic, {{"api-key", "wrong"}});
  CHECK(wrong.status == 401);
  CHECK(member(wrong, ".error.code") == "401");
}

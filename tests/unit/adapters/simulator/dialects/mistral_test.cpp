// SPDX-License-Identifier: Apache-2.0
#include "tests/support/catch.h"
#include "tests/unit/adapters/simulator/asked.h"

#include <string>
#include <string_view>

using namespace batchllm;
using namespace batchllm::simulator;
using namespace batchllm::test;

namespace {

constexpr std::string_view k_path = "/mistral/v1/chat/completions";
constexpr std::string_view k_question =
    R"({"model":"m","random_seed":1,"messages":[{"role":"user","content":)"
    R"("Classify as bug or praise: it crashes"}]})";

}  // namespace

TEST_CASE("Mistral: OpenAI's form with its own seed", "[simulator][dialects]") {
  SimulatorService service({});
  const SimulatedReply reply = ask(service, k_question, k_path);
  CHECK(member(reply, ".choices[0].message.content") == "bug");
  CHECK(member(reply, ".choices[0].message.refusal") == "nothing");
  CHECK(member(reply, ".usage.total_tokens") == "11");
  std::string other(k_question);
  other.replace(other.find(":1,"), 3, ":2,");
  CHECK(member(ask(service, other, k_path), ".id") != member(reply, ".id"));
}

TEST_CASE("Mistral: what it does not know it refuses", "[simulator][dialects]") {
  SimulatorService service({});
  const SimulatedReply reply =
      ask(service, R"({"seed":1,"model":"m","messages":[{"role":"user","content":"x"}]})", k_path);
  CHECK(reply.status == 422);
  CHECK(member(reply, ".detail[0].loc[1]") == "seed");
}

TEST_CASE("Mistral: limits and errors are its own", "[simulator][dialects]") {
  SimulatorSettings settings;
  settings.requests_per_minute = 1;
  settings.required_key = "right";
  SimulatorService service(settings);
  const Headers key = {{"Authorization", "Bearer right"}};
  CHECK(header(ask(service, k_question, k_path, key), "x-ratelimit-remaining-req-minute") == "0");
  const SimulatedReply refused = ask(service, k_question, k_path, key);
  CHECK(refused.status == 429);
  CHECK(member(refused, ".object") == "error");
  CHECK(member(refused, ".type") == "rate_limited");
  CHECK(header(refused, "retry-after") == "60");
  CHECK(ask(service, k_question, k_path).status == 401);
}

TEST_CASE("Mistral: a stream ends with the usage", "[simulator][dialects]") {
  SimulatorService service({});
  std::string streamed(k_question);
  streamed.insert(1, R"("stream":true,)");
  const SimulatedReply reply = ask(service, streamed, k_path);
  CHECK(joined(reply, ".choices[0].delta.content") == "bug");
  CHECK(joined(reply, ".usage.total_tokens") == "11");
}

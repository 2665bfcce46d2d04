// SPDX-License-Identifier: Apache-2.0
#include "tests/support/catch.h"
#include "tests/unit/adapters/simulator/asked.h"

#include <string>
#include <string_view>

using namespace batchllm;
using namespace batchllm::simulator;
using namespace batchllm::test;

namespace {

constexpr std::string_view k_path = "/model/anthropic.claude-x%3A0/converse";
constexpr std::string_view k_question =
    R"({"system":[{"text":"You sort."}],"messages":[{"role":"user","content":[{"image":)"
    R"({"format":"png","source":{"bytes":"AA=="}}},)"
    R"({"text":"Classify as bug or praise: it crashes"}]}]})";

Headers signed_with(const std::string& authorization) {
  return {{"Authorization", authorization}, {"X-Amz-Date", "20260101T000000Z"}};
}

const std::string k_signature =
    "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/bedrock/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=" +
    std::string(64, 'a');

}  // namespace

TEST_CASE("Bedrock: an answer has its members", "[simulator][dialects]") {
  SimulatorService service({});
  const SimulatedReply reply = ask(service, k_question, k_path, signed_with(k_signature));
  CHECK(reply.status == 200);
  CHECK(is_json(reply.body));
  CHECK(member(reply, ".output.message.content[0].text") == "bug");
  CHECK(member(reply, ".stopReason") == "end_turn");
  CHECK(member(reply, ".usage.inputTokens") == "12");
  CHECK(member(reply, ".usage.totalTokens") == "13");
  CHECK(header(reply, "x-amzn-requestid").size() == 36);
}

TEST_CASE("Bedrock: requests must be signed or bring a token", "[simulator][dialects]") {
  struct Case {
    Headers headers;
    std::string_view type;
  };

  const auto& c = GENERATE(values<Case>({
      {{}, "MissingAuthenticationTokenException"},
      {signed_with("AWS4-HMAC-SHA256 Credential=AKID"), "IncompleteSignatureException"},
      {{{"Authorization", k_signature}}, "IncompleteSignatureException"},
      {signed_with(k_signature), "nothing"},
      {{{"Authorization", "Bearer token"}}, "nothing"},
  }));
  CAPTURE(c.type);
  SimulatorService service({});
  const SimulatedReply reply = ask(service, k_question, k_path, c.headers);
  CHECK(reply.status == (c.type == "nothing" ? 200 : 403));
  CHECK(header(reply, "x-amzn-errortype") == c.type);
  CHECK((member(reply, ".message") == "nothing") == (c.type == "nothing"));
}

TEST_CASE("Bedrock: a required key is the access key's id", "[simulator][dialects]") {
  SimulatorSettings settings;
  settings.required_key = "AKID";
  SimulatorService service(settings);
  CHECK(ask(service, k_question, k_path, signed_with(k_signature)).status == 200);
  const SimulatedReply other = ask(service, k_question, k_path, {{"Authorization", "Bearer x"}});
  CHECK(other.status == 403);
  CHECK(header(other, "x-amzn-errortype") == "UnrecognizedClientException");
}

TEST_CASE("Bedrock: faults have its words", "[simulator][dialects]") {
  struct Case {
    std::string_view fault;
    int status;
    std::string_view type;
  };

  const auto& c = GENERATE(values<Case>({
      {"429:1", 429, "ThrottlingException"},
      {"500:1", 500, "InternalServerException"},
      {"424:1", 424, "ModelErrorException"},
      {"quota:1", 429, "ThrottlingException"},
      {"context:1", 400, "ValidationException"},
  }));
  CAPTURE(c.fault);
  SimulatorService service(with_fault(c.fault));
  const SimulatedReply reply = ask(service, k_question, k_path, signed_with(k_signature));
  CHECK(reply.status == c.status);
  CHECK(header(reply, "x-amzn-errortype") == c.type);
  CHECK_THAT(member(reply, ".message"), ContainsSubstring(" "));
  CHECK(header(reply, "retry-after") == "nothing");
}

TEST_CASE("Bedrock: a schema is a string, a tool's is an object", "[simulator][dialects]") {
  SimulatorService service({});
  const std::string messages = R"({"messages":[{"role":"user","content":[{"text":"x"}]}],)";
  const SimulatedReply native = ask(
      service,
      messages + R"("outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":)"
                 R"({"name":"row","schema":"{\"properties\":{\"n\":{\"type\":\"integer\"}}}"}}}}})",
      k_path,
      signed_with(k_signature));
  CHECK_THAT(member(member(native, ".output.message.content[0].text"), ".n"),
             Catch::Matchers::Matches("[0-9]+"));
  const SimulatedReply tool =
      ask(service,
          messages + R"("toolConfig":{"tools":[{"toolSpec":{"name":"row","inputSchema":{"json":)"
                     R"({"properties":{"n":{"type":"integer"}}}}}}],)"
                     R"("toolChoice":{"tool":{"name":"row"}}}})",
          k_path,
          signed_with(k_signature));
  CHECK(member(tool, ".stopReason") == "tool_use");
  CHECK_THAT(member(tool, ".output.message.content[0].toolUse.input.n"),
             Catch::Matchers::Matches("[0-9]+"));
}

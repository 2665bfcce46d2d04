// SPDX-License-Identifier: Apache-2.0
// Prints what a row costs in each dialect: writing its request, reading its answer, and, where
// requests are signed, the signature.
#include "adapters/aws/sigv4.h"
#include "adapters/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace batchllm;

// An answer of 120 characters as each API gives it, with what comes along.
struct Sample {
  std::string_view dialect;
  std::string_view before;
  std::string_view after;
};

constexpr std::array k_samples = {
    Sample{
        "openai",
        R"({"id":"chatcmpl-1","object":"chat.completion","created":1763700000,"model":"m-2026-03-17",)"
        R"("service_tier":"default","choices":[{"index":0,"message":{"role":"assistant","content":")",
        R"(","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":)"
        R"({"prompt_tokens":124,"completion_tokens":35,"total_tokens":159,"prompt_tokens_details":)"
        R"({"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}})"},
    Sample{
        "responses",
        R"({"id":"resp_1","object":"response","created_at":1763700000,"status":"completed","error":null,)"
        R"("incomplete_details":null,"instructions":null,"model":"m","output":[{"type":"reasoning",)"
        R"("id":"rs_1","summary":[]},{"type":"message","id":"msg_1","status":"completed","role":)"
        R"("assistant","content":[{"type":"output_text","text":")",
        R"(","annotations":[]}]}],"store":false,"text":{"format":{"type":"text"}},"usage":)"
        R"({"input_tokens":124,"input_tokens_details":{"cached_tokens":0},"output_tokens":35,)"
        R"("output_tokens_details":{"reasoning_tokens":0},"total_tokens":159}})"},
    Sample{
        "anthropic",
        R"({"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text",)"
        R"("text":")",
        R"("}],"stop_reason":"end_turn","stop_sequence":null,"stop_details":null,"usage":)"
        R"({"input_tokens":124,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,)"
        R"("cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},)"
        R"("output_tokens":35,"service_tier":"standard"}})"},
    Sample{
        "gemini",
        R"({"candidates":[{"content":{"parts":[{"text":")",
        R"("}],"role":"model"},"finishReason":"STOP","index":0,"safetyRatings":[]}],"usageMetadata":)"
        R"({"promptTokenCount":124,"candidatesTokenCount":35,"thoughtsTokenCount":12,)"
        R"("totalTokenCount":171},"modelVersion":"m","responseId":"r"})"},
    Sample{
        "ollama",
        R"({"model":"m","created_at":"2026-11-21T00:00:00Z","message":{"role":"assistant","content":")",
        R"("},"done":true,"done_reason":"stop","total_duration":12345678901,"load_duration":123456,)"
        R"("prompt_eval_count":124,"prompt_eval_duration":12345,"eval_count":35,"eval_duration":123})"},
    Sample{"cohere",
           R"({"id":"c","message":{"role":"assistant","content":[{"type":"text","text":")",
           R"("}]},"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":124,)"
           R"("output_tokens":35},"tokens":{"input_tokens":224,"output_tokens":35}}})"},
    Sample{
        "bedrock",
        R"({"metrics":{"latencyMs":812},"output":{"message":{"content":[{"text":")",
        R"("}],"role":"assistant"}},"stopReason":"end_turn","usage":{"inputTokens":124,)"
        R"("outputTokens":35,"totalTokens":159,"cacheReadInputTokens":0,"cacheWriteInputTokens":0}})"},
};

// Nanoseconds for one call, the best of a few rounds. The results are added up, so that no compiler
// can leave the calls out.
template <typename Action>
double best_ns(Action&& action) {
  constexpr std::size_t k_calls = 200'000;
  double best = 1e12;
  std::size_t sum = 0;
  for (int round = 0; round < 5; ++round) {
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t call = 0; call < k_calls; ++call) {
      sum += action();
    }
    const std::chrono::duration<double, std::nano> elapsed =
        std::chrono::steady_clock::now() - start;
    best = std::min(best, elapsed.count() / static_cast<double>(k_calls));
  }
  if (sum == 42) {
    fmt::print("\n");
  }
  return best;
}

Prompt usual_prompt() {
  Prompt prompt;
  prompt.messages.push_back(
      {"system", "You sort support tickets. Answer with one of: billing, bug, praise, question."});
  std::string text = "Ticket:\n";
  while (text.size() < 400) {
    text += "The invoice of March shows \"VAT\" twice, although I paid for one seat only.\n";
  }
  prompt.messages.push_back({"user", text});
  return prompt;
}

void print_dialect(const Sample& sample, const Prompt& prompt) {
  ModelRequest model;
  model.model = "m";
  model.base_url = "https://api.example.com";
  model.max_tokens = 200;
  model.temperature = 0;
  model.is_sent = false;
  const auto provider = find_dialect(sample.dialect)->make(std::move(model));
  std::string body;
  const double encode_ns = best_ns([&] {
    provider->encode(prompt, body);
    return body.size();
  });
  const std::string whole =
      fmt::format("{}{}{}", sample.before, std::string(120, 'a'), sample.after);
  std::vector<char> bytes(whole.size() + 64);
  const double decode_ns = best_ns([&] {
    std::memcpy(bytes.data(), whole.data(), whole.size());
    HttpResponse response;
    response.status = 200;
    response.body = bytes.data();
    response.body_size = whole.size();
    const Answer answer = provider->decode(response);
    return answer.failure == RowFailure::none ? answer.text.size() : std::size_t{0};
  });
  fmt::print(
      "{:<10} request {:6} bytes {:7.0f} ns   answer {:6} bytes {:7.0f} ns   row {:7.0f} ns\n",
      sample.dialect,
      body.size(),
      encode_ns,
      whole.size(),
      decode_ns,
      encode_ns + decode_ns);
}

void print_signature() {
  aws::Signer signer({.region = "us-east-1", .service = "bedrock"});
  const aws::Credentials credentials{"AKIDEXAMPLE", "secret", std::string(300, 't'), {}};
  const std::string body(700, 'x');
  const double ns = best_ns([&] {
    const std::string payload = aws::sha256_hex(body);
    aws::SignableRequest request;
    request.method = "POST";
    request.path = "/model/us.amazon.nova-lite-v1%3A0/converse";
    request.headers = {{"Host", "bedrock-runtime.us-east-1.amazonaws.com"}};
    request.payload_sha256 = payload;
    return signer.sign(request, credentials, 1'763'700'000'000).signature.size();
  });
  fmt::print("{:<10} {:.0f} ns\n", "signature", ns);
}

}  // namespace

int main() {
  const Prompt prompt = usual_prompt();
  for (const Sample& sample : k_samples) {
    print_dialect(sample, prompt);
  }
  print_signature();
}

// SPDX-License-Identifier: Apache-2.0
#include "core/model_spec.h"

#include "tests/support/catch.h"
#include "tests/support/thrown_error.h"

using namespace batchllm;

namespace {

const std::vector<std::string> k_providers = {"anthropic", "ollama", "openai", "openrouter"};

}  // namespace

TEST_CASE("a model spec is a provider and a model", "[model]") {
  struct Case {
    std::string_view text;
    std::string_view provider;
    std::string_view model;
  };

  const auto c = GENERATE(values<Case>({
      {"openai/gpt-4o-mini", "openai", "gpt-4o-mini"},
      {" openai/gpt-4o-mini\n", "openai", "gpt-4o-mini"},
      {"openrouter/google/gemma-4:free", "openrouter", "google/gemma-4:free"},
      {"ollama/llama3.2:3b", "ollama", "llama3.2:3b"},
      {"openai/modèle", "openai", "modèle"},
  }));
  CAPTURE(c.text);
  const ModelSpec spec = parse_model_spec(c.text, k_providers);
  CHECK(spec.provider == c.provider);
  CHECK(spec.model == c.model);
  CHECK(spec.text() == spec.provider + "/" + spec.model);
}

TEST_CASE("a wrong model spec is refused with a way out", "[model]") {
  struct Case {
    std::string_view text;
    ErrorCode code;
    std::string_view message;
    std::string_view hint;
  };

  const auto c = GENERATE(values<Case>({
      {"gpt-4o-mini",
       ErrorCode::usage,
       "\"gpt-4o-mini\" does not say which provider serves it",
       "did you mean openai/gpt-4o-mini?"},
      {"claude-x", ErrorCode::usage, "\"claude-x\"", "did you mean anthropic/claude-x?"},
      {"Llama3.2", ErrorCode::usage, "\"Llama3.2\"", "did you mean ollama/Llama3.2?"},
      {"gemini-9", ErrorCode::usage, "\"gemini-9\"", "as in openai/gpt-4o-mini"},
      {"/gpt-4o", ErrorCode::usage, "\"gpt-4o\" does not say", "did you mean openai/gpt-4o?"},
      {"openai/", ErrorCode::usage, "\"openai\"", "write openai/ and the name of a model"},
      {"openai", ErrorCode::usage, "\"openai\"", "write openai/ and the name of a model"},
      {"", ErrorCode::usage, "the model is empty", "as in openai/gpt-4o-mini"},
      {"/", ErrorCode::usage, "the model is empty", "as in openai/gpt-4o-mini"},
      {"openai/gpt 4",
       ErrorCode::usage,
       "\"openai/gpt 4\" is not the name of a model",
       "no spaces"},
      {"openia/gpt-4o",
       ErrorCode::model_unknown,
       "\"openia\" is not a provider (model openia/gpt-4o)",
       "did you mean openai/gpt-4o? providers are: anthropic, ollama, openai and openrouter"},
      {"meta-llama/Llama-3",
       ErrorCode::model_unknown,
       "\"meta-llama\" is not a provider",
       "any OpenAI-compatible server is openai/MODEL with --base-url URL"},
  }));
  CAPTURE(c.text);
  const auto error = thrown_error([&] { (void)parse_model_spec(c.text, k_providers); });
  REQUIRE(error);
  CHECK(error->code() == c.code);
  CHECK_THAT(error->message(), ContainsSubstring(std::string(c.message)));
  CHECK_THAT(error->hint(), ContainsSubstring(std::string(c.hint)));
}

TEST_CASE("a very long model name is refused without repeating it", "[model]") {
  const auto error = thrown_error(
      [] { (void)parse_model_spec("openai/" + std::string(100'000, 'x'), k_providers); });
  REQUIRE(error);
  CHECK(error->message().size() < 300);
}

// SPDX-License-Identifier: Apache-2.0
#include "core/model_spec.h"

#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace batchllm {
namespace {

constexpr std::size_t k_longest_spec = 256;

// How the names of well-known models begin, and who serves them. Only for hints.
constexpr std::array<std::pair<std::string_view, std::string_view>, 22> k_families = {{
    {"gpt-oss", "ollama"},    {"gpt", "openai"},
    {"chatgpt", "openai"},    {"o1", "openai"},
    {"o3", "openai"},         {"o4", "openai"},
    {"claude", "anthropic"},  {"gemini", "gemini"},
    {"gemma", "ollama"},      {"mistral", "mistral"},
    {"ministral", "mistral"}, {"codestral", "mistral"},
    {"magistral", "mistral"}, {"devstral", "mistral"},
    {"pixtral", "mistral"},   {"deepseek", "deepseek"},
    {"llama", "ollama"},      {"qwen", "ollama"},
    {"phi", "ollama"},        {"text-embedding", "openai"},
    {"smollm", "ollama"},     {"granite", "ollama"},
}};

bool is_known(std::string_view name, const std::vector<std::string>& providers) {
  return std::find(providers.begin(), providers.end(), name) != providers.end();
}

// The known provider that probably serves `model`.
std::optional<std::string_view> likely_provider(std::string_view model,
                                                const std::vector<std::string>& providers) {
  const std::string name = lowercase(model);
  for (const auto& [family, provider] : k_families) {
    if (name.starts_with(family) && is_known(provider, providers)) {
      return provider;
    }
  }
  return std::nullopt;
}

bool is_model_character(char byte) noexcept {
  return static_cast<unsigned char>(byte) > 0x20 && byte != 0x7F;
}

[[noreturn]] void refuse_form(std::string_view text, const std::vector<std::string>& providers) {
  std::string hint = "write provider/model, as in openai/gpt-4o-mini";
  if (const auto provider = likely_provider(text, providers)) {
    hint = fmt::format("did you mean {}/{}?", *provider, one_line(text, 80));
  } else if (is_known(text, providers)) {
    hint = fmt::format("write {}/ and the name of a model of that provider", text);
  }
  throw Error(ErrorCode::usage,
              text.empty()
                  ? std::string("the model is empty")
                  : fmt::format("\"{}\" does not say which provider serves it", one_line(text, 80)),
              std::move(hint));
}

[[noreturn]] void refuse_provider(const ModelSpec& spec,
                                  const std::vector<std::string>& providers) {
  std::string hint;
  if (const auto near = nearest_name(spec.provider, providers)) {
    hint = fmt::format("did you mean {}/{}? ", *near, one_line(spec.model, 80));
  }
  hint += fmt::format("providers are: {}", name_list(providers, providers.size()));
  if (is_known("openai", providers)) {
    hint += "; any OpenAI-compatible server is openai/MODEL with --base-url URL";
  }
  throw Error(ErrorCode::model_unknown,
              fmt::format("\"{}\" is not a provider (model {})",
                          one_line(spec.provider, 60),
                          one_line(spec.text(), 100)),
              std::move(hint))
      .with_detail("model", one_line(spec.text(), k_longest_spec));
}

}  // namespace

ModelSpec parse_model_spec(std::string_view text, const std::vector<std::string>& providers) {
  text = trim(text);
  const auto slash = text.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == text.size()) {
    std::string_view name = text;
    name.remove_prefix(slash == 0 ? 1 : 0);
    name.remove_suffix(name.ends_with('/') ? 1 : 0);
    refuse_form(name, providers);
  }
  if (text.size() > k_longest_spec || !std::all_of(text.begin(), text.end(), is_model_character)) {
    throw Error(ErrorCode::usage,
                fmt::format("\"{}\" is not the name of a model", one_line(text, 80)),
                "a model spec has no spaces and at most 256 bytes, as in openai/gpt-4o-mini");
  }
  ModelSpec spec{std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
  if (!is_known(spec.provider, providers)) {
    refuse_provider(spec, providers);
  }
  return spec;
}

}  // namespace batchllm

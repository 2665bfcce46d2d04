// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/api_key.h"

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace batchllm {
namespace {

constexpr std::size_t k_longest_key_file = std::size_t{64} << 10;

// A key goes into a header: one line of visible ASCII.
std::string checked_key(std::string_view text, const std::string& origin) {
  const std::string_view key = trim(text);
  const bool usable = std::all_of(
      key.begin(), key.end(), [](char letter) { return letter > ' ' && letter <= '~'; });
  if (key.empty() || !usable) {
    throw Error(ErrorCode::key_missing,
                fmt::format("{} does not hold an API key", origin),
                "a key is one word of letters, digits and punctuation");
  }
  return std::string(key);
}

std::string key_from_file(const std::string& path, const std::string& origin) {
  std::string text;
  try {
    text = read_file(path, k_longest_key_file);
  } catch (const Error& error) {
    throw Error(ErrorCode::key_missing, fmt::format("{}: {}", origin, error.message()));
  }
  return checked_key(text, fmt::format("{} ({})", path, origin));
}

}  // namespace

std::string find_api_key(const ProviderEntry& provider,
                         const ModelSettings& model,
                         const EnvironmentLookup& environment) {
  if (!model.key_file.empty()) {
    return key_from_file(model.key_file, "--key-file");
  }
  const bool chosen = !model.key_env.empty();
  std::vector<std::string> looked_in;
  for (const std::string& variable :
       chosen ? std::vector{model.key_env} : std::vector{provider.key_env, provider.key_env_too}) {
    if (variable.empty()) {
      continue;
    }
    looked_in.push_back(variable);
    if (const auto key = environment(variable); key && !key->empty()) {
      return checked_key(*key, variable);
    }
    looked_in.push_back(variable + "_FILE");
    if (const auto path = environment(variable + "_FILE"); path && !path->empty()) {
      return key_from_file(*path, variable + "_FILE");
    }
  }
  if (const auto folder = environment("CREDENTIALS_DIRECTORY"); folder && !folder->empty()) {
    const std::string path = *folder + "/" + provider.name;
    looked_in.push_back(path);
    try {
      return checked_key(read_file(path, k_longest_key_file), path);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::key_missing) {
        throw;
      }
    }
  }
  if (!chosen &&
      (provider.key_env.empty() || provider.key_is_optional || !model.base_url.empty())) {
    return {};
  }
  throw Error(
      ErrorCode::key_missing,
      fmt::format("no API key for {}: looked in {}", provider.title, name_list(looked_in)),
      fmt::format("export {}=…, or give --key-file FILE; to try without a key: batchllm simulate",
                  chosen ? model.key_env : provider.key_env));
}

}  // namespace batchllm

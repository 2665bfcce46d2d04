// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/api_key.h"

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/redaction.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

namespace batchllm {
namespace {

constexpr std::size_t k_longest_key_file = std::size_t{64} << 10;

FoundKey key_from_file(const std::string& path, KeyPlace place, const std::string& origin) {
  std::string text;
  try {
    text = read_file(path, k_longest_key_file);
  } catch (const Error& error) {
    throw Error(ErrorCode::key_missing, fmt::format("{}: {}", origin, error.message()));
  }
  FoundKey found{checked_key(text, fmt::format("{} ({})", path, origin)), place, origin, path};
  wipe(text);
  return found;
}

// The variable, or the file that its neighbour names.
std::optional<FoundKey> key_of_variable(const std::string& variable,
                                        const EnvironmentLookup& environment,
                                        std::vector<std::string>& looked_in) {
  looked_in.push_back(variable);
  if (const auto key = environment(variable); key && !key->empty()) {
    return FoundKey{checked_key(*key, variable), KeyPlace::environment, variable, {}};
  }
  looked_in.push_back(variable + "_FILE");
  if (const auto path = environment(variable + "_FILE"); path && !path->empty()) {
    return key_from_file(*path, KeyPlace::environment_file, variable + "_FILE");
  }
  return std::nullopt;
}

std::optional<FoundKey> key_of_credential(const std::string& provider,
                                          const EnvironmentLookup& environment,
                                          std::vector<std::string>& looked_in) {
  const auto folder = environment("CREDENTIALS_DIRECTORY");
  if (!folder || folder->empty()) {
    return std::nullopt;
  }
  const std::string path = *folder + "/" + provider;
  looked_in.push_back(path);
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return std::nullopt;
  }
  return key_from_file(path, KeyPlace::credential, path);
}

std::optional<FoundKey> find_key(const ProviderEntry& provider,
                                 const ModelSettings& model,
                                 const EnvironmentLookup& environment,
                                 const secrets::FindKeptKey& kept,
                                 std::vector<std::string>& looked_in) {
  if (!model.key_file.empty()) {
    return key_from_file(model.key_file, KeyPlace::key_file, "--key-file");
  }
  const bool chosen = !model.key_env.empty();
  for (const std::string& variable :
       chosen ? std::vector{model.key_env} : std::vector{provider.key_env, provider.key_env_too}) {
    if (!variable.empty()) {
      if (auto found = key_of_variable(variable, environment, looked_in)) {
        return found;
      }
    }
  }
  if (auto found = key_of_credential(provider.name, environment, looked_in)) {
    return found;
  }
  if (kept && !chosen) {
    if (const auto found = kept(provider.name, looked_in)) {
      const std::string origin(secrets::kept_in_name(found->place));
      return FoundKey{
          checked_key(found->key.reveal(), origin), key_place_of(found->place), origin, {}};
    }
  }
  return std::nullopt;
}

// The password in "http://user:password@host:3128".
std::string password_in(const std::string& url) {
  const auto scheme = url.find("://");
  const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
  const auto at = url.rfind('@');
  const auto colon = url.find(':', begin);
  return at == std::string::npos || colon == std::string::npos || colon > at
             ? std::string()
             : url.substr(colon + 1, at - colon - 1);
}

}  // namespace

std::string_view key_place_name(KeyPlace place) noexcept {
  constexpr std::array<std::string_view, 6> k_names = {
      "key_file", "environment", "environment_file", "credential", "secret_service", "key_store"};
  return k_names.at(static_cast<std::size_t>(place));
}

KeyPlace key_place_of(secrets::KeptIn place) noexcept {
  return place == secrets::KeptIn::secret_service ? KeyPlace::secret_service : KeyPlace::store;
}

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

std::optional<FoundKey> look_for_key(const ProviderEntry& provider,
                                     const ModelSettings& model,
                                     const EnvironmentLookup& environment,
                                     const secrets::FindKeptKey& kept,
                                     std::vector<std::string>& looked_in) {
  auto found = find_key(provider, model, environment, kept, looked_in);
  if (found) {
    remember_secret(found->key);
  }
  return found;
}

std::string find_api_key(const ProviderEntry& provider,
                         const ModelSettings& model,
                         const EnvironmentLookup& environment,
                         const secrets::FindKeptKey& kept) {
  std::vector<std::string> looked_in;
  if (auto found = look_for_key(provider, model, environment, kept, looked_in)) {
    return std::move(found->key);
  }
  const bool chosen = !model.key_env.empty();
  if (!chosen &&
      (provider.key_env.empty() || provider.key_is_optional || !model.base_url.empty())) {
    return {};
  }
  const std::string exported =
      fmt::format("export {}=…", chosen ? model.key_env : provider.key_env);
  throw Error(ErrorCode::key_missing,
              fmt::format("no API key for {}: looked in {}", provider.title, name_list(looked_in)),
              fmt::format("{}{}, or give --key-file FILE; to try without a key: batchllm simulate",
                          chosen ? "" : fmt::format("batchllm keys set {}, ", provider.name),
                          exported));
}

void remember_environment_secrets(const ModelCatalog& models,
                                  const EnvironmentLookup& environment) {
  const auto remember = [&environment](const std::string& variable) {
    if (!variable.empty()) {
      remember_secret(trim(environment(variable).value_or("")));
    }
  };
  for (const ProviderEntry& provider : models.providers()) {
    remember(provider.key_env);
    remember(provider.key_env_too);
  }
  for (const char* variable : {"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}) {
    remember(variable);
  }
  for (const char* variable :
       {"http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}) {
    remember_secret(password_in(environment(variable).value_or("")));
  }
}

}  // namespace batchllm

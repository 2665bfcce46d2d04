// SPDX-License-Identifier: Apache-2.0
#include "adapters/secrets/kept_keys.h"

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <utility>

namespace batchllm::secrets {
namespace {

constexpr std::size_t k_longest_passphrase = 4096;

// The file that holds the store's passphrase; empty: there is none.
std::string passphrase_file(const EnvironmentLookup& environment) {
  if (const auto file = environment("BATCHLLM_PASSPHRASE_FILE"); file && !file->empty()) {
    return *file;
  }
  const auto folder = environment("CREDENTIALS_DIRECTORY");
  const std::string credential = folder.value_or("") + "/batchllm-passphrase";
  std::error_code error;
  return folder && std::filesystem::is_regular_file(credential, error) ? credential : "";
}

AskPassphrase passphrase_of(const EnvironmentLookup& environment, AskPassphrase ask) {
  return [environment, ask = std::move(ask)](bool is_new) -> std::optional<Secret> {
    const std::string file = passphrase_file(environment);
    if (file.empty()) {
      return ask ? ask(is_new) : std::nullopt;
    }
    std::string text;
    try {
      text = read_file(file, k_longest_passphrase);
    } catch (const Error& error) {
      throw Error(ErrorCode::key_store_locked,
                  fmt::format("the passphrase of the key store: {}", error.message()));
    }
    Secret passphrase(trim(text));
    wipe(text);
    return passphrase;
  };
}

// What fails there does not keep anybody from a key in the file.
std::optional<Secret> key_of_service(SecretService& service,
                                     const std::string& provider,
                                     std::vector<std::string>& looked_in) {
  const std::string name(kept_in_name(KeptIn::secret_service));
  try {
    auto key = service.find(provider);
    if (!key && service.is_there()) {
      looked_in.push_back(name);
    }
    return key;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::vault_unreadable) {
      throw;
    }
    looked_in.push_back(fmt::format("{} ({})", name, error.message()));
    return std::nullopt;
  }
}

}  // namespace

std::string_view kept_in_name(KeptIn place) noexcept {
  return place == KeptIn::secret_service ? "the Secret Service" : "the key store";
}

KeyStore open_key_store(const Directories& directories,
                        const EnvironmentLookup& environment,
                        AskPassphrase ask) {
  return KeyStore(directories.data, passphrase_of(environment, std::move(ask)));
}

FindKeptKey kept_keys(const Directories& directories,
                      const EnvironmentLookup& environment,
                      AskPassphrase ask,
                      std::shared_ptr<SecretService> service) {
  if (service == nullptr) {
    service = std::make_shared<SecretService>(environment);
  }
  // Shared by the copies of the function, so that a passphrase is asked for once.
  auto store = std::make_shared<std::unique_ptr<KeyStore>>();
  return [directories, environment, ask = std::move(ask), service, store](
             const std::string& provider,
             std::vector<std::string>& looked_in) -> std::optional<KeptKey> {
    if (auto key = key_of_service(*service, provider, looked_in)) {
      return KeptKey{*std::move(key), KeptIn::secret_service};
    }
    if (*store == nullptr) {
      *store = std::make_unique<KeyStore>(open_key_store(directories, environment, ask));
    }
    looked_in.emplace_back(kept_in_name(KeptIn::key_store));
    auto key = (*store)->find(provider);
    return key ? std::optional(KeptKey{*std::move(key), KeptIn::key_store}) : std::nullopt;
  };
}

}  // namespace batchllm::secrets

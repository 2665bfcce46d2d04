// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/secrets/key_vault.h"
#include "core/secret.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace batchllm::secrets {

// Where the passphrase of a store comes from; nullopt: nobody can say it. `is_new`: one is being
// chosen, not asked for.
using AskPassphrase = std::function<std::optional<Secret>(bool is_new)>;

// The user's provider keys in one file (0600): sealed under a key file beside it, or under a
// passphrase (argon2id). Which providers have a key can be read without either. Format:
// man/batchllm.1. Not thread-safe; writers of several processes exclude each other.
class KeyStore {
 public:
  // `folder` holds keys.json and keys.key, and is made with the first key. Throws
  // Error(vault_unreadable) for a file that is no such store. Empty: a store that stays empty.
  KeyStore(std::filesystem::path folder, AskPassphrase ask);

  // By name, in alphabetical order.
  std::vector<std::string> providers() const;

  bool has(const std::string& provider) const { return keys_.contains(provider); }

  bool has_passphrase() const noexcept { return lock_.has_value(); }

  std::filesystem::path file() const { return folder_ / "keys.json"; }

  std::filesystem::path key_file() const { return folder_ / "keys.key"; }

  // The provider's key; nullopt when there is none. Throws Error(key_store_locked) when the
  // passphrase is wrong or not there, Error(vault_unreadable) when the key file is missing or open
  // to others, or something is damaged.
  std::optional<Secret> find(const std::string& provider);

  // Stores or replaces a key, durably. `with_passphrase`: the whole store is sealed under a
  // passphrase from now on. Throws as `find`, Error(job_conflict) while another process changes the
  // store, Error(storage | storage_full).
  void put(const std::string& provider, const Secret& key, bool with_passphrase);

  // False when there was none. Throws as `put`.
  bool remove(const std::string& provider);

 private:
  void read();
  void save() const;
  void unlock();
  void seal_under_passphrase();
  KeyVault vault_of_passphrase(bool is_new) const;

  std::filesystem::path folder_;
  AskPassphrase ask_;
  std::map<std::string, SealedKey> keys_;
  std::optional<PassphraseLock> lock_;
  std::unique_ptr<KeyVault> vault_;  // once it was needed
};

}  // namespace batchllm::secrets

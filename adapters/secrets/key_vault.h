// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/secret.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace batchllm::secrets {

// A provider's key as it may lie on disk.
struct SealedKey {
  std::string nonce_b64;
  std::string ciphertext_b64;
  std::string kek_id;  // tells which vault key sealed it, and nothing else about that key
};

// How a vault key is made of a passphrase: the parameters of argon2id. They are no secret.
struct PassphraseLock {
  std::string salt_b64;
  std::uint64_t operations = 0;
  std::uint64_t memory_bytes = 0;

  // A new salt, and what libsodium calls moderate costs.
  static PassphraseLock make();
};

// Seals provider keys (XChaCha20-Poly1305 of libsodium, a random nonce for each, bound to id and
// provider) under the key in a file: 32 random bytes, 0600. Thread-safe.
class KeyVault {
 public:
  // Reads the key file, or makes it, durably, when there is none. Throws Error(vault_unreadable)
  // when it is not a file of 32 bytes that belongs to this user and that nobody else may read,
  // Error(storage | storage_full).
  explicit KeyVault(const std::filesystem::path& key_file);

  // The key is made of a passphrase, which takes about a second. Throws Error(vault_unreadable) for
  // parameters that cannot be.
  KeyVault(const PassphraseLock& lock, const Secret& passphrase);

  const std::string& kek_id() const noexcept { return kek_id_; }

  // `id` (of the record; without `|`) and `provider` must be the same when it is opened.
  SealedKey seal(std::string_view id, std::string_view provider, const Secret& key) const;

  // Throws Error(vault_unreadable) when the record was sealed with another vault key, for another
  // id or provider, or has been changed.
  Secret open(std::string_view id, std::string_view provider, const SealedKey& sealed) const;

 private:
  struct Free {
    void operator()(unsigned char* bytes) const noexcept;
  };

  void take_room();

  std::string path_;
  std::unique_ptr<unsigned char[], Free> key_;  // in guarded memory, wiped when it goes
  std::string kek_id_;
};

// A key as it may be shown: "sk-…a1b2". The last four characters only of a key of twelve or more,
// what stands before the first `-` or `_` only of one of twenty or more; else "…".
std::string masked_key(std::string_view key);

// Version of libsodium: "1.0.18".
std::string sodium_version();

}  // namespace batchllm::secrets

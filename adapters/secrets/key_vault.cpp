// SPDX-License-Identifier: Apache-2.0
#include "adapters/secrets/key_vault.h"

#include "core/atomic_file.h"
#include "core/base64.h"
#include "core/error.h"
#include "core/file_handle.h"
#include "core/text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <optional>
#include <vector>

namespace batchllm::secrets {
namespace {

constexpr std::size_t k_key_bytes = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t k_nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t k_tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(k_key_bytes == 32);

const unsigned char* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}

void use_sodium() {
  if (sodium_init() < 0) {
    throw Error(ErrorCode::internal, "libsodium cannot be initialised");
  }
}

[[noreturn]] void throw_unusable_file(const std::string& path, std::string_view why) {
  throw Error(ErrorCode::vault_unreadable,
              fmt::format("the vault key {} cannot be used: {}", path, why),
              "restore the file from a backup; without it stored provider keys are lost: delete "
              "them and enter them again");
}

// Puts 32 random bytes under the name unless somebody was faster.
void make_key_file(const std::string& path) {
  const std::string temporary = fmt::format("{}.{}.tmp", path, ::getpid());
  std::array<unsigned char, k_key_bytes> key{};
  ::unlink(temporary.c_str());  // of a process with our number that was killed
  try {
    const FileHandle file(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.is_open()) {
      throw_storage_error("create", temporary, errno);
    }
    randombytes_buf(key.data(), key.size());
    write_all(file.get(), {reinterpret_cast<const char*>(key.data()), key.size()}, temporary);
    if (::fsync(file.get()) != 0) {
      throw_storage_error("write", temporary, errno);
    }
    if (!rename_without_replacing(temporary, path)) {
      ::unlink(temporary.c_str());
    }
  } catch (...) {
    sodium_memzero(key.data(), key.size());
    ::unlink(temporary.c_str());
    throw;
  }
  sodium_memzero(key.data(), key.size());
  sync_folder(std::filesystem::path(path).parent_path());
}

FileHandle open_key_file(const std::string& path) {
  // A named pipe must not keep us waiting.
  const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  FileHandle file(::open(path.c_str(), flags));
  if (!file.is_open() && errno == ENOENT) {
    make_key_file(path);
    file = FileHandle(::open(path.c_str(), flags));
  }
  if (!file.is_open()) {
    throw_unusable_file(path, std::generic_category().message(errno));
  }
  return file;
}

void check_key_file(int file, const std::string& path) {
  constexpr mode_t k_others = 077;

  struct stat facts {};

  if (::fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    throw_unusable_file(path, "it is not a regular file");
  }
  if (facts.st_uid != ::geteuid()) {
    throw_unusable_file(path, "it belongs to another user");
  }
  if ((facts.st_mode & k_others) != 0) {
    throw Error(ErrorCode::vault_unreadable,
                fmt::format("the vault key {} may be read or changed by other users", path),
                fmt::format("chmod 600 {}; if others can have read it, enter the provider keys "
                            "again under a new vault key",
                            path));
  }
  if (facts.st_size != static_cast<off_t>(k_key_bytes)) {
    throw_unusable_file(path, fmt::format("it has {} bytes, not {}", facts.st_size, k_key_bytes));
  }
}

// Tells keys apart; says nothing about the key, being a keyed hash of a constant.
std::string id_of_key(const unsigned char* key) {
  constexpr std::string_view k_purpose = "batchllm vault key id";
  std::array<unsigned char, crypto_generichash_BYTES_MIN> digest{};
  crypto_generichash(
      digest.data(), digest.size(), bytes_of(k_purpose), k_purpose.size(), key, k_key_bytes);
  std::string text;
  for (const unsigned char byte : digest) {
    text += fmt::format("{:02x}", byte);
  }
  return text;
}

std::string associated_data(std::string_view id, std::string_view provider) {
  if (id.find('|') != std::string_view::npos) {
    throw Error(ErrorCode::internal, "the id of a provider key holds `|`");
  }
  return fmt::format("{}|{}", id, provider);
}

// Only the one spelling that append_base64 gives.
std::optional<std::vector<unsigned char>> from_base64(const std::string& text) {
  if (text.empty()) {
    return std::nullopt;  // nothing that is sealed is, and libsodium wants an address
  }
  std::vector<unsigned char> bytes(text.size());
  std::size_t size = 0;
  const int result = sodium_base642bin(bytes.data(),
                                       bytes.size(),
                                       text.data(),
                                       text.size(),
                                       nullptr,
                                       &size,
                                       nullptr,
                                       sodium_base64_VARIANT_ORIGINAL);
  if (result != 0) {
    return std::nullopt;
  }
  bytes.resize(size);
  return bytes;
}

std::string to_base64(const unsigned char* bytes, std::size_t size) {
  std::string text;
  append_base64(text, {reinterpret_cast<const char*>(bytes), size});
  return text;
}

}  // namespace

void KeyVault::Free::operator()(unsigned char* bytes) const noexcept {
  sodium_free(bytes);
}

KeyVault::KeyVault(const std::filesystem::path& key_file) : path_(key_file.string()) {
  use_sodium();
  const FileHandle file = open_key_file(path_);
  check_key_file(file.get(), path_);
  take_room();
  if (::pread(file.get(), key_.get(), k_key_bytes, 0) != static_cast<ssize_t>(k_key_bytes)) {
    throw_unusable_file(path_, "it cannot be read");
  }
  kek_id_ = id_of_key(key_.get());
  sodium_mprotect_readonly(key_.get());
}

KeyVault::KeyVault(const PassphraseLock& lock, const Secret& passphrase) : path_("the passphrase") {
  use_sodium();
  const auto salt = from_base64(lock.salt_b64);
  // Above these somebody else wrote them, to have us work for ever.
  constexpr std::uint64_t k_most_operations = 16;
  constexpr std::uint64_t k_most_memory = std::uint64_t{1} << 30;
  take_room();
  if (!salt || salt->size() != crypto_pwhash_SALTBYTES || lock.operations > k_most_operations ||
      lock.memory_bytes > k_most_memory ||
      crypto_pwhash(key_.get(),
                    k_key_bytes,
                    passphrase.reveal().data(),
                    passphrase.reveal().size(),
                    salt->data(),
                    lock.operations,
                    lock.memory_bytes,
                    crypto_pwhash_ALG_ARGON2ID13) != 0) {
    throw Error(ErrorCode::vault_unreadable,
                "the passphrase cannot be used: the store's parameters are not usable here, or "
                "there is not enough memory");
  }
  kek_id_ = id_of_key(key_.get());
  sodium_mprotect_readonly(key_.get());
}

PassphraseLock PassphraseLock::make() {
  use_sodium();
  std::array<unsigned char, crypto_pwhash_SALTBYTES> salt{};
  randombytes_buf(salt.data(), salt.size());
  return {to_base64(salt.data(), salt.size()),
          crypto_pwhash_OPSLIMIT_MODERATE,
          crypto_pwhash_MEMLIMIT_MODERATE};
}

void KeyVault::take_room() {
  key_.reset(static_cast<unsigned char*>(sodium_malloc(k_key_bytes)));
  if (key_ == nullptr) {
    throw std::bad_alloc();
  }
}

SealedKey KeyVault::seal(std::string_view id, std::string_view provider, const Secret& key) const {
  const std::string bound_to = associated_data(id, provider);
  const std::string_view plain = key.reveal();
  std::array<unsigned char, k_nonce_bytes> nonce{};
  randombytes_buf(nonce.data(), nonce.size());
  std::vector<unsigned char> sealed(plain.size() + k_tag_bytes);
  unsigned long long size = 0;
  crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.data(),
                                             &size,
                                             bytes_of(plain),
                                             plain.size(),
                                             bytes_of(bound_to),
                                             bound_to.size(),
                                             nullptr,
                                             nonce.data(),
                                             key_.get());
  return {to_base64(nonce.data(), nonce.size()), to_base64(sealed.data(), size), kek_id_};
}

Secret KeyVault::open(std::string_view id,
                      std::string_view provider,
                      const SealedKey& sealed) const {
  const std::string bound_to = associated_data(id, provider);
  const std::string which = one_line(as_utf8(fmt::format("{} ({})", id, provider)), 120);
  if (sealed.kek_id != kek_id_) {
    throw Error(
        ErrorCode::vault_unreadable,
        fmt::format("the provider key {} was sealed with another vault key than {}", which, path_),
        "restore the vault key that belongs to it from a backup, or delete the provider "
        "key and enter it again")
        .with_detail("sealed_with", one_line(as_utf8(sealed.kek_id), 40))
        .with_detail("vault_key", kek_id_);
  }
  const auto nonce = from_base64(sealed.nonce_b64);
  const auto cipher = from_base64(sealed.ciphertext_b64);
  const bool has_form =
      nonce && cipher && nonce->size() == k_nonce_bytes && cipher->size() >= k_tag_bytes;
  std::string plain(has_form ? cipher->size() - k_tag_bytes : 0, '\0');
  if (!has_form ||
      crypto_aead_xchacha20poly1305_ietf_decrypt(reinterpret_cast<unsigned char*>(plain.data()),
                                                 nullptr,
                                                 nullptr,
                                                 cipher->data(),
                                                 cipher->size(),
                                                 bytes_of(bound_to),
                                                 bound_to.size(),
                                                 nonce->data(),
                                                 key_.get()) != 0) {
    throw Error(ErrorCode::vault_unreadable,
                fmt::format("the stored provider key {} is damaged or was changed", which),
                "delete it and enter it again");
  }
  Secret key(plain);
  wipe(plain);
  return key;
}

std::string masked_key(std::string_view key) {
  constexpr std::size_t k_shortest_for_end = 12;
  constexpr std::size_t k_shortest_for_start = 20;
  constexpr std::size_t k_end = 4;
  constexpr std::size_t k_longest_start = 4;  // "gsk_"
  std::string masked = "…";
  const auto is_plain = [](char byte) { return byte > ' ' && byte <= '~'; };
  if (key.size() < k_shortest_for_end || !std::all_of(key.begin(), key.end(), is_plain)) {
    return masked;
  }
  masked += key.substr(key.size() - k_end);
  const auto mark = key.find_first_of("-_");
  if (key.size() >= k_shortest_for_start && mark < k_longest_start) {
    masked.insert(0, key.substr(0, mark + 1));
  }
  return masked;
}

std::string sodium_version() {
  return sodium_version_string();
}

}  // namespace batchllm::secrets

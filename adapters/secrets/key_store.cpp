// SPDX-License-Identifier: Apache-2.0
#include "adapters/secrets/key_store.h"

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/json_document.h"
#include "core/json_text.h"
#include "core/lock_file.h"
#include "core/text.h"

#include <fmt/format.h>

#include <system_error>
#include <utility>

namespace batchllm::secrets {
namespace {

constexpr std::string_view k_schema = "batchllm.key-store/1";
constexpr std::size_t k_largest_file = std::size_t{4} << 20;

// What a record is bound to, beside its provider.
constexpr std::string_view k_record = "keys.json";

std::string text_of(const JsonNode& node, std::string_view name) {
  return std::string(node.find_string(name).value_or(""));
}

std::uint64_t number_of(const JsonNode& node, std::string_view name) {
  const JsonNode* member = node.find(name);
  return member == nullptr ? 0 : member->unsigned_integer().value_or(0);
}

[[noreturn]] void refuse_file(const std::filesystem::path& file, std::string_view why) {
  throw Error(ErrorCode::vault_unreadable,
              fmt::format("the key store {} cannot be used: {}", file.string(), why),
              "restore it from a backup, or delete it and enter the keys again");
}

FileHandle lock_of(const std::filesystem::path& folder) {
  auto lock = take_lock_file(folder / "keys.lock");
  if (!lock) {
    throw Error(ErrorCode::job_conflict,
                "another batchllm is changing the key store at this moment",
                "try again");
  }
  return *std::move(lock);
}

}  // namespace

KeyStore::KeyStore(std::filesystem::path folder, AskPassphrase ask)
    : folder_(std::move(folder)),
      ask_(std::move(ask)) {
  read();
}

std::vector<std::string> KeyStore::providers() const {
  std::vector<std::string> names;
  for (const auto& [provider, sealed] : keys_) {
    names.push_back(provider);
  }
  return names;
}

void KeyStore::read() {
  keys_.clear();
  lock_.reset();
  vault_.reset();
  std::error_code error;
  if (folder_.empty() || !std::filesystem::exists(file(), error)) {
    return;
  }
  const auto document =
      parse_json_document(read_file(file(), k_largest_file), JsonLimits{.bytes = k_largest_file});
  if (!document) {
    refuse_file(file(), document.error().message);
  }
  const JsonNode* keys = document->find("keys");
  const JsonNode* lock = document->find("passphrase");
  if (keys == nullptr || document->find_string("schema") != k_schema) {
    refuse_file(file(), "it is not a key store of this version");
  }
  if (lock != nullptr) {
    lock_ = PassphraseLock{
        text_of(*lock, "salt"), number_of(*lock, "operations"), number_of(*lock, "memory_bytes")};
  }
  for (const JsonMember& member : keys->members()) {
    keys_[member.key] = {text_of(member.value, "nonce"),
                         text_of(member.value, "ciphertext"),
                         text_of(member.value, "sealed_with")};
  }
}

void KeyStore::save() const {
  JsonWriter json;
  json.begin_object().key("schema").string(k_schema);
  if (lock_) {
    json.key("passphrase").begin_object().key("salt").string(lock_->salt_b64);
    json.key("operations").number(lock_->operations);
    json.key("memory_bytes").number(lock_->memory_bytes).end_object();
  }
  json.key("keys").begin_object();
  for (const auto& [provider, sealed] : keys_) {
    json.key(provider).begin_object().key("nonce").string(sealed.nonce_b64);
    json.key("ciphertext").string(sealed.ciphertext_b64);
    json.key("sealed_with").string(sealed.kek_id).end_object();
  }
  json.end_object().end_object();
  write_file_atomically(file(), json.text() + "\n", 0600);
}

KeyVault KeyStore::vault_of_passphrase(bool is_new) const {
  const auto passphrase = ask_ ? ask_(is_new) : std::nullopt;
  if (!passphrase || passphrase->empty()) {
    throw Error(
        ErrorCode::key_store_locked,
        fmt::format("the key store {} is locked by a passphrase", file().string()),
        "name a file with it in BATCHLLM_PASSPHRASE_FILE, or call batchllm from a terminal");
  }
  return KeyVault(*lock_, *passphrase);
}

void KeyStore::unlock() {
  if (vault_ != nullptr) {
    return;
  }
  std::error_code error;
  if (lock_) {
    vault_ = std::make_unique<KeyVault>(vault_of_passphrase(false));
    if (!keys_.empty() && keys_.begin()->second.kek_id != vault_->kek_id()) {
      vault_.reset();
      throw Error(ErrorCode::key_store_locked,
                  fmt::format("this is not the passphrase of the key store {}", file().string()));
    }
    return;
  }
  // A new key would open nothing of what is there.
  if (!keys_.empty() && !std::filesystem::exists(key_file(), error)) {
    refuse_file(file(), fmt::format("its key {} is missing", key_file().string()));
  }
  vault_ = std::make_unique<KeyVault>(key_file());
}

std::optional<Secret> KeyStore::find(const std::string& provider) {
  const auto found = keys_.find(provider);
  if (found == keys_.end()) {
    return std::nullopt;
  }
  unlock();
  return vault_->open(k_record, provider, found->second);
}

void KeyStore::seal_under_passphrase() {
  std::map<std::string, Secret> open;
  for (const auto& [provider, sealed] : keys_) {
    unlock();
    open.emplace(provider, vault_->open(k_record, provider, sealed));
  }
  lock_ = PassphraseLock::make();
  vault_ = std::make_unique<KeyVault>(vault_of_passphrase(true));
  for (const auto& [provider, key] : open) {
    keys_[provider] = vault_->seal(k_record, provider, key);
  }
}

void KeyStore::put(const std::string& provider, const Secret& key, bool with_passphrase) {
  if (folder_.empty()) {
    throw Error(ErrorCode::storage,
                "no folder for the key store: neither XDG_DATA_HOME nor HOME is set to an absolute "
                "path");
  }
  make_private_folder(folder_);
  const FileHandle lock = lock_of(folder_);
  read();  // what others changed meanwhile
  const bool changes_lock = with_passphrase && !lock_;
  if (changes_lock) {
    seal_under_passphrase();
  }
  unlock();
  keys_[provider] = vault_->seal(k_record, provider, key);
  save();
  if (changes_lock) {
    std::error_code ignored;
    std::filesystem::remove(key_file(), ignored);  // it opens nothing any more
  }
}

bool KeyStore::remove(const std::string& provider) {
  if (folder_.empty() || keys_.empty()) {
    return false;
  }
  const FileHandle lock = lock_of(folder_);
  read();
  if (keys_.erase(provider) == 0) {
    return false;
  }
  save();
  return true;
}

}  // namespace batchllm::secrets

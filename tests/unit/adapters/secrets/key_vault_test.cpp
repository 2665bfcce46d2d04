// SPDX-License-Identifier: Apache-2.0
#include "adapters/secrets/key_vault.h"

#include "core/base64.h"
#include "tests/support/catch.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/suite_files.h"
#include "tests/support/thrown_error.h"

#include <sys/stat.h>
#include <unistd.h>

#include <set>

using namespace batchllm;
using namespace batchllm::secrets;

namespace {

const std::string k_key = "sk-proj-0123456789abcdefghijklmnopqrstuvwxyzA1b2";
const std::string k_letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

bool is_refused(const KeyVault& vault, const SealedKey& sealed) {
  const auto error = thrown_error([&] { vault.open("key_1", "openai", sealed); });
  return error && error->code() == ErrorCode::vault_unreadable;
}

unsigned mode_of(const std::string& path) {
  struct stat facts {};

  REQUIRE(::stat(path.c_str(), &facts) == 0);
  return facts.st_mode & 07777U;
}

std::optional<Error> error_of_vault(const std::string& path) {
  return thrown_error([&] { const KeyVault vault(path); });
}

}  // namespace

TEST_CASE("a sealed key opens again, also in another process's vault", "[key_vault]") {
  const ScratchFolder folder;
  const std::string path = folder.path("vault.key");
  const SealedKey sealed = KeyVault(path).seal("key_1", "openai", Secret(k_key));
  const KeyVault again(path);
  CHECK(again.open("key_1", "openai", sealed).reveal() == k_key);
  CHECK(sealed.kek_id == again.kek_id());
  CHECK(again.open("e", "p", again.seal("e", "p", Secret(""))).empty());
}

TEST_CASE("the same key is never sealed to the same bytes twice", "[key_vault]") {
  const ScratchFolder folder;
  const KeyVault vault(folder.path("vault.key"));
  std::set<std::string> nonces;
  std::set<std::string> ciphertexts;
  for (int i = 0; i < 200; ++i) {
    const SealedKey sealed = vault.seal("key_1", "openai", Secret(k_key));
    nonces.insert(sealed.nonce_b64);
    ciphertexts.insert(sealed.ciphertext_b64);
  }
  CHECK(nonces.size() == 200);
  CHECK(ciphertexts.size() == 200);
}

TEST_CASE("a record with any letter changed, added or missing is refused", "[key_vault]") {
  const ScratchFolder folder;
  const KeyVault vault(folder.path("vault.key"));
  const SealedKey good = vault.seal("key_1", "openai", Secret(k_key));
  REQUIRE_FALSE(is_refused(vault, good));
  for (auto member : {&SealedKey::nonce_b64, &SealedKey::ciphertext_b64, &SealedKey::kek_id}) {
    const std::string& text = good.*member;
    for (std::size_t at = 0; at < text.size(); ++at) {
      for (const char letter : k_letters) {
        SealedKey bad = good;
        (bad.*member)[at] = letter;
        if (letter != text[at] && !is_refused(vault, bad)) {
          FAIL("accepted " << letter << " at " << at << " of " << text);
        }
      }
    }
    for (const std::string& other : {text.substr(1),
                                     text.substr(0, text.size() - 1),
                                     text + "A",
                                     text + "=",
                                     text + "\n",
                                     std::string()}) {
      SealedKey bad = good;
      bad.*member = other;
      CHECK(is_refused(vault, bad));
    }
  }
}

TEST_CASE("a record is bound to its id and provider", "[key_vault]") {
  const ScratchFolder folder;
  const KeyVault vault(folder.path("vault.key"));
  const SealedKey sealed = vault.seal("key_1", "openai", Secret(k_key));
  CHECK(thrown_error([&] { vault.open("key_2", "openai", sealed); }));
  CHECK(thrown_error([&] { vault.open("key_1", "anthropic", sealed); }));
  CHECK(thrown_error([&] { vault.open("key_1|openai", "", sealed); }));
  const auto error = thrown_error([&] { vault.open("key_1", "gemini", sealed); });
  CHECK_THAT(error->message(), ContainsSubstring("key_1 (gemini)"));
  CHECK(error->exit_code() == 11);
}

TEST_CASE("another vault key says so, and names both", "[key_vault]") {
  const ScratchFolder folder;
  const KeyVault vault(folder.path("vault.key"));
  const KeyVault other(folder.path("other.key"));
  CHECK(vault.kek_id() != other.kek_id());
  const SealedKey sealed = vault.seal("key_1", "openai", Secret(k_key));
  const auto error = thrown_error([&] { other.open("key_1", "openai", sealed); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::vault_unreadable);
  CHECK_THAT(error->message(), ContainsSubstring("another vault key"));
  CHECK_THAT(error->message(), ContainsSubstring(folder.path("other.key")));
  CHECK(error->details().at(0).second == vault.kek_id());
  CHECK(error->details().at(1).second == other.kek_id());
  // The id alone does not open it.
  SealedKey forged = sealed;
  forged.kek_id = other.kek_id();
  CHECK(is_refused(other, forged));
}

TEST_CASE("the key file is made complete, private and alone in its folder", "[key_vault]") {
  const ScratchFolder folder;
  const std::string path = folder.path("vault.key");
  const KeyVault vault(path);
  CHECK(folder.read("vault.key").size() == 32);
  CHECK(mode_of(path) == 0600);
  CHECK(files_below(folder.path()).size() == 1);
  const std::string bytes = folder.read("vault.key");
  const KeyVault again(path);
  CHECK(folder.read("vault.key") == bytes);
}

TEST_CASE("a key file that others may use is refused", "[key_vault]") {
  const ScratchFolder folder;
  const std::string path = folder.path("vault.key");
  const KeyVault made(path);
  for (const unsigned mode : {0604U, 0602U, 0601U, 0640U, 0620U, 0610U, 0644U, 0777U}) {
    CAPTURE(mode);
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    const auto error = error_of_vault(path);
    REQUIRE(error);
    CHECK(error->code() == ErrorCode::vault_unreadable);
    CHECK_THAT(error->hint(), ContainsSubstring("chmod 600"));
  }
  REQUIRE(::chmod(path.c_str(), 0400) == 0);
  CHECK_FALSE(error_of_vault(path));
}

TEST_CASE("a key file of another user is refused", "[key_vault]") {
  if (::geteuid() != 0) {
    WARN("only root can give a file away");
    return;
  }
  const ScratchFolder folder;
  const std::string path = folder.path("vault.key");
  const KeyVault made(path);
  REQUIRE(::chown(path.c_str(), 12345, 12345) == 0);
  const auto error = error_of_vault(path);
  REQUIRE(error);
  CHECK_THAT(error->message(), ContainsSubstring("another user"));
}

TEST_CASE("what is no key file is refused and left as it is", "[key_vault]") {
  const ScratchFolder folder;
  const std::string path = folder.path("vault.key");
  for (const std::size_t size : {0U, 31U, 33U, 4096U}) {
    CAPTURE(size);
    const std::string bytes(size, 'k');
    folder.write("vault.key", bytes);
    REQUIRE(::chmod(path.c_str(), 0600) == 0);
    const auto error = error_of_vault(path);
    REQUIRE(error);
    CHECK(error->code() == ErrorCode::vault_unreadable);
    CHECK(folder.read("vault.key") == bytes);
  }
  REQUIRE(::mkdir(folder.path("folder").c_str(), 0700) == 0);
  CHECK(error_of_vault(folder.path("folder"))->code() == ErrorCode::vault_unreadable);
  REQUIRE(::mkfifo(folder.path("pipe").c_str(), 0600) == 0);
  CHECK(error_of_vault(folder.path("pipe"))->code() == ErrorCode::vault_unreadable);
}

TEST_CASE("a key file that cannot be written leaves no half of one", "[key_vault]") {
  const ScratchFolder folder;
  const std::string path = folder.path("vault.key");
  {
    const FileSizeLimit full_disk(16);
    CHECK(error_of_vault(path)->code() == ErrorCode::storage_full);
  }
  CHECK(files_below(folder.path()).empty());
  CHECK_FALSE(error_of_vault(path));
  CHECK(error_of_vault(folder.path("missing/vault.key"))->code() == ErrorCode::storage);
}

TEST_CASE("no file of the state folder shows a provider key", "[key_vault]") {
  const ScratchFolder state;
  const KeyVault vault(state.path("vault.key"));
  const SealedKey sealed = vault.seal("key_1", "openai", Secret(k_key));
  state.write("queue.db", sealed.nonce_b64 + " " + sealed.ciphertext_b64 + " " + sealed.kek_id);
  state.write("log", thrown_error([&] { vault.open("key_2", "openai", sealed); })->message());
  std::string key_b64;
  append_base64(key_b64, k_key);
  const auto files = files_below(state.path());
  REQUIRE(files.size() == 3);
  for (const auto& file : files) {
    const std::string text = file_text(file);
    CAPTURE(file);
    for (std::size_t at = 0; at + 8 <= k_key.size(); ++at) {
      CHECK(text.find(k_key.substr(at, 8)) == std::string::npos);
    }
    CHECK(text.find(key_b64.substr(0, 12)) == std::string::npos);
  }
  CHECK(sealed.ciphertext_b64.find(key_b64.substr(0, 12)) == std::string::npos);
}

TEST_CASE("a shown key tells too little to be used", "[key_vault]") {
  struct Case {
    std::string key;
    std::string shown;
  };

  for (const auto& c : std::vector<Case>{
           {"sk-0123456789abcdefa1b2", "sk-…a1b2"},
           {"sk-ant-api03-0123456789abcXYZ9", "sk-…XYZ9"},
           {"gsk_0123456789abcdefa1b2", "gsk_…a1b2"},
           {"AIzaSyD-0123456789abcdea1b2", "…a1b2"},
           {"0123456789abcdef0123a1b2", "…a1b2"},
           {"sk-456789a1b2", "…a1b2"},
           {"12345678a1b2", "…a1b2"},
           {"1234567a1b2", "…"},
           {"short", "…"},
           {"", "…"},
           {"line\nbreak-0123456789", "…"},
           {"caf\xC3\xA9-0123456789abcdef", "…"},
       }) {
    CAPTURE(c.key);
    CHECK(masked_key(c.key) == c.shown);
  }
}

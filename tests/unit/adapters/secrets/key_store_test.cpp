// SPDX-License-Identifier: Apache-2.0
#include "adapters/secrets/key_store.h"

#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <filesystem>

using namespace batchllm;
using namespace batchllm::secrets;

namespace {

AskPassphrase answers(const std::string& passphrase) {
  return [passphrase](bool) { return std::optional(Secret(passphrase)); };
}

std::string found_in(KeyStore& store, const std::string& provider) {
  const auto key = store.find(provider);
  return key ? std::string(key->reveal()) : "none";
}

}  // namespace

TEST_CASE("a key is found again by another who opens the store", "[key_store]") {
  const ScratchFolder folder;
  KeyStore(folder.path("data"), {}).put("openai", Secret("the-key"), false);
  KeyStore(folder.path("data"), {}).put("groq", Secret("another"), false);
  KeyStore store(folder.path("data"), {});
  CHECK(store.providers() == std::vector<std::string>{"groq", "openai"});
  CHECK(found_in(store, "openai") == "the-key");
  CHECK(found_in(store, "cohere") == "none");
  CHECK(store.remove("openai"));
  CHECK_FALSE(store.remove("openai"));
  CHECK(found_in(store, "groq") == "another");
}

TEST_CASE("a key of one provider does not open as another's", "[key_store]") {
  const ScratchFolder folder;
  KeyStore(folder.path("data"), {}).put("openai", Secret("the-key"), false);
  std::string text = folder.read("data/keys.json");
  text.replace(text.find("openai"), 6, "xpenai");
  folder.write("data/keys.json", text);
  KeyStore store(folder.path("data"), {});
  const auto error = thrown_error([&] { store.find("xpenai"); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::vault_unreadable);
}

TEST_CASE("without its key file a store is refused, and no new one is made", "[key_store]") {
  const ScratchFolder folder;
  KeyStore(folder.path("data"), {}).put("openai", Secret("the-key"), false);
  std::filesystem::remove(folder.path("data/keys.key"));
  KeyStore store(folder.path("data"), {});
  CHECK(thrown_error([&] { store.find("openai"); }));
  CHECK(thrown_error([&] { store.put("groq", Secret("another"), false); }));
  CHECK_FALSE(std::filesystem::exists(folder.path("data/keys.key")));
}

TEST_CASE("a passphrase takes over what the key file sealed", "[key_store]") {
  const ScratchFolder folder;
  KeyStore(folder.path("data"), {}).put("openai", Secret("the-key"), false);
  KeyStore(folder.path("data"), answers("open sesame")).put("groq", Secret("another"), true);
  CHECK_FALSE(std::filesystem::exists(folder.path("data/keys.key")));
  KeyStore store(folder.path("data"), answers("open sesame"));
  CHECK(found_in(store, "openai") == "the-key");
  CHECK(found_in(store, "groq") == "another");
  KeyStore other(folder.path("data"), answers("open barley"));
  const auto wrong = thrown_error([&] { other.find("openai"); });
  REQUIRE(wrong);
  CHECK(wrong->code() == ErrorCode::key_store_locked);
  KeyStore nobody(folder.path("data"), {});
  CHECK(thrown_error([&] { nobody.find("openai"); }));
  CHECK(nobody.providers() == std::vector<std::string>{"groq", "openai"});
}

TEST_CASE("what is no store is refused", "[key_store]") {
  const ScratchFolder folder;
  folder.write("data/keys.json", GENERATE("", "{}", "[]", R"({"schema":"x","keys":{}})"));
  CHECK(thrown_error([&] { KeyStore(folder.path("data"), {}); }));
}

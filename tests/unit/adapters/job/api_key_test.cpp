// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/api_key.h"

#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <map>
#include <string>

using namespace batchllm;

namespace {

using Variables = std::map<std::string, std::string>;

std::string find_key(const Variables& variables,
                     const ModelSettings& model = {},
                     const char* provider = "openai") {
  return find_api_key(*ModelCatalog::built_in().find_provider(provider),
                      model,
                      [&variables](const std::string& name) {
                        const auto found = variables.find(name);
                        return found == variables.end() ? std::nullopt
                                                        : std::optional(found->second);
                      });
}

}  // namespace

TEST_CASE("a key is looked for in one place after the other", "[api_key]") {
  const ScratchFolder folder;
  const std::string file = folder.write("key", " from-file \n");
  folder.write("credentials/openai", "from-credentials\n");
  Variables variables = {{"CREDENTIALS_DIRECTORY", folder.path("credentials")}};
  CHECK(find_key(variables) == "from-credentials");
  variables["OPENAI_API_KEY_FILE"] = file;
  CHECK(find_key(variables) == "from-file");
  variables["OPENAI_API_KEY"] = "from-variable";
  CHECK(find_key(variables) == "from-variable");
  variables["OTHER"] = "from-chosen";
  ModelSettings model;
  model.key_env = "OTHER";
  CHECK(find_key(variables, model) == "from-chosen");
  model.key_file = file;
  CHECK(find_key(variables, model) == "from-file");
}

TEST_CASE("what is kept elsewhere comes after the environment, and not with a chosen variable",
          "[api_key]") {
  const auto& openai = *ModelCatalog::built_in().find_provider("openai");
  const secrets::FindKeptKey kept = [](const std::string& provider, std::vector<std::string>&) {
    return std::optional(secrets::KeptKey{Secret("kept-for-" + provider)});
  };
  const EnvironmentLookup empty = [](const std::string&) { return std::nullopt; };
  const EnvironmentLookup full = [](const std::string&) { return std::optional<std::string>("v"); };
  CHECK(find_api_key(openai, {}, empty, kept) == "kept-for-openai");
  CHECK(find_api_key(openai, {}, full, kept) == "v");
  ModelSettings model;
  model.key_env = "OTHER";
  CHECK(thrown_error([&] { find_api_key(openai, model, empty, kept); }));
}

TEST_CASE("of two variables the first that is set counts", "[api_key]") {
  Variables variables = {{"GEMINI_API_KEY", "second"}};
  CHECK(find_key(variables, {}, "gemini") == "second");
  variables["GOOGLE_API_KEY"] = "first";
  CHECK(find_key(variables, {}, "gemini") == "first");
  ModelSettings model;
  model.key_env = "OTHER";
  CHECK(thrown_error([&] { find_key(variables, model, "gemini"); }));
  const auto error = thrown_error([] { find_key({}, {}, "gemini"); });
  REQUIRE(error);
  CHECK_THAT(error->message(),
             ContainsSubstring("GOOGLE_API_KEY, GOOGLE_API_KEY_FILE, GEMINI_API"));
}

TEST_CASE("a missing key is told with the places that were looked at", "[api_key]") {
  const auto error = thrown_error([] {
    find_key({{"OPENAI_API_KEY", ""}, {"CREDENTIALS_DIRECTORY", "/none"}});
  });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::key_missing);
  CHECK_THAT(error->message(),
             ContainsSubstring("OPENAI_API_KEY, OPENAI_API_KEY_FILE and /none/openai"));
  CHECK_THAT(error->hint(), ContainsSubstring("export OPENAI_API_KEY="));
}

TEST_CASE("servers that need no key, and servers of one's own, do without", "[api_key]") {
  CHECK(find_key({}, {}, "ollama").empty());
  ModelSettings own;
  own.base_url = "http://127.0.0.1:1/v1";
  CHECK(find_key({}, own).empty());
  CHECK(find_key({{"OPENAI_API_KEY", "k"}}, own) == "k");
  own.key_env = "CHOSEN";  // asked for: then it must be there
  CHECK(thrown_error([&] { find_key({}, own); })->code() == ErrorCode::key_missing);
}

TEST_CASE("what is no key is refused and never shown", "[api_key]") {
  const ScratchFolder folder;
  for (const std::string& bad : {std::string("secret word"),
                                 std::string("secret\nX-Evil: 1"),
                                 std::string("secr\xe9t"),
                                 std::string("  \n")}) {
    CAPTURE(bad);
    ModelSettings model;
    model.key_file = folder.write("bad", bad);
    for (const auto& error : {thrown_error([&] {
                                find_key({{"OPENAI_API_KEY", bad}});
                              }),
                              thrown_error([&] { find_key({}, model); })}) {
      REQUIRE(error);
      CHECK(error->code() == ErrorCode::key_missing);
      CHECK((error->message() + error->hint()).find("secr") == std::string::npos);
    }
  }
  ModelSettings none;
  none.key_file = folder.path("none");
  CHECK_THAT(thrown_error([&] { find_key({}, none); })->message(), ContainsSubstring("--key-file"));
}

// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/model_catalog.h"

#include "adapters/providers/base_url.h"
#include "adapters/registry.h"
#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"

#include <optional>
#include <set>
#include <string>

using namespace batchllm;
using batchllm::test::ScratchFolder;

namespace {

std::optional<Error> refusal_of(const std::string& toml) {
  ModelCatalog catalog = ModelCatalog::built_in();
  try {
    catalog.add(toml, "models.toml");
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

ModelTraits traits(const ModelCatalog& catalog, const std::string& spec) {
  return catalog.traits_of(parse_model_spec(spec, catalog.provider_names()));
}

}  // namespace

TEST_CASE("each built-in provider has a name of its own, a dialect and a usable address",
          "[model_catalog]") {
  const ModelCatalog& catalog = ModelCatalog::built_in();
  std::set<std::string> seen;
  REQUIRE(catalog.providers().size() > 5);
  for (const ProviderEntry& entry : catalog.providers()) {
    INFO(entry.name);
    CHECK(seen.insert(entry.name).second);
    CHECK(find_dialect(entry.dialect) != nullptr);
    CHECK_FALSE(entry.title.empty());
    CHECK(catalog.find_provider(entry.name) == &entry);
  }
  CHECK(catalog.find_provider("openai")->key_env == "OPENAI_API_KEY");
  CHECK(catalog.find_provider("nobody") == nullptr);
  CHECK(catalog.find_provider("") == nullptr);
}

TEST_CASE("families say how their models differ", "[model_catalog]") {
  const ModelCatalog& catalog = ModelCatalog::built_in();
  CHECK(traits(catalog, "openai/gpt-4o-mini").takes_temperature);
  CHECK_FALSE(traits(catalog, "openai/gpt-5.4-mini").takes_temperature);
  CHECK(traits(catalog, "openai/gpt-5-chat-latest").takes_temperature);
  CHECK(traits(catalog, "mistral/mistral-small").seed == "random_seed");
}

TEST_CASE("a user's file adds providers and changes members of those that are there",
          "[model_catalog]") {
  ModelCatalog catalog = ModelCatalog::built_in();
  catalog.add(R"(
[providers.work]
like = "vllm"
base_url = "https://llm.example.com/v1/"
key_env = ["WORK_KEY", "WORK_TOKEN"]
models = ["house-model"]
token_limit = "max_completion_tokens"
extra = {service_tier = "flex", n = 1}

[providers.openai]
base_url = "https://eu.api.openai.com/v1"

[[families]]
models = ["work/house-*"]
temperature = false
max_output_tokens = 512
)",
              "models.toml");
  const ProviderEntry* work = catalog.find_provider("work");
  REQUIRE(work != nullptr);
  CHECK(work->base_url == "https://llm.example.com/v1");
  CHECK(work->key_env == "WORK_KEY");
  CHECK(work->key_env_too == "WORK_TOKEN");
  CHECK(work->is_local);
  const ModelTraits model = traits(catalog, "work/house-model");
  CHECK(model.token_limit == "max_completion_tokens");
  CHECK_FALSE(model.takes_temperature);
  CHECK(model.max_output_tokens == 512);
  CHECK(model.extra == R"("n":1,"service_tier":"flex")");
  CHECK(catalog.find_provider("openai")->base_url == "https://eu.api.openai.com/v1");
  CHECK(catalog.find_provider("openai")->key_env == "OPENAI_API_KEY");
  CHECK(ModelCatalog::built_in().find_provider("work") == nullptr);
}

TEST_CASE("files that are not there are passed over, and of a config file the rest",
          "[model_catalog]") {
  const ScratchFolder folder;
  const std::string config = folder.write(
      "config.toml", "[run]\nconcurrency = 4\n[providers.mine]\nbase_url = \"http://h/v1\"\n");
  const ModelCatalog catalog = ModelCatalog::load({config, folder.path("models.toml")});
  CHECK(catalog.find_provider("mine") != nullptr);
}

TEST_CASE("a mistake in a file is told with its line and what may be meant", "[model_catalog]") {
  const auto place = [](const std::string& toml) {
    const auto error = refusal_of(toml);
    REQUIRE(error);
    CHECK(error->code() == ErrorCode::config_invalid);
    return error->message() + " | " + error->hint();
  };
  CHECK(place("[providers.x\n").starts_with("models.toml:1: not valid TOML"));
  CHECK(place("[providers.x]\nbase_ulr = \"http://h\"\n") ==
        "models.toml:2: unknown key base_ulr | did you mean base_url?");
  CHECK(place("[providers.x]\ntitle = \"X\"\n").find("providers.x has no base_url") !=
        std::string::npos);
  CHECK(place("[providers.x]\nbase_url = \"http://h\"\ntype = \"smoke\"\n")
            .starts_with("models.toml:3: type smoke: no such dialect | dialects are: openai"));
  CHECK(place("[providers.x]\nlike = \"nobody\"\n").find("there is no provider nobody") !=
        std::string::npos);
  CHECK(place("[[families]]\ntemperature = false\n").find("a family has no models") !=
        std::string::npos);
  CHECK(place("[[families]]\nmodels = [\"a/*\"]\ntemperature = 1\n")
            .find("models.toml:3: temperature must be true or false") != std::string::npos);
  CHECK(place("[[families]]\nmodels = [\"a/*\"]\nschema = \"magic\"\n")
            .find("modes are: native, json_object, tool and instructions") != std::string::npos);
  CHECK(place("[providers.\"a/b\"]\nbase_url = \"http://h\"\n").find("cannot be the name") !=
        std::string::npos);
}

TEST_CASE("a model's name stands for its provider when only one serves it", "[model_catalog]") {
  ModelCatalog catalog = ModelCatalog::built_in();
  CHECK(catalog.resolve("openai/gpt-4o-mini").text() == "openai/gpt-4o-mini");
  CHECK(catalog.resolve("gpt-4o-mini").text() == "openai/gpt-4o-mini");
  catalog.add("[providers.mine]\nbase_url = \"http://h/v1\"\nmodels = [\"gpt-4o-mini\", \"new\"]\n",
              "models.toml");
  CHECK(catalog.resolve("new").text() == "mine/new");
  try {
    static_cast<void>(catalog.resolve("gpt-4o-mini"));
    FAIL("it names two providers");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::usage);
    CHECK(error.hint() == "it is a model of openai and mine: write openai/gpt-4o-mini");
  }
  CHECK_THROWS_AS(catalog.resolve("no-such-model"), Error);
  CHECK_THROWS_AS(catalog.resolve(""), Error);
}

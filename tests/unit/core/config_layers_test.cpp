// SPDX-License-Identifier: Apache-2.0
#include "core/config_layers.h"

#include "core/error.h"
#include "tests/support/catch.h"

#include <array>
#include <map>

using namespace batchllm;

namespace {

SettingLayer layer(Layer which, const std::string& key, std::vector<std::string> texts) {
  return {{key, SettingValue{std::move(texts), which, std::string(layer_name(which))}}};
}

EnvironmentLookup environment(std::map<std::string, std::string> variables) {
  return [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

}  // namespace

TEST_CASE("flag wins over environment over project over user over system", "[config_layers]") {
  constexpr std::array k_layers = {
      Layer::system, Layer::user, Layer::project, Layer::environment, Layer::command_line};
  for (std::size_t strongest = 0; strongest < k_layers.size(); ++strongest) {
    std::vector<SettingLayer> layers;
    for (std::size_t i = 0; i <= strongest; ++i) {
      layers.push_back(layer(k_layers[i], "run.model", {std::string(layer_name(k_layers[i]))}));
    }
    const Settings settings(layers);
    REQUIRE(settings.find("run.model") != nullptr);
    CHECK(settings.find("run.model")->layer == k_layers[strongest]);
    CHECK(settings.find("run.model")->texts.front() == layer_name(k_layers[strongest]));
  }
}

TEST_CASE("lists replace each other", "[config_layers]") {
  const Settings settings({layer(Layer::user, "run.columns", {"a", "b"}),
                           layer(Layer::command_line, "run.columns", {"c"})});
  CHECK(settings.find("run.columns")->texts == std::vector<std::string>{"c"});
}

TEST_CASE("a stronger prompt hides every weaker way to say one", "[config_layers]") {
  const Settings settings({layer(Layer::project, "run.template", {"t.toml"}),
                           layer(Layer::environment, "run.prompt_file", {"p.txt"}),
                           layer(Layer::command_line, "run.prompt", {"hello"})});
  CHECK(settings.find("run.template") == nullptr);
  CHECK(settings.find("run.prompt_file") == nullptr);
  CHECK(settings.find("run.prompt") != nullptr);
}

TEST_CASE("options that exclude each other hide each other across layers only", "[config_layers]") {
  const Settings across(
      {layer(Layer::user, "run.limit", {"5"}), layer(Layer::command_line, "run.sample", {"3"})});
  CHECK(across.find("run.limit") == nullptr);
  CHECK_NOTHROW(check_exclusive(across, Command::run));

  SettingLayer both = layer(Layer::command_line, "run.sample", {"3"});
  both.merge(layer(Layer::command_line, "run.limit", {"5"}));
  CHECK_THROWS_AS(check_exclusive(Settings({both}), Command::run), Error);
  CHECK_NOTHROW(check_exclusive(Settings({both}), Command::simulate));
}

TEST_CASE("variables are read by the kind of their option", "[config_layers]") {
  const SettingLayer values = environment_layer(environment({{"BATCHLLM_CONCURRENCY", "64"},
                                                             {"BATCHLLM_COLUMNS", "a, b"},
                                                             {"BATCHLLM_VAR", "a=1,2\nb=3"},
                                                             {"BATCHLLM_MODEL", ""},
                                                             {"BATCHLLM_DRY_RUN", "1"},
                                                             {"BATCHLLM_SIMULATE_RPM", "60"}}));
  CHECK(values.at("run.concurrency").texts == std::vector<std::string>{"64"});
  CHECK(values.at("run.concurrency").place == "BATCHLLM_CONCURRENCY");
  CHECK(values.at("run.columns").texts == std::vector<std::string>{"a", "b"});
  CHECK(values.at("run.var").texts == std::vector<std::string>{"a=1,2", "b=3"});
  CHECK(values.at("simulate.rpm").texts == std::vector<std::string>{"60"});
  CHECK(values.count("run.model") == 0);
  CHECK(values.count("run.dry_run") == 0);
}

TEST_CASE("a wrong value is named together with where it was set", "[config_layers]") {
  struct Case {
    Layer layer;
    std::string place;
    std::string message;
    ErrorCode code;
  };

  const auto c = GENERATE(values<Case>({
      {Layer::command_line,
       "--concurrency",
       "--concurrency 0: must be between 1 and 65536",
       ErrorCode::usage},
      {Layer::environment,
       "BATCHLLM_CONCURRENCY",
       "BATCHLLM_CONCURRENCY=0: must be between 1 and 65536",
       ErrorCode::config_invalid},
      {Layer::project,
       "batchllm.toml:3",
       "batchllm.toml:3: concurrency = 0: must be between 1 and 65536",
       ErrorCode::config_invalid},
  }));
  try {
    check_setting(*find_option("run.concurrency"), SettingValue{{"0"}, c.layer, c.place});
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.message() == c.message);
    CHECK(error.code() == c.code);
    CHECK_THAT(error.hint(), ContainsSubstring("rows in flight"));
  }
}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/config_keys.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// Who set a value, weakest first.
enum class Layer { default_value, system, user, project, environment, command_line };

std::string_view layer_name(Layer layer) noexcept;  // "project"

// What one layer says about one option.
struct SettingValue {
  std::vector<std::string> texts;  // one; several or none for repeatable options
  Layer layer = Layer::default_value;
  std::string place;  // "--concurrency", "BATCHLLM_CONCURRENCY", "/home/u/p/batchllm.toml:3"
};

// The values of one layer by key ("run.concurrency").
using SettingLayer = std::map<std::string, SettingValue, std::less<>>;

// Looks a variable up; nullopt when it is not set. Logic never reads the environment itself.
using EnvironmentLookup = std::function<std::optional<std::string>(const std::string&)>;

// The layer of BATCHLLM_* variables. An empty variable counts as not set. Lists are split at
// commas, pairs at line breaks.
SettingLayer environment_layer(const EnvironmentLookup& environment);

// Puts what the command line says about an option into the layer: `values` holds the words given
// with its flag, one for each time it was given; "true" for a flag without a value. Flags count and
// may be switched off (--json=false); of options that take one value the last counts.
void add_flag(SettingLayer& layer, const OptionKey& option, const std::vector<std::string>& values);

// The effective values: for every option the strongest layer that sets it. Lists replace each
// other, they never add up. Of options that exclude each other (--prompt, --prompt-file,
// --template) those of the strongest layer hide the others'.
class Settings {
 public:
  Settings() = default;
  explicit Settings(const std::vector<SettingLayer>& layers);  // weakest first

  // nullptr when only the default applies.
  const SettingValue* find(std::string_view key) const noexcept;

  const SettingLayer& all() const noexcept { return values_; }

 private:
  void take(const SettingLayer& layer);
  void hide(std::string_view key);

  SettingLayer values_;
};

// `text` with the place where it was written, for messages: "--concurrency 0",
// "BATCHLLM_TEMPERATURE=hot", "batchllm.toml:3: concurrency = 0".
std::string with_place(const OptionKey& option, const SettingValue& value, std::string_view text);

// Throws Error(usage) for a flag, Error(config_invalid) for the other layers, when a value is not
// one the option can have.
void check_setting(const OptionKey& option, const SettingValue& value);

// Throws Error(usage) when options of `command` that exclude each other are both set. A flag that
// is set to false excludes nothing.
void check_exclusive(const Settings& settings, Command command);

}  // namespace batchllm

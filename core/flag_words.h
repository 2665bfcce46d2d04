// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/config_keys.h"
#include "core/config_layers.h"

#include <string>
#include <vector>

namespace batchllm {

// Parses the words of a program that takes options and nothing else: --name VALUE, --name=VALUE,
// --flag, -h. The values are not validated (check_setting does that). `program` is its name, for
// messages. Throws Error(usage) for an unknown option, with the nearest of `options` as a hint, for
// a missing value and for a word that is no option.
SettingLayer parse_flag_words(const std::vector<std::string>& words,
                              const std::vector<const OptionKey*>& options,
                              const std::string& program);

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "core/flag_words.h"

#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace batchllm {
namespace {

// "--name=value" or "-n" in its parts.
struct FlagWord {
  std::string name;  // with its dashes
  std::optional<std::string> value;
};

FlagWord parts_of(const std::string& word) {
  const auto equals = word.find('=');
  if (!word.starts_with("--") || equals == std::string::npos) {
    return {word, std::nullopt};
  }
  return {word.substr(0, equals), word.substr(equals + 1)};
}

bool is_named(const OptionKey& option, const std::string& name) {
  const bool is_short = option.short_flag != '\0' && name == fmt::format("-{}", option.short_flag);
  return is_short || name == flag_of(option);
}

[[noreturn]] void refuse(const std::string& name,
                         const std::vector<const OptionKey*>& options,
                         const std::string& program) {
  std::vector<std::string> known;
  std::transform(options.begin(), options.end(), std::back_inserter(known), [](const auto* option) {
    return flag_of(*option);
  });
  const std::string see = fmt::format("see: {} --help", program);
  const auto near = name.starts_with("--") ? nearest_name(name, known) : std::nullopt;
  const bool is_option = name.size() > 1 && name.starts_with('-');
  throw Error(ErrorCode::usage,
              is_option ? fmt::format("unknown option {}", one_line(name, 60))
                        : fmt::format("{} takes no argument: {}", program, one_line(name, 60)),
              near ? fmt::format("did you mean {}?  {}", *near, see) : see)
      .with_detail(is_option ? "option" : "argument", one_line(name, 60));
}

}  // namespace

SettingLayer parse_flag_words(const std::vector<std::string>& words,
                              const std::vector<const OptionKey*>& options,
                              const std::string& program) {
  SettingLayer layer;
  for (auto word = words.begin(); word != words.end(); ++word) {
    FlagWord given = parts_of(*word);
    const auto found = std::find_if(options.begin(), options.end(), [&](const auto* option) {
      return is_named(*option, given.name);
    });
    if (found == options.end()) {
      refuse(given.name, options, program);
    }
    const OptionKey& option = **found;
    if (is_flag(option)) {
      given.value = given.value.value_or("true");
    } else if (!given.value) {
      if (++word == words.end()) {
        throw Error(ErrorCode::usage,
                    fmt::format("{} needs a value", given.name),
                    fmt::format("{} {}: {}", flag_of(option), option.placeholder, option.help));
      }
      given.value = *word;
    }
    add_flag(layer, option, {*given.value});
  }
  return layer;
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/command_set.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm {

// What an option's value is; decides how it is checked, completed and read from a config file.
enum class ValueKind : std::uint8_t {
  flag,        // yes or no; takes no value on the command line
  level,       // a flag that counts (-vv)
  text,        // anything
  path,        // a file name; in a config file relative to that file
  count,       // whole number
  number,      // decimal number
  bytes,       // 16MiB
  duration,    // 30s
  money,       // USD
  share,       // rows: 20 or 5%
  character,   // one byte: , or \t
  choice,      // one of `choices`
  texts,       // anything, repeatable
  list,        // comma separated, repeatable
  choices,     // the same, each one of `choices`
  pairs,       // NAME=VALUE, repeatable
  json_pairs,  // the same; values keep their JSON type
};

// Which layers may set an option. Every layer includes those before it.
enum class SetBy : std::uint8_t {
  flag,         // an act, not a setting: --dry-run
  environment,  // decides which config files are read
  user,         // also the user's and the system's config file; a cloned repository must not
  anyone,       // also a project's batchllm.toml
};

// One option: the long flag, the environment variable, the config key, the man page entry, the
// completion and the line of `config explain` all come from its row in the table.
struct OptionKey {
  std::string_view key;    // "run.max_cost"; global ones have no section: "color"
  char short_flag = '\0';  // 'c' for -c; '\0': none
  ValueKind kind = ValueKind::text;
  std::string_view placeholder = {};   // "USD"
  std::string_view default_text = {};  // "none"; what is used when no layer sets it
  SetBy set_by = SetBy::anyone;
  std::string_view group = {};  // heading in the help: "Limits"
  CommandSet commands = Command::none;
  std::string_view help = {};     // one line, no full stop
  std::string_view choices = {};  // "input|completion"
  double least = 0;               // for counts and numbers
  double most = 0;
};

// The table, in the order of help and man pages.
std::span<const OptionKey> option_table() noexcept;

// Pairs of options of which a command takes one at most. Where different layers set both, the
// stronger layer's hides the other.
std::span<const std::pair<std::string_view, std::string_view>> exclusive_options() noexcept;

// The row of a key; nullptr when there is none.
const OptionKey* find_option(std::string_view key) noexcept;

// The row whose flag `flag` (without dashes) is one of `command`; nullptr when it takes no such
// flag.
const OptionKey* find_flag(Command command, std::string_view flag) noexcept;

std::string flag_of(const OptionKey& option);         // "--max-cost"
std::string environment_of(const OptionKey& option);  // "BATCHLLM_MAX_COST"; empty: none sets it
std::string_view section_of(const OptionKey& option) noexcept;  // "run"; empty for global options
std::string_view name_of(const OptionKey& option) noexcept;     // "max_cost"

bool is_flag(const OptionKey& option) noexcept;        // takes no value on the command line
bool is_repeatable(const OptionKey& option) noexcept;  // values add up within one layer

// "a,b, \"c,d\"" -> a; b; c,d. What --columns and its like take.
std::vector<std::string> split_list(std::string_view text);

std::optional<bool> parse_boolean(
    std::string_view text) noexcept;  // true/false, 1/0, yes/no, on/off

// USD with at most six decimals -> millionths; nullopt when it is not that. Never through a double.
std::optional<std::int64_t> parse_usd(std::string_view text) noexcept;

// True when "none" stands for no value: the default is none, or the placeholder says so
// ("TIME|none").
bool accepts_none(const OptionKey& option) noexcept;

// Why `text` cannot be the option's value, as the end of a sentence ("must be between 1 and
// 65536"); empty when it can. Optional limits accept "none".
std::string why_invalid(const OptionKey& option, std::string_view text);

}  // namespace batchllm

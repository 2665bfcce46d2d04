// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm {

// Every command of `batchllm`, and the program `batchllmd`, as a bit, so that an option can say
// which of them take it.
enum class Command : std::uint64_t {
  none = 0,
  run = 1U << 0U,
  resume = 1U << 1U,
  retry = 1U << 2U,
  inspect = 1U << 3U,
  simulate = 1U << 4U,
  results_show = 1U << 5U,
  results_export = 1U << 6U,
  results_errors = 1U << 7U,
  jobs_list = 1U << 8U,
  jobs_show = 1U << 9U,
  jobs_rm = 1U << 10U,
  jobs_prune = 1U << 11U,
  config_get = 1U << 12U,
  config_list = 1U << 13U,
  config_path = 1U << 14U,
  config_explain = 1U << 15U,
  config_validate = 1U << 16U,
  completions = 1U << 17U,
  help = 1U << 18U,
  version = 1U << 19U,
  complete_words = 1U << 20U,  // hidden: candidates for shell completion
  man_section = 1U << 21U,     // hidden: generated parts of the man pages
  submit = 1U << 22U,
  jobs_watch = 1U << 23U,
  jobs_wait = 1U << 24U,
  jobs_cancel = 1U << 25U,
  jobs_pause = 1U << 26U,
  jobs_resume = 1U << 27U,
  jobs_retry = 1U << 28U,
  jobs_answer = 1U << 29U,
  jobs_logs = 1U << 30U,
  batchllmd = 1ULL << 40U,  // the program of that name
  daemon_start = 1ULL << 41U,
  daemon_stop = 1ULL << 42U,
  daemon_status = 1ULL << 43U,
  daemon_logs = 1ULL << 44U,
  daemon_reload = 1ULL << 45U,
  daemon_install = 1ULL << 46U,
  daemon_uninstall = 1ULL << 47U,
  daemon_backup = 1ULL << 48U,
  daemon_repair = 1ULL << 49U,
};

class CommandSet {
 public:
  constexpr CommandSet(Command command)  // NOLINT(google-explicit-constructor): a set of one
      : bits_(static_cast<std::uint64_t>(command)) {}

  static constexpr CommandSet all() { return CommandSet(~std::uint64_t{0}); }

  // All but one.
  static constexpr CommandSet all_but(Command command) {
    return CommandSet(~static_cast<std::uint64_t>(command));
  }

  constexpr bool contains(Command command) const noexcept {
    return (bits_ & static_cast<std::uint64_t>(command)) != 0;
  }

  friend constexpr CommandSet operator|(CommandSet a, CommandSet b) noexcept {
    return CommandSet(a.bits_ | b.bits_);
  }

 private:
  explicit constexpr CommandSet(std::uint64_t bits) : bits_(bits) {}

  std::uint64_t bits_;
};

constexpr CommandSet operator|(Command a, Command b) noexcept {
  return CommandSet(a) | CommandSet(b);
}

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

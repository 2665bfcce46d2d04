// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace batchllm {

// Every command of `batchllm`, and the program `batchllmd`.
enum class Command : std::uint8_t {
  none,
  run,
  resume,
  retry,
  inspect,
  simulate,
  results_show,
  results_export,
  results_errors,
  jobs_list,
  jobs_show,
  jobs_rm,
  jobs_prune,
  config_get,
  config_list,
  config_path,
  config_explain,
  config_validate,
  completions,
  help,
  version,
  complete_words,  // hidden: candidates for shell completion
  man_section,     // hidden: generated parts of the man pages
  submit,
  jobs_watch,
  jobs_wait,
  jobs_cancel,
  jobs_pause,
  jobs_resume,
  jobs_retry,
  jobs_answer,
  jobs_logs,
  jobs_replay,
  batchllmd,  // the program of that name
  daemon_start,
  daemon_stop,
  daemon_status,
  daemon_logs,
  daemon_reload,
  daemon_install,
  daemon_uninstall,
  daemon_backup,
  daemon_repair,
  schedule_add,
  schedule_list,
  schedule_show,
  schedule_pause,
  schedule_resume,
  schedule_run_now,
  schedule_next,
  schedule_rm,
  models_list,
  models_show,
  models_prices,
  doctor,
  keys_set,
  keys_list,
  keys_rm,
  keys_test,
  embed,
  results_diff,
};

// The commands that take an option. A command beyond the most there can be does not compile.
class CommandSet {
 public:
  static constexpr std::size_t k_most_commands = 128;

  constexpr CommandSet(Command command)  // NOLINT(google-explicit-constructor): a set of one
      : words_{} {
    if (command != Command::none) {
      words_[word_of(command)] = bit_of(command);
    }
  }

  static constexpr CommandSet all() noexcept {
    CommandSet everything = Command::none;
    for (std::uint64_t& word : everything.words_) {
      word = ~std::uint64_t{0};
    }
    return everything;
  }

  // All but one.
  static constexpr CommandSet all_but(Command command) noexcept {
    CommandSet most = all();
    most.words_[word_of(command)] &= ~bit_of(command);
    return most;
  }

  constexpr bool contains(Command command) const noexcept {
    return command != Command::none && (words_[word_of(command)] & bit_of(command)) != 0;
  }

  friend constexpr CommandSet operator|(CommandSet a, const CommandSet& b) noexcept {
    for (std::size_t word = 0; word < a.words_.size(); ++word) {
      a.words_[word] |= b.words_[word];
    }
    return a;
  }

 private:
  static constexpr std::size_t k_bits = 64;

  static constexpr std::size_t word_of(Command command) noexcept {
    return static_cast<std::size_t>(command) / k_bits;
  }

  static constexpr std::uint64_t bit_of(Command command) noexcept {
    return std::uint64_t{1} << (static_cast<std::size_t>(command) % k_bits);
  }

  std::array<std::uint64_t, k_most_commands / k_bits> words_;
};

constexpr CommandSet operator|(Command a, Command b) noexcept {
  return CommandSet(a) | CommandSet(b);
}

}  // namespace batchllm

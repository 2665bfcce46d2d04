// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/config_keys.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// What the positional arguments of a command are; decides what a shell completes.
enum class ArgumentKind { none, file, job, shell, topic, key, model, provider, word };

// One command: how it is called and what its help says. Help, completion and man pages come from
// here and from the table of options.
struct CommandSpec {
  Command command = Command::none;  // none: a group, as `results`
  std::string_view path = {};       // "results show"
  std::string_view alias = {};      // another last word, as "ls"; empty: none
  std::string_view arguments = {};  // "INPUT...", as help shows it
  ArgumentKind argument_kind = ArgumentKind::none;
  std::size_t least = 0;  // positional arguments
  std::size_t most = 0;
  std::string_view group = {};  // heading in the help; empty: hidden
  std::string_view summary = {};
  std::string_view examples = {};  // lines
  std::string_view common = {};    // options of the short help: "model,prompt"; empty: all
  std::string_view epilogue = {};  // lines after the options
};

constexpr std::size_t k_any_number = 1U << 20U;

// In the order of the help.
std::span<const CommandSpec> command_table();

// By its path, its alias resolved; nullptr when there is none.
const CommandSpec* find_command(std::string_view path);
const CommandSpec& spec_of(Command command);

// Commands directly below `path` ("" is the top), hidden ones left out.
std::vector<const CommandSpec*> commands_below(std::string_view path);

std::string_view last_word(std::string_view path) noexcept;

// Options that a command takes, its own first. A group takes the global ones.
std::vector<const OptionKey*> options_of(const CommandSpec& spec);

}  // namespace batchllm

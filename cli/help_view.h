// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command_line.h"
#include "cli/command_table.h"

#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// `batchllm --help`: commands by group, global options.
std::string program_help(bool color);

// `batchllm results --help`, `batchllm run -h` (the most used options), `batchllm run --help`
// (all).
std::string command_help(const CommandSpec& spec, HelpWanted wanted, bool color);

// A topic of `batchllm help`: how one thing works across commands.
struct HelpTopic {
  std::string_view name;
  std::string_view summary;
  std::string (*text)();
};

const std::vector<HelpTopic>& help_topics();

// What `batchllm help WORDS…` prints: a command's full help, a topic, or both. Throws
// Error(topic_unknown) with the nearest name as a hint.
std::string help_about(const std::vector<std::string>& words, bool color);

}  // namespace batchllm

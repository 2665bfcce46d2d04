// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/chat_template.h"

#include <string>
#include <string_view>

namespace batchllm {

// Reads a template file (`--template FILE`), which is TOML:
//
//   description = "…"                  # for people
//   model = "openai/gpt-4o-mini"       # used when --model is not given
//   system = "…"                       # first message
//   prompt = "…"                       # message of the user; or instead of both:
//   [[messages]]                       # any number, in order
//   role = "user"                      # system, user or assistant
//   content = "…"
//   [parameters]                       # go into the request as they are
//   temperature = 0.2
//   [[steps]]                          # instead of prompt and messages: asked one after the other
//   name = "first"                     # for {steps.first.output}; else its number
//   prompt = "…"                       # or messages; system, model, parameters as above, besides
//   when = "steps.first.label == 'x'"  # not of the first: left out where it is false
//   fields = "label:enum(x, y)"        # or schema (a table, JSON, a file), choices, extract, strip
//   max_tokens = 50                    # temperature, effort: as the options of those names
//
// A system message at the top goes with every step that has none of its own. Throws
// Error(template_invalid) naming file, line and column for what is not TOML, unknown keys (with the
// nearest) and wrong types; Error(usage) when the file cannot be read.
ChatTemplateText read_template_file(const std::string& path);

// The same for text that is already in memory; `name` stands in messages.
ChatTemplateText parse_template_file(std::string_view toml, const std::string& name);

}  // namespace batchllm

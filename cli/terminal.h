// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/config_layers.h"

#include <string>
#include <string_view>

namespace batchllm {

enum class ColorChoice { automatic, always, never };

// What is known about the three standard streams, found out once at the start.
struct Terminal {
  bool input_is_terminal = false;
  bool output_is_terminal = false;
  bool error_is_terminal = false;
  bool output_color = false;
  bool error_color = false;
  bool utf8 = false;   // by LC_ALL, LC_CTYPE, LANG
  bool dumb = false;   // TERM=dumb or not set
  bool is_ci = false;  // CI is set
};

// --color > NO_COLOR (when not empty) > CLICOLOR_FORCE > a terminal that is not dumb.
bool wants_color(ColorChoice choice, bool is_terminal, const EnvironmentLookup& environment);

Terminal look_at_terminal(ColorChoice choice, const EnvironmentLookup& environment);

// Columns of standard error's terminal as it is now; COLUMNS, then 80, where it does not say.
int terminal_width();

// Writes all of `text` to a descriptor. Throws Error(storage | storage_full) naming `name`; for a
// reader that has gone (`| head`) the error's detail "closed" is "yes".
void write_all(int descriptor, std::string_view text, std::string_view name);

// Writes to standard error; what cannot be written there is lost.
void write_error_stream(std::string_view text) noexcept;

}  // namespace batchllm

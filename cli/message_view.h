// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/error.h"

#include <functional>
#include <string>
#include <string_view>

namespace batchllm {

// How messages look and which are shown.
struct MessageStyle {
  bool json = false;   // errors as one JSON object
  bool quiet = false;  // no notes, no warnings
  int verbose = 0;     // > 0: details too
  bool color = false;
};

// Errors, warnings and notes for people (and errors for scripts), on standard error. Untrusted text
// in them cannot move the cursor. While a progress bar is shown, lines go through the function
// given to `print_through`, so that they appear above it.
//
// Thread rule: any thread, when what is printed through allows it; `print_through` while nobody
// prints.
class MessageView {
 public:
  using Print = std::function<void(std::string_view lines)>;

  explicit MessageView(MessageStyle style, Print print = {});

  void error(const Error& error) const;
  void warning(std::string_view text) const;
  void note(std::string_view text) const;
  void detail(std::string_view text) const;  // only with --verbose

  // Later lines go through `print`; an empty function is standard error again.
  void print_through(Print print);

  const MessageStyle& style() const noexcept { return style_; }

 private:
  void line(std::string_view label, std::string_view color, std::string_view text) const;

  MessageStyle style_;
  Print print_;
};

// `{"error":{"code":"column_missing","exit_code":3,"message":…,"hint":…,"details":{…}}}`, one line.
std::string error_json(const Error& error);

// "error: message\n  hint: what to do\n"; further lines of the message are indented.
std::string error_text(const Error& error, bool color);

}  // namespace batchllm

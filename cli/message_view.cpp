// SPDX-License-Identifier: Apache-2.0
#include "cli/message_view.h"

#include "cli/terminal.h"
#include "core/json_text.h"
#include "core/redaction.h"
#include "core/text.h"

#include <fmt/format.h>

#include <utility>

namespace batchllm {
namespace {

constexpr std::string_view k_red = "\x1b[1;31m";
constexpr std::string_view k_yellow = "\x1b[1;33m";
constexpr std::string_view k_cyan = "\x1b[36m";
constexpr std::string_view k_plain = "\x1b[0m";

std::string painted(std::string_view text, std::string_view color, bool on) {
  return on && !color.empty() ? fmt::format("{}{}{}", color, text, k_plain) : std::string(text);
}

// The text without secrets and what could move the cursor; every line after the first stands under
// the first.
std::string indented(std::string_view text, std::string_view indent) {
  std::string out;
  for (const std::string& line : split(trim(printable(redacted(text))), '\n')) {
    if (!out.empty()) {
      out += '\n';
      out += indent;
    }
    out += line;
  }
  return out;
}

}  // namespace

std::string error_json(const Error& error) {
  JsonWriter json;
  json.begin_object().key("error").begin_object();
  json.key("code").string(error.name());
  json.key("exit_code").number(error.exit_code());
  json.key("message").string(as_utf8(redacted(error.message())));
  json.key("hint").string(as_utf8(redacted(error.hint())));
  json.key("details").begin_object();
  for (const auto& [key, value] : error.details()) {
    json.key(as_utf8(key)).string(as_utf8(redacted(value)));
  }
  json.end_object().end_object().end_object();
  return json.text() + "\n";
}

std::string error_text(const Error& error, bool color) {
  std::string text =
      fmt::format("{} {}\n", painted("error:", k_red, color), indented(error.message(), "  "));
  if (!error.hint().empty()) {
    text += fmt::format(
        "  {} {}\n", painted("hint:", k_cyan, color), indented(error.hint(), "        "));
  }
  return text;
}

MessageView::MessageView(MessageStyle style, Print print)
    : style_(style),
      print_(std::move(print)) {}

void MessageView::print_through(Print print) {
  print_ = std::move(print);
}

void MessageView::error(const Error& error) const {
  const std::string text = style_.json ? error_json(error) : error_text(error, style_.color);
  print_ ? print_(text) : write_error_stream(text);
}

void MessageView::warning(std::string_view text) const {
  if (!style_.quiet) {
    line("warning:", k_yellow, text);
  }
}

void MessageView::note(std::string_view text) const {
  if (!style_.quiet) {
    line("", "", text);
  }
}

void MessageView::detail(std::string_view text) const {
  if (style_.verbose > 0) {
    line("", "", text);
  }
}

void MessageView::line(std::string_view label,
                       std::string_view color,
                       std::string_view text) const {
  std::string out = painted(label, color, style_.color);
  if (!out.empty()) {
    out += ' ';
  }
  out += indented(text, "  ") + "\n";
  print_ ? print_(out) : write_error_stream(out);
}

}  // namespace batchllm

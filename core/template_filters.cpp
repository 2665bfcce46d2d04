// SPDX-License-Identifier: Apache-2.0
#include "core/template_filters.h"

#include "core/base64.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace batchllm {
namespace {

constexpr std::size_t k_largest_count = 1'000'000'000;

bool is_space(char byte) noexcept {
  return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

void now_text(TemplateValue& value, std::string_view text) {
  value.text = text;
  value.kind = CellKind::text;
}

void trim_ends(TemplateValue& value, const FilterArguments& /*unused*/, std::string& /*unused*/) {
  value.text = trim(value.text);
}

void truncate(TemplateValue& value, const FilterArguments& arguments, std::string& /*unused*/) {
  const std::string_view cut = character_prefix(value.text, arguments.number);
  if (cut.size() != value.text.size()) {
    now_text(value, cut);
  }
}

void truncate_words(TemplateValue& value,
                    const FilterArguments& arguments,
                    std::string& /*unused*/) {
  const std::string_view text = value.text;
  std::size_t at = 0;
  for (std::size_t words = 0;; ++words) {
    const std::size_t end_of_words = at;
    while (at < text.size() && is_space(text[at])) {
      ++at;
    }
    if (at == text.size()) {
      return;  // not more words than asked for: nothing is cut
    }
    if (words == arguments.number) {
      now_text(value, text.substr(0, end_of_words));
      return;
    }
    while (at < text.size() && !is_space(text[at])) {
      ++at;
    }
  }
}

void first_lines(TemplateValue& value, const FilterArguments& arguments, std::string& /*unused*/) {
  std::size_t end = 0;
  for (std::size_t line = 0; line < arguments.number; ++line) {
    end = value.text.find('\n', end);
    if (end == std::string_view::npos) {
      return;
    }
    ++end;
  }
  std::string_view kept = value.text.substr(0, end);
  // The line break behind the last kept line goes too, in either spelling.
  if (kept.ends_with('\n')) {
    kept.remove_suffix(1);
  }
  if (kept.ends_with('\r')) {
    kept.remove_suffix(1);
  }
  now_text(value, kept);
}

template <char first, char last>
void swap_case(TemplateValue& value, std::string& buffer) {
  buffer.assign(value.text);
  for (char& letter : buffer) {
    if (letter >= first && letter <= last) {
      letter = static_cast<char>(letter ^ 0x20);
    }
  }
  now_text(value, buffer);
}

void upper(TemplateValue& value, const FilterArguments& /*unused*/, std::string& buffer) {
  swap_case<'a', 'z'>(value, buffer);
}

void lower(TemplateValue& value, const FilterArguments& /*unused*/, std::string& buffer) {
  swap_case<'A', 'Z'>(value, buffer);
}

void default_text(TemplateValue& value, const FilterArguments& arguments, std::string& /*unused*/) {
  if (value.missing || value.text.empty()) {
    value = TemplateValue{arguments.texts.front(), CellKind::text, false};
  }
}

void as_json(TemplateValue& value, const FilterArguments& /*unused*/, std::string& buffer) {
  if (value.missing) {
    value.text = "null";
  } else if (value.kind == CellKind::text) {
    append_json_string(buffer, value.text.data() == nullptr ? std::string_view("") : value.text);
    value.text = buffer;
  }
  value.kind = CellKind::json;
  value.missing = false;
}

void join_lines(TemplateValue& value, const FilterArguments& /*unused*/, std::string& buffer) {
  buffer.reserve(value.text.size());
  for (const char byte : trim(value.text)) {
    if (!is_space(byte)) {
      buffer += byte;
    } else if (buffer.back() != ' ') {
      buffer += ' ';
    }
  }
  now_text(value, buffer);
}

void replace(TemplateValue& value, const FilterArguments& arguments, std::string& buffer) {
  const std::string& from = arguments.texts[0];
  std::string_view rest = value.text;
  for (auto at = rest.find(from); at != std::string_view::npos; at = rest.find(from)) {
    buffer.append(rest.substr(0, at)).append(arguments.texts[1]);
    rest.remove_prefix(at + from.size());
  }
  buffer.append(rest);
  now_text(value, buffer);
}

void length(TemplateValue& value, const FilterArguments& /*unused*/, std::string& buffer) {
  append_integer(buffer, std::uint64_t{character_count(value.text)});
  value = TemplateValue{buffer, CellKind::json, false};
}

void escape_xml(TemplateValue& value, const FilterArguments& /*unused*/, std::string& buffer) {
  buffer.reserve(value.text.size() + 16);
  for (const char byte : value.text) {
    switch (byte) {
      case '&':
        buffer += "&amp;";
        break;
      case '<':
        buffer += "&lt;";
        break;
      case '>':
        buffer += "&gt;";
        break;
      case '"':
        buffer += "&quot;";
        break;
      case '\'':
        buffer += "&apos;";
        break;
      default:
        buffer += byte;
    }
  }
  now_text(value, buffer);
}

void urlencode(TemplateValue& value, const FilterArguments& /*unused*/, std::string& buffer) {
  constexpr std::string_view k_hex = "0123456789ABCDEF";
  for (const char byte : value.text) {
    const bool unreserved = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                            (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' ||
                            byte == '_' || byte == '~';
    if (unreserved) {
      buffer += byte;
    } else {
      buffer += '%';
      buffer += k_hex[static_cast<unsigned char>(byte) >> 4U];
      buffer += k_hex[static_cast<unsigned char>(byte) & 0xFU];
    }
  }
  now_text(value, buffer);
}

void base64(TemplateValue& value, const FilterArguments& /*unused*/, std::string& buffer) {
  append_base64(buffer, value.text);
  now_text(value, buffer);
}

// Sorted by name.
constexpr std::array k_filters = {
    TemplateFilter{
        "base64", FilterTakes::nothing, "base64", "the bytes of the value in base64", &base64},
    TemplateFilter{"default",
                   FilterTakes::text,
                   "default:\"none\"",
                   "another text where the row has no value or an empty one",
                   &default_text},
    TemplateFilter{"escape_xml",
                   FilterTakes::nothing,
                   "escape_xml",
                   "& < > \" ' written as XML entities",
                   &escape_xml},
    TemplateFilter{"json",
                   FilterTakes::nothing,
                   "json",
                   "the value as JSON: text becomes a quoted string, JSON stays as it is",
                   &as_json},
    TemplateFilter{
        "length", FilterTakes::nothing, "length", "how many characters the value has", &length},
    TemplateFilter{"lines", FilterTakes::count, "lines:5", "the first lines only", &first_lines},
    TemplateFilter{"lower",
                   FilterTakes::nothing,
                   "lower",
                   "A to Z in lower case; letters beyond ASCII stay as they are",
                   &lower},
    TemplateFilter{"one_line",
                   FilterTakes::nothing,
                   "one_line",
                   "white space and line breaks collapsed to single spaces",
                   &join_lines},
    TemplateFilter{"replace",
                   FilterTakes::two_texts,
                   "replace:\"a\",\"b\"",
                   "every occurrence of the first text replaced by the second",
                   &replace},
    TemplateFilter{
        "trim", FilterTakes::nothing, "trim", "without white space at both ends", &trim_ends},
    TemplateFilter{"truncate",
                   FilterTakes::count,
                   "truncate:200",
                   "the first characters only; nothing is added",
                   &truncate},
    TemplateFilter{"truncate_words",
                   FilterTakes::count,
                   "truncate_words:50",
                   "the first words only; nothing is added",
                   &truncate_words},
    TemplateFilter{"upper",
                   FilterTakes::nothing,
                   "upper",
                   "a to z in upper case; letters beyond ASCII stay as they are",
                   &upper},
    TemplateFilter{"urlencode",
                   FilterTakes::nothing,
                   "urlencode",
                   "percent-encoded for use in a URL",
                   &urlencode},
};

std::string_view wanted_arguments(FilterTakes takes) noexcept {
  switch (takes) {
    case FilterTakes::nothing:
      return "takes no argument";
    case FilterTakes::count:
      return "takes one whole number";
    case FilterTakes::text:
      return "takes one text";
    case FilterTakes::two_texts:
      return "takes two texts";
  }
  return "";
}

std::size_t argument_count(FilterTakes takes) noexcept {
  return takes == FilterTakes::nothing ? 0 : takes == FilterTakes::two_texts ? 2 : 1;
}

}  // namespace

std::span<const TemplateFilter> template_filters() noexcept {
  return k_filters;
}

const TemplateFilter* find_template_filter(std::string_view name) noexcept {
  const auto* found = std::find_if(
      k_filters.begin(), k_filters.end(), [&](const auto& filter) { return filter.name == name; });
  return found == k_filters.end() ? nullptr : found;
}

std::string nearest_template_filter(std::string_view name) {
  std::vector<std::string> names;
  names.reserve(k_filters.size());
  for (const auto& filter : k_filters) {
    names.emplace_back(filter.name);
  }
  return nearest_name(name, names).value_or("");
}

Result<FilterCall> make_filter_call(const TemplateFilter& filter,
                                    std::vector<std::string> arguments) {
  const auto refused = [&] {
    return Failure{
        fmt::format("{} {}, as in {}", filter.name, wanted_arguments(filter.takes), filter.usage)};
  };
  if (arguments.size() != argument_count(filter.takes)) {
    return refused();
  }
  FilterCall call;
  call.filter = &filter;
  if (filter.takes == FilterTakes::count) {
    const auto number = parse_integer(arguments.front());
    if (!number || *number < 0 || static_cast<std::size_t>(*number) > k_largest_count) {
      return refused();
    }
    call.arguments.number = static_cast<std::size_t>(*number);
  } else {
    call.arguments.texts = std::move(arguments);
  }
  if (filter.takes == FilterTakes::two_texts && call.arguments.texts.front().empty()) {
    return Failure{fmt::format("{} needs a text to look for, as in {}", filter.name, filter.usage)};
  }
  return call;
}

void apply_filters(std::span<const FilterCall> calls,
                   TemplateValue& value,
                   std::span<std::string, 2> buffers) {
  std::size_t next = 0;
  for (const auto& call : calls) {
    std::string& buffer = buffers[next];
    // The value may still look at the other buffer, never at this one: it was filled two uses ago.
    buffer.clear();
    call.filter->apply(value, call.arguments, buffer);
    if (value.text.data() == buffer.data()) {
      next = 1 - next;
    }
  }
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "core/placeholder.h"

#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace batchllm {
namespace {

// Nothing longer is taken for a mistyped name, and no path is longer.
constexpr std::size_t k_longest_mistake = 100;
constexpr std::size_t k_longest_path = 1000;

std::size_t skip_spaces(std::string_view text, std::size_t at) noexcept {
  while (at < text.size() && text[at] == ' ') {
    ++at;
  }
  return at;
}

bool ends_path(std::string_view text, std::size_t at) noexcept {
  return at < text.size() && (text[at] == '}' || text[at] == '|');
}

class PlaceholderParser {
 public:
  PlaceholderParser(std::string_view text,
                    const TemplateNames& names,
                    const std::function<std::string()>& place)
      : text_(text),
        names_(names),
        place_(place) {}

  std::optional<Placeholder> parse() {
    if (!find_known_name() && !find_known_path()) {
      refuse_malformed_index();
      if (!find_unknown_path()) {
        refuse_likely_mistake();
        return std::nullopt;
      }
      if (!names_.open_ended) {
        refuse_unknown(unknown_);
      }
      // A default allows what the first rows do not know.
      parse_filters();
      if (!has_default()) {
        refuse_unknown(unknown_);
      }
      const std::string_view head = path_head(unknown_);
      result_.path = NamePath{std::string(head), std::string(unknown_.substr(head.size())), false};
    } else {
      parse_filters();
    }
    result_.length = at_;
    return std::move(result_);
  }

 private:
  // A known name with exactly its characters, even if they are marks of the language.
  bool find_known_name() {
    const std::size_t begin = skip_spaces(text_, 1);
    std::size_t best = 0;
    const auto consider = [&](const std::string& name, bool is_variable) {
      if (name.size() > best && text_.substr(begin).starts_with(name) &&
          ends_path(text_, skip_spaces(text_, begin + name.size()))) {
        best = name.size();
        result_.path = NamePath{name, {}, is_variable};
      }
    };
    for (const auto& column : names_.columns) {
      consider(column, false);
    }
    for (const auto& variable : names_.variables) {
      consider(variable.first, true);
    }
    at_ = skip_spaces(text_, begin + best);
    return best != 0;
  }

  // A known name and steps into its JSON.
  bool find_known_path() {
    const auto end = text_.substr(0, k_longest_path).find_first_of("|}\n", 1);
    if (end == std::string_view::npos || text_[end] == '\n') {
      return false;
    }
    auto path = resolve_path(trim(text_.substr(1, end - 1)), names_);
    if (!path) {
      return false;
    }
    result_.path = std::move(*path);
    at_ = end;
    return true;
  }

  // A path that names nothing known; `{3}` and `{x, y}` do not look like one.
  bool find_unknown_path() {
    const std::size_t length = path_length(text_.substr(1));
    if (length == 0 || !ends_path(text_, 1 + length)) {
      return false;
    }
    unknown_ = text_.substr(1, length);
    at_ = 1 + length;
    return true;
  }

  void refuse_malformed_index() const {
    const std::size_t length = path_length(text_.substr(1));
    const std::string_view rest = text_.substr(1 + length);
    const std::string_view path = text_.substr(1, length);
    if (length == 0 || !rest.starts_with('[') || !resolve_path(path, names_)) {
      return;
    }
    const std::string_view index = rest.substr(0, rest.find_first_of("]}|\n"));
    throw Error(
        ErrorCode::template_invalid,
        fmt::format("{}: \"{}]\" is not an index of {}", place_(), one_line(index, 40), path),
        fmt::format("an index is a whole number, as in {{{}[0]}}; for literal braces write "
                    "{{{{ and }}}}",
                    path));
  }

  // Text with spaces or marks is a name only when a known one is near and has the same marks.
  void refuse_likely_mistake() const {
    const auto end = text_.substr(0, k_longest_mistake).find_first_of("|}{\n", 1);
    if (end == std::string_view::npos || !ends_path(text_, end)) {
      return;
    }
    const std::string_view inside = trim(text_.substr(1, end - 1));
    // Most literal braces hold JSON or code: seen without comparing with every name.
    if (!std::all_of(inside.begin(), inside.end(), [this](char byte) {
          return is_plain(byte) || some_name_has(byte);
        })) {
      return;
    }
    const auto near = nearest_path(inside, names_);
    const auto fits = [&](char byte) {
      return is_plain(byte) || near->find(byte) != std::string::npos;
    };
    if (near && *near != inside && std::all_of(inside.begin(), inside.end(), fits)) {
      refuse_unknown(inside);
    }
  }

  static bool is_plain(char byte) noexcept {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == ' ' ||
           byte == '_' || byte == '-' || byte == '.' || static_cast<unsigned char>(byte) >= 0x80;
  }

  bool some_name_has(char byte) const noexcept {
    return std::any_of(names_.columns.begin(),
                       names_.columns.end(),
                       [&](const auto& name) { return name.find(byte) != std::string::npos; }) ||
           std::any_of(names_.variables.begin(), names_.variables.end(), [&](const auto& variable) {
             return variable.first.find(byte) != std::string::npos;
           });
  }

  [[noreturn]] void refuse_unknown(std::string_view path) const {
    const std::string shown = one_line(path, k_longest_mistake);
    std::string hint = missing_column_hint(path, names_, "{", "}");
    if (!nearest_path(path, names_)) {
      hint += fmt::format("; for literal braces write {{{{{}}}}}", shown);
    }
    throw Error(ErrorCode::column_missing,
                fmt::format("{}: {{{}}} names no column{}",
                            place_(),
                            shown,
                            names_.open_ended ? " of the first rows" : " of the input"),
                std::move(hint))
        .with_detail("placeholder", shown);
  }

  bool has_default() const {
    return std::any_of(result_.filters.begin(), result_.filters.end(), [](const auto& call) {
      return call.filter->name == "default";
    });
  }

  // From behind the path to behind the closing brace.
  void parse_filters() {
    while (at_ < text_.size() && text_[at_] == '|') {
      at_ = skip_spaces(text_, at_ + 1);
      parse_filter();
      at_ = skip_spaces(text_, at_);
    }
    if (at_ >= text_.size() || text_[at_] != '}') {
      refuse(fmt::format("expected | or }} after \"{}\"", one_line(text_.substr(0, at_), 60)),
             "texts with special characters stand in quotes: {text|default:\"a, b\"}");
    }
    ++at_;
  }

  void parse_filter() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && ((text_[at_] >= 'a' && text_[at_] <= 'z') || text_[at_] == '_' ||
                                  (text_[at_] >= 'A' && text_[at_] <= 'Z'))) {
      ++at_;
    }
    const std::string_view name = text_.substr(begin, at_ - begin);
    const TemplateFilter* filter = find_template_filter(name);
    if (filter == nullptr) {
      refuse_filter(name.empty() ? text_.substr(begin, text_.find_first_of("|}\n", begin) - begin)
                                 : name);
    }
    std::vector<std::string> arguments;
    at_ = skip_spaces(text_, at_);
    if (at_ < text_.size() && text_[at_] == ':') {
      do {
        at_ = skip_spaces(text_, at_ + 1);
        arguments.push_back(parse_argument());
        at_ = skip_spaces(text_, at_);
      } while (at_ < text_.size() && text_[at_] == ',');
    }
    auto call = make_filter_call(*filter, std::move(arguments));
    if (!call) {
      refuse(fmt::format("filter {}", call.error().message), std::string(filter->help));
    }
    result_.filters.push_back(std::move(*call));
  }

  // "quoted", 'quoted' or a bare word.
  std::string parse_argument() {
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '"' && quote != '\'') {
      const auto end = std::min(text_.find_first_of("|},\n\"'", at_), text_.size());
      const std::string_view word = trim(text_.substr(at_, end - at_));
      at_ = end;
      return std::string(word);
    }
    std::string argument;
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        ++at_;
        argument += text_[at_] == 'n' ? '\n' : text_[at_] == 't' ? '\t' : text_[at_];
      } else {
        argument += text_[at_];
      }
    }
    if (at_ == text_.size()) {
      refuse(fmt::format("the text that begins with {} is not closed",
                         one_line(fmt::format("{}{}", quote, argument), 20)),
             fmt::format("close it with {}", quote));
    }
    ++at_;
    return argument;
  }

  [[noreturn]] void refuse_filter(std::string_view name) const {
    std::vector<std::string> known;
    for (const auto& filter : template_filters()) {
      known.emplace_back(filter.name);
    }
    const std::string near = nearest_template_filter(name);
    refuse(fmt::format("\"{}\" is not a filter", one_line(name, 40)),
           fmt::format("{}filters are: {}",
                       near.empty() ? std::string() : fmt::format("did you mean {}? ", near),
                       name_list(known, known.size())));
  }

  [[noreturn]] void refuse(const std::string& what, std::string hint) const {
    throw Error(
        ErrorCode::template_invalid, fmt::format("{}: {}", place_(), what), std::move(hint));
  }

  std::string_view text_;
  const TemplateNames& names_;
  const std::function<std::string()>& place_;
  std::size_t at_ = 0;
  std::string_view unknown_;
  Placeholder result_;
};

}  // namespace

std::optional<Placeholder> parse_placeholder(std::string_view text,
                                             const TemplateNames& names,
                                             const std::function<std::string()>& place) {
  return PlaceholderParser(text, names, place).parse();
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "core/ecma_pattern.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace batchllm {
namespace {

// WhiteSpace and LineTerminator of ECMA-262, as the inside of a class.
constexpr std::string_view k_space =
    R"(\t\n\x0b\f\r \u{a0}\u{1680}\u{2000}-\u{200a}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}\u{feff})";
constexpr std::string_view k_not_line_end = R"([^\n\r\u{2028}\u{2029}])";

// The long names of general categories (Unicode's PropertyValueAliases.txt) that PCRE2 knows by
// their short ones only.
constexpr std::array<std::pair<std::string_view, std::string_view>, 38> k_categories = {{
    {"Other", "C"},
    {"Control", "Cc"},
    {"Format", "Cf"},
    {"Unassigned", "Cn"},
    {"Private_Use", "Co"},
    {"Surrogate", "Cs"},
    {"Letter", "L"},
    {"Cased_Letter", "L&"},
    {"Lowercase_Letter", "Ll"},
    {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"},
    {"Titlecase_Letter", "Lt"},
    {"Uppercase_Letter", "Lu"},
    {"Mark", "M"},
    {"Combining_Mark", "M"},
    {"Spacing_Mark", "Mc"},
    {"Enclosing_Mark", "Me"},
    {"Nonspacing_Mark", "Mn"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"digit", "Nd"},
    {"Letter_Number", "Nl"},
    {"Other_Number", "No"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Connector_Punctuation", "Pc"},
    {"Dash_Punctuation", "Pd"},
    {"Close_Punctuation", "Pe"},
    {"Final_Punctuation", "Pf"},
    {"Initial_Punctuation", "Pi"},
    {"Other_Punctuation", "Po"},
    {"Open_Punctuation", "Ps"},
    {"Symbol", "S"},
    {"Currency_Symbol", "Sc"},
    {"Math_Symbol", "Sm"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"LC", "L&"},
}};

// Letters after a backslash that mean the same in both, \s, \S and \v aside.
constexpr std::string_view k_shared_escapes = "dDwWbBtnrfcxuk";

class EcmaTranslator {
 public:
  explicit EcmaTranslator(std::string_view text) : text_(text) {}

  Result<std::string> translate() {
    while (at_ < text_.size() && problem_.empty()) {
      step();
    }
    if (!problem_.empty()) {
      const std::string_view before = text_.substr(0, mistake_at_);
      return Failure{fmt::format("character {}: {}", character_count(before) + 1, problem_)};
    }
    return std::move(out_);
  }

 private:
  std::string_view rest() const { return text_.substr(at_); }

  void refuse(std::string problem) {
    mistake_at_ = at_;
    problem_ = std::move(problem);
  }

  void copy(std::size_t bytes) {
    out_ += text_.substr(at_, bytes);
    at_ += bytes;
  }

  void replace(std::size_t bytes, std::string_view text) {
    out_ += text;
    at_ += bytes;
  }

  void step() {
    switch (text_[at_]) {
      case '\\':
        return escape();
      case '[':
        return in_class_ ? replace(1, "\\[") : open_class();
      case ']':
        in_class_ = false;
        return copy(1);
      case '.':
        return in_class_ ? copy(1) : replace(1, k_not_line_end);
      case '(':
        return in_class_ ? copy(1) : group();
      case '*':
      case '+':
      case '?':
      case '}':
        return in_class_ ? copy(1) : quantifier();
      default:
        return copy(1);
    }
  }

  void open_class() {
    in_class_ = true;
    copy(rest().starts_with("[^") ? 2 : 1);
  }

  void group() {
    if (rest().starts_with("(*")) {
      return refuse("nothing before * to repeat");
    }
    if (!rest().starts_with("(?")) {
      return copy(1);
    }
    for (const std::string_view opening : {"(?:", "(?=", "(?!", "(?<=", "(?<!"}) {
      if (rest().starts_with(opening)) {
        return copy(opening.size());
      }
    }
    const bool is_named = rest().starts_with("(?<");
    return is_named ? copy(3) : refuse("a group that ECMA-262 does not have");
  }

  // One that can be lazy, never possessive.
  void quantifier() {
    copy(1);
    if (rest().starts_with('?')) {
      copy(1);
    }
    if (rest().starts_with('+') || rest().starts_with('*') || rest().starts_with('?')) {
      refuse("nothing before it to repeat");
    }
  }

  void escape() {
    if (rest().size() < 2) {
      return refuse("a backslash with nothing behind it");
    }
    const char kind = text_[at_ + 1];
    const bool is_letter = (kind >= 'a' && kind <= 'z') || (kind >= 'A' && kind <= 'Z');
    if (!is_letter || k_shared_escapes.find(kind) != std::string_view::npos) {
      return copy(2);
    }
    switch (kind) {
      case 'v':
        return replace(2, "\\x0b");
      case 's':
        return in_class_ ? replace(2, k_space) : replace(2, fmt::format("[{}]", k_space));
      case 'S':
        return in_class_ ? refuse("\\S inside a class is not supported")
                         : replace(2, fmt::format("[^{}]", k_space));
      case 'p':
      case 'P':
        return property();
      default:
        return refuse(fmt::format("\\{} is no escape of ECMA-262", kind));
    }
  }

  // \p{Letter}, \p{General_Category=Letter}, \p{Script=Greek}, \p{Alphabetic}
  void property() {
    const auto end = rest().find('}');
    if (!rest().substr(2).starts_with('{') || end == std::string_view::npos) {
      return refuse("\\p without a name in braces");
    }
    std::string_view name = rest().substr(3, end - 3);
    std::string_view prefix;
    if (const auto equals = name.find('='); equals != std::string_view::npos) {
      const std::string_view kind = name.substr(0, equals);
      name = name.substr(equals + 1);
      if (kind == "Script" || kind == "sc") {
        prefix = "sc:";
      } else if (kind == "Script_Extensions" || kind == "scx") {
        prefix = "scx:";
      } else if (kind != "General_Category" && kind != "gc") {
        return refuse(fmt::format("\\p{{{}=…}} is not supported", one_line(kind, 30)));
      }
    }
    const auto is_named = [&](const auto& category) { return category.first == name; };
    const auto* category = std::find_if(k_categories.begin(), k_categories.end(), is_named);
    if (prefix.empty() && category != k_categories.end()) {
      name = category->second;
    }
    replace(end + 1, fmt::format("\\{}{{{}{}}}", text_[at_ + 1], prefix, name));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t mistake_at_ = 0;
  bool in_class_ = false;
  std::string out_;
  std::string problem_;
};

}  // namespace

Result<std::string> translate_ecma_pattern(std::string_view text) {
  return EcmaTranslator(text).translate();
}

}  // namespace batchllm

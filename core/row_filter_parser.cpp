// SPDX-License-Identifier: Apache-2.0
#include "core/row_filter_parser.h"

#include "core/error.h"
#include "core/json_text.h"
#include "core/row_filter_lexer.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace batchllm {
namespace {

using Kind = FilterToken::Kind;

constexpr std::size_t k_longest_expression = 65'536;
constexpr int k_deepest = 100;

struct NamedOperation {
  std::string_view name;
  FilterOperation operation;
  std::size_t arguments = 2;
};

constexpr std::array k_comparisons = {
    NamedOperation{"==", FilterOperation::equal},
    NamedOperation{"!=", FilterOperation::not_equal},
    NamedOperation{"<=", FilterOperation::less_or_equal},
    NamedOperation{">=", FilterOperation::greater_or_equal},
    NamedOperation{"<", FilterOperation::less},
    NamedOperation{">", FilterOperation::greater},
};

// Those that "not" may stand before.
constexpr std::array k_word_comparisons = {
    NamedOperation{"in", FilterOperation::in_list},
    NamedOperation{"contains", FilterOperation::contains},
    NamedOperation{"starts_with", FilterOperation::starts_with},
    NamedOperation{"ends_with", FilterOperation::ends_with},
    NamedOperation{"like", FilterOperation::like},
};

constexpr std::array k_functions = {
    NamedOperation{"len", FilterOperation::length, 1},
    NamedOperation{"lower", FilterOperation::lower, 1},
    NamedOperation{"upper", FilterOperation::upper, 1},
    NamedOperation{"trim", FilterOperation::trim, 1},
    NamedOperation{"number", FilterOperation::number, 1},
    NamedOperation{"default", FilterOperation::fallback, 2},
};

template <typename Table>
const NamedOperation* find_operation(const Table& table, std::string_view name) {
  const auto* found = std::find_if(table.begin(), table.end(), [&](const auto& entry) {
    return equals_ignoring_case(entry.name, name);
  });
  return found == table.end() ? nullptr : found;
}

FilterNode node_of(FilterOperation operation, FilterNode first) {
  FilterNode node;
  node.operation = operation;
  node.children.push_back(std::move(first));
  return node;
}

FilterNode constant_of(FilterValue value) {
  FilterNode node;
  node.constant = std::move(value);
  return node;
}

class RowFilterParser {
 public:
  RowFilterParser(std::string_view expression,
                  const TemplateNames& names,
                  std::string_view option,
                  std::vector<std::string>& columns)
      : names_(names),
        option_(option),
        columns_(columns),
        lexer_(expression, option),
        token_(lexer_.next()) {}

  FilterNode parse() {
    if (token_.kind == Kind::end) {
      throw Error(ErrorCode::usage,
                  fmt::format("{}: the expression is empty", option_),
                  fmt::format("write a condition, as in {} 'status == \"open\"'", option_));
    }
    FilterNode root = parse_or();
    if (token_.kind != Kind::end) {
      refuse_end();
    }
    return root;
  }

 private:
  // Counts how deep the expression is nested, so that no input can exhaust the stack.
  class Level {
   public:
    explicit Level(RowFilterParser& parser) : parser_(parser) {
      if (++parser_.depth_ > k_deepest) {
        parser_.lexer_.refuse(
            parser_.token_.begin, "the expression is nested too deeply", "simplify it");
      }
    }

    ~Level() { --parser_.depth_; }

    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    Level(Level&&) = delete;
    Level& operator=(Level&&) = delete;

   private:
    RowFilterParser& parser_;
  };

  bool at_word(std::string_view word) const {
    return token_.kind == Kind::word && equals_ignoring_case(token_.text, word);
  }

  bool at_symbol(std::string_view symbol) const {
    return token_.kind == Kind::symbol && token_.text == symbol;
  }

  void advance() { token_ = lexer_.next(); }

  bool take_symbol(std::string_view symbol) {
    const bool found = at_symbol(symbol);
    if (found) {
      advance();
    }
    return found;
  }

  bool take_word(std::string_view word) {
    const bool found = at_word(word);
    if (found) {
      advance();
    }
    return found;
  }

  FilterNode parse_or() {
    const Level level(*this);
    FilterNode first = parse_and();
    if (!at_word("or") && !at_symbol("||")) {
      return first;
    }
    FilterNode node = node_of(FilterOperation::any_of, std::move(first));
    while (take_word("or") || take_symbol("||")) {
      node.children.push_back(parse_and());
    }
    return node;
  }

  FilterNode parse_and() {
    FilterNode first = parse_not();
    if (!at_word("and") && !at_symbol("&&")) {
      return first;
    }
    FilterNode node = node_of(FilterOperation::all_of, std::move(first));
    while (take_word("and") || take_symbol("&&")) {
      node.children.push_back(parse_not());
    }
    return node;
  }

  FilterNode parse_not() {
    const Level level(*this);
    if (take_word("not") || take_symbol("!")) {
      return node_of(FilterOperation::negate, parse_not());
    }
    return parse_comparison();
  }

  FilterNode parse_comparison() {
    FilterNode node = parse_one_comparison(parse_operand());
    if (token_.kind == Kind::symbol && find_operation(k_comparisons, token_.text) != nullptr) {
      lexer_.refuse(token_.begin, "comparisons do not chain", "join two comparisons with and");
    }
    return node;
  }

  // `left` itself when nothing is compared with it.
  FilterNode parse_one_comparison(FilterNode left) {
    if (take_word("is")) {
      return parse_is_null(std::move(left));
    }
    if (token_.kind == Kind::word &&
        (at_word("not") || find_operation(k_word_comparisons, token_.text) != nullptr)) {
      return parse_word_comparison(std::move(left));
    }
    const auto* comparison =
        token_.kind == Kind::symbol ? find_operation(k_comparisons, token_.text) : nullptr;
    if (comparison == nullptr) {
      return left;
    }
    advance();
    FilterNode node = node_of(comparison->operation, std::move(left));
    node.children.push_back(parse_operand());
    return node;
  }

  FilterNode parse_is_null(FilterNode left) {
    const bool negated = take_word("not");
    if (!take_word("null")) {
      lexer_.refuse(token_.begin, "expected null after is", "for other values use ==");
    }
    FilterNode node = node_of(FilterOperation::is_null, std::move(left));
    return negated ? node_of(FilterOperation::negate, std::move(node)) : node;
  }

  FilterNode parse_word_comparison(FilterNode left) {
    const bool negated = take_word("not");
    const auto* comparison =
        token_.kind == Kind::word ? find_operation(k_word_comparisons, token_.text) : nullptr;
    if (comparison == nullptr) {
      lexer_.refuse(token_.begin,
                    "expected in, contains, starts_with, ends_with or like after not",
                    "to negate a comparison write not before it");
    }
    advance();
    FilterNode node = node_of(comparison->operation, std::move(left));
    if (comparison->operation == FilterOperation::in_list) {
      if (!take_symbol("(")) {
        lexer_.refuse(token_.begin, "expected ( after in", "as in lang in (\"de\", \"en\")");
      }
      parse_list(node);
    } else {
      node.children.push_back(parse_operand());
    }
    return negated ? node_of(FilterOperation::negate, std::move(node)) : node;
  }

  // Operands up to the closing parenthesis.
  void parse_list(FilterNode& node) {
    do {
      node.children.push_back(parse_operand());
    } while (take_symbol(","));
    close();
  }

  void close() {
    if (!take_symbol(")")) {
      lexer_.refuse(token_.begin, "expected )", "each ( needs a )");
    }
  }

  FilterNode parse_operand() {
    const Level level(*this);
    const FilterToken token = token_;
    advance();
    switch (token.kind) {
      case Kind::text:
        return constant_of(FilterValue::of_text(token.text));
      case Kind::number:
        return constant_of(FilterValue::of_number(token.text));
      case Kind::name:
        return column(token);
      case Kind::word:
        return parse_word(token);
      case Kind::symbol:
        if (token.text == "(") {
          FilterNode inside = parse_or();
          close();
          return inside;
        }
        break;
      case Kind::end:
        break;
    }
    lexer_.refuse(token.begin,
                  token.kind == Kind::end
                      ? std::string("the expression ends where a value is expected")
                      : fmt::format("expected a value before \"{}\"", token.text),
                  "a value is a column, a \"text\", a number, true, false, null or a function");
  }

  FilterNode parse_word(const FilterToken& token) {
    if (at_symbol("(")) {
      return parse_function(token);
    }
    if (equals_ignoring_case(token.text, "null")) {
      return constant_of({});
    }
    if (equals_ignoring_case(token.text, "true") || equals_ignoring_case(token.text, "false")) {
      return constant_of(FilterValue::of_truth(equals_ignoring_case(token.text, "true")));
    }
    constexpr std::array<std::string_view, 4> k_reserved = {"and", "or", "not", "is"};
    const auto is_token = [&](auto word) { return equals_ignoring_case(token.text, word); };
    if (std::any_of(k_reserved.begin(), k_reserved.end(), is_token) ||
        find_operation(k_word_comparisons, token.text) != nullptr) {
      lexer_.refuse(token.begin,
                    fmt::format("expected a value before \"{}\"", token.text),
                    fmt::format("a column of that name is written `{}`", token.text));
    }
    return column(token);
  }

  FilterNode parse_function(const FilterToken& token) {
    const auto* function = find_operation(k_functions, token.text);
    if (function == nullptr) {
      refuse_function(token);
    }
    advance();
    FilterNode node;
    node.operation = function->operation;
    const bool outside = std::exchange(
        unknown_allowed_, names_.open_ended && function->operation == FilterOperation::fallback);
    parse_list(node);
    unknown_allowed_ = outside;
    if (node.children.size() != function->arguments) {
      lexer_.refuse(token.begin,
                    fmt::format("{}() takes {}, not {}",
                                function->name,
                                count_noun(function->arguments, "value"),
                                node.children.size()),
                    function->arguments == 1
                        ? fmt::format("as in {}(text)", function->name)
                        : fmt::format("as in {}(text, \"none\")", function->name));
    }
    return node;
  }

  [[noreturn]] void refuse_function(const FilterToken& token) const {
    std::vector<std::string> known;
    known.reserve(k_functions.size());
    for (const auto& function : k_functions) {
      known.emplace_back(function.name);
    }
    const auto near = nearest_name(token.text, known);
    lexer_.refuse(token.begin,
                  fmt::format("{}() is not a function", token.text),
                  fmt::format("{}functions are: {}",
                              near ? fmt::format("did you mean {}()? ", *near) : std::string(),
                              name_list(known)));
  }

  FilterNode column(const FilterToken& token) {
    auto path = resolve_path(token.text, names_);
    if (!path && unknown_allowed_ && path_length(token.text) == token.text.size()) {
      const std::string_view head = path_head(token.text);
      path = NamePath{std::string(head), token.text.substr(head.size()), false};
    }
    if (!path) {
      refuse_column(token);
    }
    if (path->is_variable) {
      return variable(*path);
    }
    FilterNode node;
    node.operation = FilterOperation::column;
    node.inner = std::move(path->inner);
    const auto found = std::find(columns_.begin(), columns_.end(), path->name);
    node.column = static_cast<std::size_t>(found - columns_.begin());
    if (found == columns_.end()) {
      columns_.push_back(path->name);
    }
    return node;
  }

  FilterNode variable(const NamePath& path) const {
    const auto found = std::find_if(names_.variables.begin(),
                                    names_.variables.end(),
                                    [&](const auto& entry) { return entry.first == path.name; });
    if (path.inner.empty()) {
      return constant_of(FilterValue::of_text(found->second));
    }
    const auto inside = find_in_json(found->second, path.inner);
    if (!inside || inside->is_null) {
      return constant_of({});
    }
    return inside->is_json ? constant_of(FilterValue::of_cell(inside->text, CellKind::json))
                           : constant_of(FilterValue::of_text(inside->text));
  }

  [[noreturn]] void refuse_column(const FilterToken& token) const {
    std::string hint = missing_column_hint(token.text, names_, "", "");
    if (token.kind == Kind::word && !nearest_path(token.text, names_)) {
      hint += fmt::format("; the text is written \"{}\"", one_line(token.text, 60));
    }
    throw Error(ErrorCode::column_missing,
                fmt::format("{}: {} names no column{}\n{}",
                            option_,
                            one_line(token.text, 60),
                            names_.open_ended ? " of the first rows" : " of the input",
                            lexer_.marked(token.begin)),
                std::move(hint))
        .with_detail("column", one_line(token.text, 100));
  }

  [[noreturn]] void refuse_end() const {
    if (token_.kind == Kind::word && equals_ignoring_case(token_.text, "matches")) {
      lexer_.refuse(
          token_.begin, "there are no regular expressions here", "use like, with * and ?");
    }
    lexer_.refuse(
        token_.begin,
        "expected and, or or the end",
        "comparisons are: == != < <= > >= in contains starts_with ends_with like is null");
  }

  const TemplateNames& names_;
  std::string_view option_;
  std::vector<std::string>& columns_;
  FilterLexer lexer_;
  FilterToken token_;
  int depth_ = 0;
  bool unknown_allowed_ = false;
};

}  // namespace

FilterNode parse_row_filter(std::string_view expression,
                            const TemplateNames& names,
                            std::string_view option,
                            std::vector<std::string>& columns) {
  if (expression.size() > k_longest_expression) {
    throw Error(
        ErrorCode::usage,
        fmt::format(
            "{}: the expression is longer than {}", option, bytes_text(k_longest_expression)),
        "select the rows with another tool before");
  }
  if (!is_utf8(expression)) {
    throw Error(ErrorCode::usage, fmt::format("{}: the expression is not UTF-8 text", option));
  }
  return RowFilterParser(expression, names, option, columns).parse();
}

}  // namespace batchllm

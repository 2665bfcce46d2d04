// SPDX-License-Identifier: Apache-2.0
#include "core/prompt_template.h"

#include "core/error.h"
#include "core/json_text.h"
#include "core/placeholder.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

namespace batchllm {
namespace {

// Follows `inner` into the value's JSON; what is not there is missing.
void reach_into(TemplateValue& value, const std::string& inner, std::string& storage) {
  auto found = find_in_json(value.text, inner);
  if (!found || found->is_null) {
    value = TemplateValue{{}, CellKind::text, true};
    return;
  }
  storage = std::move(found->text);
  value = TemplateValue{storage, found->is_json ? CellKind::json : CellKind::text, false};
}

std::size_t add_once(std::vector<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) {
    return static_cast<std::size_t>(found - names.begin());
  }
  names.push_back(name);
  return names.size() - 1;
}

}  // namespace

// Builds the parts of a template from its text, left to right.
class TemplateCompiler {
 public:
  TemplateCompiler(std::string_view text, const TemplateNames& names, const TemplateOrigin& origin)
      : text_(text),
        names_(names),
        origin_(origin) {}

  PromptTemplate compile() {
    while (at_ < text_.size()) {
      const auto brace = text_.find_first_of("{}", at_);
      take_literal(std::min(brace, text_.size()) - at_);
      if (at_ < text_.size()) {
        take_brace();
      }
    }
    finish_part({});
    return std::move(result_);
  }

 private:
  void take_literal(std::size_t bytes) {
    result_.literals_ += text_.substr(at_, bytes);
    at_ += bytes;
  }

  void take_brace() {
    const std::string_view rest = text_.substr(at_);
    if (rest.front() == '}') {
      // A brace that closes a literal one stays, so that `}}` at the end of nested JSON is not cut.
      const bool closes = open_literals_ != 0;
      open_literals_ -= closes ? 1 : 0;
      take_literal(1);
      at_ += !closes && rest.starts_with("}}") ? 1 : 0;
      return;
    }
    if (rest.starts_with("{{")) {
      warn_of_escaped_name(rest.substr(2));
      take_literal(1);
      ++at_;
      return;
    }
    if (auto placeholder = parse_placeholder(rest, names_, [this] { return place(); })) {
      at_ += placeholder->length;
      add_value(std::move(*placeholder));
      return;
    }
    ++open_literals_;
    take_literal(1);
  }

  void add_value(Placeholder placeholder) {
    if (!placeholder.path.is_variable) {
      PromptTemplate::Part part;
      part.column = add_once(result_.columns_, placeholder.path.name);
      part.inner = std::move(placeholder.path.inner);
      part.filters = std::move(placeholder.filters);
      finish_part(std::move(part));
      return;
    }
    // The value of a variable is the same in every row: it becomes literal text.
    add_once(result_.variables_, placeholder.path.name);
    const auto variable =
        std::find_if(names_.variables.begin(), names_.variables.end(), [&](const auto& entry) {
          return entry.first == placeholder.path.name;
        });
    std::string found;
    std::array<std::string, 2> buffers;
    TemplateValue value{variable->second, CellKind::text, false};
    if (!placeholder.path.inner.empty()) {
      reach_into(value, placeholder.path.inner, found);
    }
    apply_filters(placeholder.filters, value, buffers);
    result_.literals_ += value.text;
  }

  void finish_part(PromptTemplate::Part part) {
    part.literal_begin = result_.parts_.empty() ? 0 : result_.parts_.back().literal_end;
    part.literal_end = result_.literals_.size();
    result_.parts_.push_back(std::move(part));
  }

  void warn_of_escaped_name(std::string_view behind) {
    const std::string_view inside = behind.substr(0, behind.find("}}"));
    if (inside.size() == behind.size()) {
      return;
    }
    const std::string_view name = trim(inside);
    if (resolve_path(name, names_)) {
      const std::string shown = one_line(name, 60);
      result_.warnings_.push_back(
          fmt::format("{0}: {{{{{1}}}}} is the literal text {{{1}}}; for the value write {{{1}}}",
                      place(),
                      shown));
    }
  }

  // "ask.txt:3:14" for the current position, columns in characters.
  std::string place() const {
    const std::string_view before = text_.substr(0, at_);
    const auto lines = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
    const auto line_start = lines == 0 ? 0 : before.rfind('\n') + 1;
    const std::size_t first_column = lines == 0 ? origin_.column : 1;
    return fmt::format("{}:{}:{}",
                       origin_.name,
                       origin_.line + lines,
                       first_column + character_count(before.substr(line_start)));
  }

  std::string_view text_;
  const TemplateNames& names_;
  const TemplateOrigin& origin_;
  std::size_t at_ = 0;
  std::size_t open_literals_ = 0;  // braces taken as text that are not closed yet
  PromptTemplate result_;
};

PromptTemplate PromptTemplate::compile(std::string_view text,
                                       const TemplateNames& names,
                                       const TemplateOrigin& origin) {
  check_variables(names);
  if (!is_utf8(text)) {
    throw Error(ErrorCode::template_invalid,
                fmt::format("{}: the template is not UTF-8 text", origin.name),
                "save it as UTF-8");
  }
  return TemplateCompiler(text, names, origin).compile();
}

void PromptTemplate::bind(const std::vector<std::string>& selected) {
  for (auto& part : parts_) {
    if (part.column == k_no_column) {
      continue;
    }
    const auto found = std::find(selected.begin(), selected.end(), columns_[part.column]);
    if (found == selected.end()) {
      throw Error(ErrorCode::internal,
                  fmt::format("column {} of the prompt was not selected", columns_[part.column]));
    }
    part.cell = static_cast<std::size_t>(found - selected.begin());
  }
}

void PromptTemplate::render(const RowBatch& batch, std::size_t row, std::string& out) const {
  const std::span<const std::string_view> cells = batch.row_cells(row);
  for (const auto& part : parts_) {
    out.append(literals_, part.literal_begin, part.literal_end - part.literal_begin);
    if (part.column == k_no_column) {
      continue;
    }
    const std::string_view cell = cells[part.cell];
    if (part.inner.empty() && part.filters.empty()) {
      out.append(cell);
      continue;
    }
    append_special(
        part, TemplateValue{cell, batch.cell_kind(row, part.cell), cell.data() == nullptr}, out);
  }
}

void PromptTemplate::append_special(const Part& part, TemplateValue value, std::string& out) {
  std::string found;
  std::array<std::string, 2> buffers;
  if (!part.inner.empty() && !value.missing) {
    reach_into(value, part.inner, found);
  }
  apply_filters(part.filters, value, buffers);
  out.append(value.text);
}

}  // namespace batchllm

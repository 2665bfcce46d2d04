// SPDX-License-Identifier: Apache-2.0
#include "daemon/api/docs_text.h"

#include "core/text.h"

#include <fmt/format.h>

#include <vector>

namespace batchllm::daemon {
namespace {

constexpr std::string_view k_code_indent = "    ";

bool is_code(std::string_view line) {
  return line.starts_with(k_code_indent);
}

bool is_table_row(std::string_view line) {
  return line.starts_with('|');
}

bool is_paragraph(std::string_view line) {
  return !line.empty() && !is_code(line) && !is_table_row(line);
}

void append_table_row(std::string& html, std::string_view line, std::string_view element) {
  html += "<tr>";
  const auto cells = split(line, '|');  // "| a | b |": nothing before the first and behind the last
  for (std::size_t i = 1; i + 1 < cells.size(); ++i) {
    html += fmt::format("<{0}>{1}</{0}>", element, markdown_line_html(trim(cells[i])));
  }
  html += "</tr>\n";
}

using Lines = std::vector<std::string>;

std::string table_html(const Lines& rows) {
  std::string html = "<div class=\"wide\"><table>\n";
  append_table_row(html, rows.front(), "th");
  for (std::size_t i = 2; i < rows.size(); ++i) {  // the second row is the line below the heading
    append_table_row(html, rows[i], "td");
  }
  return html + "</table></div>\n";
}

std::string code_html(const Lines& lines) {
  std::string html = "<pre><code>";
  for (const std::string& line : lines) {
    html += escape_html(std::string_view(line).substr(k_code_indent.size())) + "\n";
  }
  html.pop_back();
  return html + "</code></pre>\n";
}

std::string paragraph_html(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) {
    text += (text.empty() ? "" : " ") + line;
  }
  return "<p>" + markdown_line_html(text) + "</p>\n";
}

// Where the mark that opens at `at` is closed; npos when it is not.
std::size_t closing(std::string_view text, std::size_t at, std::string_view mark) {
  return text.substr(at).starts_with(mark) ? text.find(mark, at + mark.size())
                                           : std::string_view::npos;
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string html;
  html.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

std::string markdown_line_html(std::string_view text) {
  std::string html;
  std::size_t at = 0;
  std::size_t plain = 0;  // start of what is not yet written
  const auto take = [&](std::size_t end, std::string_view mark, std::string_view element) {
    const auto inside = text.substr(at + mark.size(), end - at - mark.size());
    html += escape_html(text.substr(plain, at - plain));
    html += fmt::format(
        "<{0}>{1}</{0}>", element, mark == "`" ? escape_html(inside) : markdown_line_html(inside));
    at = plain = end + mark.size();
  };
  while (at < text.size()) {
    if (const auto end = closing(text, at, "`"); end != std::string_view::npos) {
      take(end, "`", "code");
    } else if (const auto bold = closing(text, at, "**"); bold != std::string_view::npos) {
      take(bold, "**", "strong");
    } else {
      ++at;
    }
  }
  return html + escape_html(text.substr(plain));
}

std::string markdown_html(std::string_view text) {
  const Lines lines = split(text, '\n');
  std::string html;
  std::size_t at = 0;
  const auto block = [&](bool (*belongs)(std::string_view), std::string (*render)(const Lines&)) {
    Lines taken;
    while (at < lines.size() && belongs(lines[at])) {
      taken.push_back(lines[at++]);
    }
    html += render(taken);
  };
  while (at < lines.size()) {
    if (is_code(lines[at])) {
      block(is_code, code_html);
    } else if (is_table_row(lines[at])) {
      block(is_table_row, table_html);
    } else if (is_paragraph(lines[at])) {
      block(is_paragraph, paragraph_html);
    } else {
      ++at;
    }
  }
  return html;
}

std::string shell_word(std::string_view text) {
  std::string word = "'";
  for (const char c : text) {
    word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return word + "'";
}

}  // namespace batchllm::daemon

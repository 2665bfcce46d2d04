// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace batchllm::daemon {

// Text as HTML, for elements and for attributes in double quotes.
std::string escape_html(std::string_view text);

// The part of Markdown that the contract's descriptions use, as HTML with everything else escaped:
// paragraphs, blocks indented by four spaces, tables, `code` and **bold**.
std::string markdown_html(std::string_view text);

// `code` and **bold** only, for one line.
std::string markdown_line_html(std::string_view text);

// `text` as one word of a POSIX shell, in single quotes.
std::string shell_word(std::string_view text);

}  // namespace batchllm::daemon

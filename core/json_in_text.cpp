// SPDX-License-Identifier: Apache-2.0
#include "core/json_in_text.h"

#include "core/json_text.h"
#include "core/text.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>

namespace batchllm {
namespace {

constexpr std::string_view k_advice =
    "Answer with one JSON value only: no other text, no code block around it.";

struct Fence {
  char mark = 0;
  std::size_t length = 0;
  std::string_view words;  // behind the marks
};

// A line of at least three ` or ~; with ` among the words behind it, it is code within a line.
std::optional<Fence> fence_of(std::string_view line) {
  line = trim(line);
  if (!line.starts_with("```") && !line.starts_with("~~~")) {
    return std::nullopt;
  }
  Fence fence;
  fence.mark = line.front();
  fence.length = std::min(line.find_first_not_of(fence.mark), line.size());
  fence.words = trim(line.substr(fence.length));
  const bool is_inline = fence.mark == '`' && fence.words.find('`') != std::string_view::npos;
  return is_inline ? std::nullopt : std::optional(fence);
}

// Where the bracket at `start` is closed: behind its partner, or npos. What kind the brackets are
// does not matter here, is_json looks at that.
std::size_t balanced_end(std::string_view text, std::size_t start) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = start; i < text.size(); ++i) {
    const char byte = text[i];
    if (in_string) {
      i += byte == '\\' ? 1 : 0;
      in_string = byte != '"';
    } else if (byte == '"') {
      in_string = true;
    } else if (byte == '{' || byte == '[') {
      ++depth;
    } else if ((byte == '}' || byte == ']') && --depth == 0) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
  const auto before = text.substr(0, begin).find_last_not_of(" \t");
  const auto behind = text.find_first_not_of(" \t\r", end);
  return (before == std::string_view::npos || text[before] == '\n') &&
         (behind == std::string_view::npos || text[behind] == '\n');
}

// Looks through text that has no code blocks.
class ProseScan {
 public:
  void look_at(std::string_view text) {
    std::size_t at = 0;
    while ((at = text.find_first_of("{[", at)) != std::string_view::npos && !is_broken_off_) {
      const auto end = balanced_end(text, at);
      if (end == std::string_view::npos) {
        ++at;
        judge_open(text, at - 1);
        continue;
      }
      judge(text, at, end);
      at = end;
    }
  }

  Judged<std::string_view> result() const {
    if (is_broken_) {
      return AnswerMistake{"the last JSON in the answer is broken or cut off",
                           std::string(k_advice)};
    }
    if (strong_) {
      return *strong_;
    }
    if (weak_) {
      return *weak_;
    }
    return AnswerMistake{"the answer has no JSON in it", std::string(k_advice)};
  }

 private:
  void judge(std::string_view text, std::size_t begin, std::size_t end) {
    const std::string_view value = text.substr(begin, end - begin);
    const bool has_parts = value.find_first_of("{[\"", 1) != std::string_view::npos;
    const bool is_object = value.front() == '{';
    if (is_json(value)) {
      if (is_object || has_parts) {
        strong_ = value;
        is_broken_ = false;
      } else if (stands_alone(text, begin, end)) {
        weak_ = value;
      }
    } else if (is_object ? value.find_first_of(":\"") != std::string_view::npos
                         : begins_like_json(value)) {
      is_broken_ = true;
    }
  }

  // A bracket that is never closed. What follows it may be inside of it: none of it is taken.
  void judge_open(std::string_view text, std::size_t at) {
    if (text[at] == '{' || begins_like_json(text.substr(at)) || ++open_brackets_ > k_most_open) {
      is_broken_ = true;
      is_broken_off_ = true;
    }
  }

  // "[ {", unlike "[1]" and "[see below]"
  static bool begins_like_json(std::string_view array) {
    const auto inside = array.find_first_not_of(" \t\r\n", 1);
    return inside == std::string_view::npos ||
           std::string_view("{[\"").find(array[inside]) != std::string_view::npos;
  }

  // Each of them costs a walk to the end.
  static constexpr int k_most_open = 50;

  std::optional<std::string_view> strong_;
  std::optional<std::string_view> weak_;
  bool is_broken_ = false;
  bool is_broken_off_ = false;
  int open_brackets_ = 0;
};

bool means_to_be_json(const CodeBlock& block) {
  const std::string_view content = trim(block.content);
  const bool begins_so = content.starts_with('{') || content.starts_with('[');
  return lowercase(block.language).starts_with("json") || (block.language.empty() && begins_so) ||
         (begins_so && is_json(content));
}

}  // namespace

std::vector<CodeBlock> find_code_blocks(std::string_view text) {
  std::vector<CodeBlock> blocks;
  std::optional<Fence> open;
  std::size_t content = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t line_end = std::min(text.find('\n', at), text.size());
    const std::size_t next = std::min(line_end + 1, text.size());
    const auto fence = fence_of(text.substr(at, line_end - at));
    if (!open && fence) {
      open = fence;
      content = next;
      const std::string_view language = fence->words.substr(0, fence->words.find_first_of(" \t{"));
      blocks.push_back({language, text.substr(next), at, text.size(), false});
    } else if (open && fence && fence->mark == open->mark && fence->length >= open->length &&
               fence->words.empty()) {
      std::string_view inside = text.substr(content, at - content);
      if (inside.ends_with('\n')) {
        inside.remove_suffix(1);
      }
      if (inside.ends_with('\r')) {
        inside.remove_suffix(1);
      }
      blocks.back().content = inside;
      blocks.back().end = next;
      blocks.back().is_closed = true;
      open.reset();
    }
    at = next;
  }
  return blocks;
}

Judged<std::string_view> find_json(std::string_view text) {
  const std::string_view whole = trim(text);
  if (whole.empty()) {
    return AnswerMistake{"the answer is empty", std::string(k_advice)};
  }
  if (is_json(whole)) {
    return whole;
  }
  const auto blocks = find_code_blocks(text);
  const auto block = std::find_if(blocks.rbegin(), blocks.rend(), means_to_be_json);
  if (block != blocks.rend()) {
    const std::string_view content = trim(block->content);
    if (is_json(content)) {
      return content;
    }
    return AnswerMistake{block->is_closed ? "the last code block of the answer is no JSON"
                                          : "the last code block of the answer is cut off",
                         std::string(k_advice)};
  }
  ProseScan scan;
  std::size_t at = 0;
  for (const CodeBlock& other : blocks) {
    scan.look_at(text.substr(at, other.begin - at));
    at = other.end;
  }
  scan.look_at(text.substr(at));
  return scan.result();
}

}  // namespace batchllm

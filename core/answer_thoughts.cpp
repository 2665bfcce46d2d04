// SPDX-License-Identifier: Apache-2.0
#include "core/answer_thoughts.h"

#include "core/text.h"

#include <array>
#include <cstddef>

namespace batchllm {
namespace {

struct Tag {
  std::string_view opening;
  std::string_view closing;
};

constexpr std::array<Tag, 2> k_tags = {
    Tag{"<think>", "</think>"},
    Tag{"<thinking>", "</thinking>"},
};

bool is_blank(char byte) noexcept {
  return byte == ' ' || byte == '\t' || byte == '\r';
}

// Nothing but blanks before `at` in its line.
bool begins_line(std::string_view text, std::size_t at) noexcept {
  while (at > 0 && is_blank(text[at - 1])) {
    --at;
  }
  return at == 0 || text[at - 1] == '\n';
}

bool ends_line(std::string_view text, std::size_t at) noexcept {
  while (at < text.size() && is_blank(text[at])) {
    ++at;
  }
  return at == text.size() || text[at] == '\n';
}

struct Found {
  std::size_t at = 0;
  const Tag* tag = nullptr;
};

// The first opening tag that begins a line. All of them begin alike, which keeps this to one walk.
Found find_opening(std::string_view text) {
  for (std::size_t at = text.find("<think"); at != std::string_view::npos;
       at = text.find("<think", at + 1)) {
    for (const Tag& tag : k_tags) {
      if (text.substr(at).starts_with(tag.opening) && begins_line(text, at)) {
        return {at, &tag};
      }
    }
  }
  return {};
}

// The last closing tag that ends a line: what stands before it was thought.
Found find_stray_closing(std::string_view text) {
  for (std::size_t at = text.rfind("</think"); at != std::string_view::npos;
       at = at == 0 ? std::string_view::npos : text.rfind("</think", at - 1)) {
    for (const Tag& tag : k_tags) {
      if (text.substr(at).starts_with(tag.closing) && ends_line(text, at + tag.closing.size())) {
        return {at, &tag};
      }
    }
  }
  return {};
}

void add_thoughts(std::string& thoughts, std::string_view block) {
  block = trim(block);
  if (!block.empty()) {
    thoughts += thoughts.empty() ? "" : "\n\n";
    thoughts += block;
  }
}

}  // namespace

AnswerParts split_thoughts(std::string_view text) {
  AnswerParts parts;
  bool has_thoughts = false;
  bool is_first = true;  // nothing but blanks came before
  std::string rest;
  while (!text.empty()) {
    const Found opening = find_opening(text);
    if (opening.tag == nullptr) {
      break;
    }
    const std::string_view inside = text.substr(opening.at + opening.tag->opening.size());
    const auto end = inside.find(opening.tag->closing);
    const bool is_cut_off = end == std::string_view::npos;
    is_first = is_first && trim(text.substr(0, opening.at)).empty();
    if (is_cut_off && !is_first) {
      break;
    }
    has_thoughts = true;
    rest += text.substr(0, opening.at);
    add_thoughts(parts.thoughts, inside.substr(0, end));
    text = is_cut_off ? std::string_view{} : inside.substr(end + opening.tag->closing.size());
  }
  rest += text;
  if (const Found closing = find_stray_closing(rest); closing.tag != nullptr) {
    has_thoughts = true;
    add_thoughts(parts.thoughts, std::string_view(rest).substr(0, closing.at));
    rest.erase(0, closing.at + closing.tag->closing.size());
  }
  parts.answer = has_thoughts ? std::string(trim(rest)) : rest;
  return parts;
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "core/pattern.h"

#include "core/ecma_pattern.h"
#include "core/text.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace batchllm {
namespace {

constexpr std::size_t k_longest_pattern = 16'384;
// About 10 ms of backtracking; what a pattern for an answer needs is far below.
constexpr std::uint32_t k_match_steps = 1'000'000;
constexpr std::uint32_t k_backtrack_depth = 100'000;
constexpr std::uint32_t k_heap_kib = 8 * 1024;

struct FreeCompileContext {
  void operator()(pcre2_compile_context* context) const noexcept {
    pcre2_compile_context_free(context);
  }
};

// What a search needs besides the expression: its limits, and room for the whole match and the
// first group. One a thread, for all expressions. The just-in-time compiler is left alone: it wants
// memory that is both written and run, which hardened services forbid.
class MatchRoom {
 public:
  MatchRoom() noexcept
      : context_(pcre2_match_context_create(nullptr)),
        data_(pcre2_match_data_create(2, nullptr)) {
    if (context_ != nullptr) {
      pcre2_set_match_limit(context_, k_match_steps);
      pcre2_set_depth_limit(context_, k_backtrack_depth);
      pcre2_set_heap_limit(context_, k_heap_kib);
    }
  }

  ~MatchRoom() {
    pcre2_match_data_free(data_);
    pcre2_match_context_free(context_);
  }

  MatchRoom(const MatchRoom&) = delete;
  MatchRoom& operator=(const MatchRoom&) = delete;
  MatchRoom(MatchRoom&&) = delete;
  MatchRoom& operator=(MatchRoom&&) = delete;

  bool is_usable() const noexcept { return context_ != nullptr && data_ != nullptr; }

  pcre2_match_context* context() const noexcept { return context_; }

  pcre2_match_data* data() const noexcept { return data_; }

 private:
  pcre2_match_context* context_;
  pcre2_match_data* data_;
};

std::string problem_text(int code) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

}  // namespace

void Pattern::FreeCode::operator()(void* code) const noexcept {
  pcre2_code_free(static_cast<pcre2_code*>(code));
}

Pattern::Pattern(void* code, std::string_view text) : code_(code), text_(text) {
  std::uint32_t groups = 0;
  pcre2_pattern_info(static_cast<pcre2_code*>(code), PCRE2_INFO_CAPTURECOUNT, &groups);
  has_groups_ = groups > 0;
}

Result<Pattern> Pattern::compile(std::string_view text, PatternDialect dialect) {
  if (text.size() > k_longest_pattern) {
    return Failure{fmt::format("longer than {} bytes", k_longest_pattern)};
  }
  if (!is_utf8(text)) {
    return Failure{"not well-formed UTF-8"};
  }
  std::string source(text);
  std::uint32_t options = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C;
  if (dialect == PatternDialect::ecma) {
    auto translated = translate_ecma_pattern(text);
    if (!translated) {
      return Failure{translated.error().message};
    }
    source = *std::move(translated);
    options |=
        PCRE2_ALT_BSUX | PCRE2_ALLOW_EMPTY_CLASS | PCRE2_MATCH_UNSET_BACKREF | PCRE2_DOLLAR_ENDONLY;
  }
  const std::unique_ptr<pcre2_compile_context, FreeCompileContext> context(
      pcre2_compile_context_create(nullptr));
  if (context != nullptr) {
    pcre2_set_parens_nest_limit(context.get(), 100);
    if (dialect == PatternDialect::ecma) {
      pcre2_set_compile_extra_options(context.get(), PCRE2_EXTRA_ALT_BSUX);
    }
  }
  int problem = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(source.data()),
                                   source.size(),
                                   options,
                                   &problem,
                                   &offset,
                                   context.get());
  if (code == nullptr) {
    // A translation has other places than what was written.
    if (dialect == PatternDialect::ecma) {
      return Failure{problem_text(problem)};
    }
    const std::string_view before = std::string_view(source).substr(0, offset);
    return Failure{
        fmt::format("character {}: {}", character_count(before) + 1, problem_text(problem))};
  }
  return Pattern(code, text);
}

Pattern::Match Pattern::find(std::string_view text) const noexcept {
  thread_local const MatchRoom room;
  if (!room.is_usable()) {
    return {Verdict::undecided, {}, {}};
  }
  // A null pointer means no text to PCRE2, not an empty one.
  const char* bytes = text.data() == nullptr ? "" : text.data();
  const int result = pcre2_match(static_cast<const pcre2_code*>(code_.get()),
                                 reinterpret_cast<PCRE2_SPTR>(bytes),
                                 text.size(),
                                 0,
                                 0,
                                 room.data(),
                                 room.context());
  if (result == PCRE2_ERROR_NOMATCH) {
    return {Verdict::no_match, {}, {}};
  }
  if (result < 0) {
    return {Verdict::undecided, {}, {}};
  }
  const PCRE2_SIZE* places = pcre2_get_ovector_pointer(room.data());
  // \K inside a lookahead can put a match's start behind its end.
  const auto part = [&](std::size_t number) {
    const std::size_t start = places[2 * number];
    const std::size_t end = places[2 * number + 1];
    return start <= end ? std::string_view(bytes + start, end - start) : std::string_view(bytes, 0);
  };
  Match match{Verdict::match, part(0), {}};
  const bool has_first_group = (result == 0 || result > 1) && places[2] != PCRE2_UNSET;
  if (has_groups_ && has_first_group) {
    match.first_group = part(1);
  }
  return match;
}

}  // namespace batchllm

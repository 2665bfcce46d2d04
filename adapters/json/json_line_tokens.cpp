// SPDX-License-Identifier: Apache-2.0
#include "adapters/json/json_line_tokens.h"

#include <simdjson.h>

#include <limits>
#include <new>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace batchllm::json {
namespace {

constexpr std::size_t k_block = 64;

std::uint32_t* find_backslashes_scalar(std::string_view text, std::uint32_t* out) noexcept {
  for (std::size_t at = 0; at < text.size(); ++at) {
    *out = static_cast<std::uint32_t>(at);
    out += text[at] == '\\' ? 1 : 0;
  }
  return out;
}

#if defined(__x86_64__)
// Reads up to 63 bytes behind the text.
__attribute__((target("avx2,bmi"))) std::uint32_t* find_backslashes_avx2(
    std::string_view text, std::uint32_t* out) noexcept {
  const __m256i backslash = _mm256_set1_epi8('\\');
  for (std::size_t at = 0; at < text.size(); at += k_block) {
    const auto* source = reinterpret_cast<const __m256i*>(text.data() + at);
    const __m256i low = _mm256_cmpeq_epi8(_mm256_loadu_si256(source), backslash);
    const __m256i high = _mm256_cmpeq_epi8(_mm256_loadu_si256(source + 1), backslash);
    std::uint64_t found =
        static_cast<std::uint32_t>(_mm256_movemask_epi8(low)) |
        static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm256_movemask_epi8(high))) << 32U;
    if (text.size() - at < k_block) {
      found &= (std::uint64_t{1} << (text.size() - at)) - 1;
    }
    for (; found != 0; found &= found - 1) {
      *out++ = static_cast<std::uint32_t>(at) + static_cast<std::uint32_t>(__builtin_ctzll(found));
    }
  }
  return out;
}

std::uint32_t* find_backslashes(std::string_view text, std::uint32_t* out) noexcept {
  static const bool has_avx2 =
      __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("bmi") != 0;
  return has_avx2 ? find_backslashes_avx2(text, out) : find_backslashes_scalar(text, out);
}
#else

std::uint32_t* find_backslashes(std::string_view text, std::uint32_t* out) noexcept {
  return find_backslashes_scalar(text, out);
}
#endif

}  // namespace

struct LineTokens::Tokenizer {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
};

LineTokens::LineTokens()
    : tokenizer_(std::make_unique<Tokenizer>()),
      backslashes_(std::make_unique_for_overwrite<std::uint32_t[]>(k_most_bytes + 1)) {
  constexpr std::size_t k_depth = 1;  // for the parser's second stage, which is not used
  if (simdjson::get_active_implementation()->create_dom_parser_implementation(
          k_most_bytes, k_depth, tokenizer_->parser) != simdjson::SUCCESS) {
    throw std::bad_alloc();
  }
}

LineTokens::~LineTokens() = default;

bool LineTokens::find(std::string_view lines) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(lines.data());
  if (tokenizer_->parser->stage1(bytes, lines.size(), simdjson::stage1_mode::regular) !=
      simdjson::SUCCESS) {
    return false;
  }
  *find_backslashes(lines, backslashes_.get()) = std::numeric_limits<std::uint32_t>::max();
  return true;
}

const std::uint32_t* LineTokens::tokens() const noexcept {
  return tokenizer_->parser->structural_indexes.get();
}

}  // namespace batchllm::json

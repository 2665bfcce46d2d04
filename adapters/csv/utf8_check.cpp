// SPDX-License-Identifier: Apache-2.0
#include "adapters/csv/utf8_check.h"

#include "core/text.h"

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))

#include <immintrin.h>

#define BATCHLLM_AVX2 __attribute__((target("avx2")))

namespace batchllm {
namespace {

constexpr std::size_t k_chunk_bytes = 64;

BATCHLLM_AVX2 inline __m256i repeated(unsigned char byte) {
  return _mm256_set1_epi8(static_cast<char>(byte));
}

BATCHLLM_AVX2 inline __m256i load(const char* bytes) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
}

// The highest bit of each of 64 bytes.
BATCHLLM_AVX2 inline std::uint64_t high_bits(__m256i low, __m256i high) {
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(low)) |
         std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(high))} << 32;
}

// The smallest difference between a byte of `a` or `b` and `byte`, kept in `least`: zero when it
// occurs.
BATCHLLM_AVX2 inline __m256i note(__m256i least, __m256i a, __m256i b, unsigned char byte) {
  const __m256i wanted = repeated(byte);
  return _mm256_min_epu8(least,
                         _mm256_min_epu8(_mm256_xor_si256(a, wanted), _mm256_xor_si256(b, wanted)));
}

BATCHLLM_AVX2 inline bool has_zero(__m256i bytes) {
  return _mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_setzero_si256())) != 0;
}

// True only for well-formed text, but not for all of it. Without branches, and therefore fast: it
// looks at whether lead bytes and continuation bytes alternate as they must, which decides the
// matter unless there is a byte whose successor is restricted further (E0, ED, F0 to F4) or which
// never occurs. The text may end within a character.
BATCHLLM_AVX2 bool is_simple_utf8(const char* text, std::size_t chunks) {
  __m256i greatest = _mm256_setzero_si256();
  __m256i least = repeated(0xFF);
  std::uint64_t wrong = 0;
  std::uint64_t lead_before = 0;   // bit 0: the last byte began a character
  std::uint64_t lead3_before = 0;  // bits 0, 1: the last but one, the last began one of three bytes
  for (const char* const end = text + chunks * k_chunk_bytes; text != end; text += k_chunk_bytes) {
    const __m256i a = load(text);
    const __m256i b = load(text + 32);
    // As signed numbers, continuation bytes are the smallest ones.
    const __m256i past_continuations = repeated(0xC0);
    const std::uint64_t continuations = high_bits(_mm256_cmpgt_epi8(past_continuations, a),
                                                  _mm256_cmpgt_epi8(past_continuations, b));
    const std::uint64_t leads = high_bits(a, b) & ~continuations;
    const __m256i below_e0 = repeated(0xE0 - 0x80);
    const std::uint64_t leads3 =
        high_bits(_mm256_subs_epu8(a, below_e0), _mm256_subs_epu8(b, below_e0));
    wrong |= continuations ^ ((leads << 1) | lead_before | (leads3 << 2) | lead3_before);
    lead_before = leads >> 63;
    lead3_before = leads3 >> 62;
    greatest = _mm256_max_epu8(greatest, _mm256_max_epu8(a, b));
    least = note(least, a, b, 0xE0);
    least = note(least, a, b, 0xED);
    const __m256i one = repeated(1);
    least = note(least, _mm256_or_si256(a, one), _mm256_or_si256(b, one), 0xC1);
  }
  const __m256i four_byte_leads = _mm256_subs_epu8(greatest, repeated(0xF0 - 0x80));
  return wrong == 0 && !has_zero(least) && _mm256_movemask_epi8(four_byte_leads) == 0;
}

}  // namespace

bool is_utf8_block(std::string_view text) noexcept {
  const std::size_t chunks = text.size() / k_chunk_bytes;
  if (chunks == 0 || __builtin_cpu_supports("avx2") == 0 || !is_simple_utf8(text.data(), chunks)) {
    return is_utf8(text);
  }
  // What is left begins with the character that the last chunk may cut in two.
  std::size_t rest = chunks * k_chunk_bytes;
  for (std::size_t back = 1; back <= 2; ++back) {
    if (static_cast<unsigned char>(text[chunks * k_chunk_bytes - back]) >= 0xC0) {
      rest = chunks * k_chunk_bytes - back;
    }
  }
  return is_utf8(text.substr(rest));
}

}  // namespace batchllm

#else

namespace batchllm {

bool is_utf8_block(std::string_view text) noexcept {
  return is_utf8(text);
}

}  // namespace batchllm

#endif

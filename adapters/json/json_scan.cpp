// SPDX-License-Identifier: Apache-2.0
#include "adapters/json/json_scan.h"

#include <array>
#include <cstring>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace batchllm::json {

std::optional<std::size_t> scan_brackets_scalar(std::string_view bytes,
                                                BracketScan& scan) noexcept {
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const char byte = bytes[at];
    scan.newlines += byte == '\n' ? 1 : 0;
    const bool escaped = std::exchange(scan.escaped, !scan.escaped && byte == '\\');
    if (byte == '"' && !escaped) {
      scan.in_string = !scan.in_string;
    } else if (scan.in_string) {
      continue;
    } else if (byte == '{' || byte == '[') {
      ++scan.depth;
    } else if ((byte == '}' || byte == ']') && scan.depth != 0 && --scan.depth == 0) {
      return at + 1;
    }
  }
  return std::nullopt;
}

#if defined(__x86_64__)
namespace {

#define BATCHLLM_AVX2 __attribute__((target("avx2,pclmul,bmi,bmi2,popcnt,lzcnt")))

constexpr std::size_t k_block = 64;

struct Block {
  __m256i low;
  __m256i high;
};

BATCHLLM_AVX2 inline std::uint64_t bytes_equal(const Block& block, char byte) noexcept {
  const __m256i wanted = _mm256_set1_epi8(byte);
  const auto low =
      static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(block.low, wanted)));
  const auto high =
      static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(block.high, wanted)));
  return low | (static_cast<std::uint64_t>(high) << 32U);
}

// Bit i of the result: the xor of bits 0..i, which is 1 between an odd quote and the next even one.
BATCHLLM_AVX2 inline std::uint64_t prefix_xor(std::uint64_t bits) noexcept {
  const __m128i product = _mm_clmulepi64_si128(
      _mm_set_epi64x(0, static_cast<long long>(bits)), _mm_set1_epi8(static_cast<char>(0xFF)), 0);
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(product));
}

// The bytes that a backslash escapes. A run of backslashes escapes the byte behind it when its
// length is odd; adding the runs that begin on odd positions carries to exactly those ends.
inline std::uint64_t escaped_bytes(std::uint64_t backslashes, bool& carry) noexcept {
  constexpr std::uint64_t k_even = 0x5555555555555555U;
  if (backslashes == 0) {
    const std::uint64_t first = carry ? 1 : 0;
    carry = false;
    return first;
  }
  backslashes &= ~static_cast<std::uint64_t>(carry ? 1 : 0);
  const std::uint64_t follows = (backslashes << 1U) | (carry ? 1U : 0U);
  const std::uint64_t odd_starts = backslashes & ~k_even & ~follows;
  unsigned long long sequences = 0;
  carry = __builtin_uaddll_overflow(odd_starts, backslashes, &sequences);
  return (k_even ^ (static_cast<std::uint64_t>(sequences) << 1U)) & follows;
}

// Scans 64 bytes, of which the first `count` are the value's and the others zero.
BATCHLLM_AVX2 inline std::optional<std::size_t> scan_block(const char* bytes,
                                                           std::size_t count,
                                                           BracketScan& scan) noexcept {
  const auto* source = reinterpret_cast<const __m256i*>(bytes);  // NOLINT: loads need no alignment
  const Block block{_mm256_loadu_si256(source), _mm256_loadu_si256(source + 1)};
  const std::uint64_t newlines = bytes_equal(block, '\n');
  const std::uint64_t escaped = escaped_bytes(bytes_equal(block, '\\'), scan.escaped);
  const std::uint64_t quotes = bytes_equal(block, '"') & ~escaped;
  const std::uint64_t inside = prefix_xor(quotes) ^ (scan.in_string ? ~std::uint64_t{0} : 0);
  // '[' and ']' differ from '{' and '}' by this bit alone.
  const __m256i case_bit = _mm256_set1_epi8(0x20);
  const Block folded{_mm256_or_si256(block.low, case_bit), _mm256_or_si256(block.high, case_bit)};
  const std::uint64_t opening = bytes_equal(folded, '{') & ~inside;
  const std::uint64_t closing = bytes_equal(folded, '}') & ~inside;
  for (std::uint64_t rest = opening | closing; rest != 0; rest &= rest - 1) {
    const std::uint64_t bit = rest & (~rest + 1);
    if ((opening & bit) != 0) {
      ++scan.depth;
    } else if (scan.depth != 0 && --scan.depth == 0) {
      scan.newlines += static_cast<std::uint64_t>(__builtin_popcountll(newlines & (bit - 1)));
      scan.in_string = false;
      scan.escaped = false;
      return static_cast<std::size_t>(__builtin_ctzll(bit)) + 1;
    }
  }
  scan.newlines += static_cast<std::uint64_t>(__builtin_popcountll(newlines));
  scan.in_string = (inside >> 63U) != 0;
  if (count < k_block) {
    scan.escaped = ((escaped >> count) & 1U) != 0;
  }
  return std::nullopt;
}

BATCHLLM_AVX2 std::optional<std::size_t> scan_brackets_avx2(std::string_view bytes,
                                                            BracketScan& scan) noexcept {
  std::size_t at = 0;
  for (; at + k_block <= bytes.size(); at += k_block) {
    if (const auto end = scan_block(bytes.data() + at, k_block, scan)) {
      return at + *end;
    }
  }
  if (at == bytes.size()) {
    return std::nullopt;
  }
  alignas(32) std::array<char, k_block> tail{};
  std::memcpy(tail.data(), bytes.data() + at, bytes.size() - at);
  const auto end = scan_block(tail.data(), bytes.size() - at, scan);
  return end ? std::optional(at + *end) : std::nullopt;
}

bool has_avx2() noexcept {
  static const bool supported = __builtin_cpu_supports("avx2") != 0 &&
                                __builtin_cpu_supports("pclmul") != 0 &&
                                __builtin_cpu_supports("bmi2") != 0;
  return supported;
}

}  // namespace

std::optional<std::size_t> scan_brackets(std::string_view bytes, BracketScan& scan) noexcept {
  return has_avx2() ? scan_brackets_avx2(bytes, scan) : scan_brackets_scalar(bytes, scan);
}
#else

std::optional<std::size_t> scan_brackets(std::string_view bytes, BracketScan& scan) noexcept {
  return scan_brackets_scalar(bytes, scan);
}
#endif

}  // namespace batchllm::json

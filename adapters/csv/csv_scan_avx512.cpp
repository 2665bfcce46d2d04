// SPDX-License-Identifier: Apache-2.0
#include "adapters/csv/csv_scan.h"
#include "adapters/csv/csv_scan_mask.h"

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))

#include <immintrin.h>

#include <array>

// The functions below are compiled for AVX-512, whatever the rest of the program is compiled for.
#define BATCHLLM_CSV_TARGET \
  __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,pclmul,bmi,bmi2,popcnt,lzcnt")))

namespace batchllm {
namespace {

using Byte = __m512i;
using Chunk = __m512i;

constexpr auto k_indexes = [] {
  std::array<char, k_csv_chunk_bytes> indexes{};
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    indexes[i] = static_cast<char>(i);
  }
  return indexes;
}();

BATCHLLM_CSV_TARGET inline Byte repeated(char byte) {
  return _mm512_set1_epi8(byte);
}

BATCHLLM_CSV_TARGET inline Chunk load(const char* bytes) {
  return _mm512_loadu_si512(bytes);
}

BATCHLLM_CSV_TARGET inline CsvMask equal(Chunk chunk, Byte byte) {
  return _mm512_cmpeq_epi8_mask(chunk, byte);
}

// How many positions a chunk has cannot be predicted: a fixed number is written, and the surplus
// overwritten by the next chunk. The loop goes round again only where they are many.
BATCHLLM_CSV_TARGET inline std::uint32_t* put_positions(std::uint32_t* target,
                                                        std::uint32_t base,
                                                        CsvMask mask) {
  std::uint32_t* const behind = target + _mm_popcnt_u64(mask);
  const __m512i bases = _mm512_set1_epi32(static_cast<int>(base));
  __m512i indexes = _mm512_maskz_compress_epi8(mask, load(k_indexes.data()));
  do {
    const __m512i wide = _mm512_cvtepu8_epi32(_mm512_castsi512_si128(indexes));
    _mm512_storeu_si512(target, _mm512_add_epi32(bases, wide));
    indexes = _mm512_alignr_epi32(_mm512_setzero_si512(), indexes, 4);
    target += 16;
  } while (target < behind);
  return behind;
}

}  // namespace
}  // namespace batchllm

#include "adapters/csv/csv_scan_chunks.h"

namespace batchllm {

const CsvScanFunction k_csv_scan_avx512 = &scan_csv_chunks;

}  // namespace batchllm

#else

namespace batchllm {

const CsvScanFunction k_csv_scan_avx512 = nullptr;

}  // namespace batchllm

#endif

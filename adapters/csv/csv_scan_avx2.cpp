// SPDX-License-Identifier: Apache-2.0
#include "adapters/csv/csv_scan.h"
#include "adapters/csv/csv_scan_mask.h"

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))

#include <immintrin.h>

// The functions below are compiled for AVX2, whatever the rest of the program is compiled for.
#define BATCHLLM_CSV_TARGET __attribute__((target("avx2,pclmul,bmi,bmi2,popcnt,lzcnt")))

namespace batchllm {
namespace {

using Byte = __m256i;

struct Chunk {
  __m256i low;
  __m256i high;
};

BATCHLLM_CSV_TARGET inline Byte repeated(char byte) {
  return _mm256_set1_epi8(byte);
}

BATCHLLM_CSV_TARGET inline Chunk load(const char* bytes) {
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes)),
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + 32))};
}

BATCHLLM_CSV_TARGET inline CsvMask equal(const Chunk& chunk, Byte byte) {
  const auto low =
      static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(chunk.low, byte)));
  const auto high =
      static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(chunk.high, byte)));
  return low | (CsvMask{high} << 32);
}

// How many positions a chunk has cannot be predicted: a fixed number is written, and the surplus
// overwritten by the next chunk. The loop goes round again only where they are many.
BATCHLLM_CSV_TARGET inline std::uint32_t* put_positions(std::uint32_t* target,
                                                        std::uint32_t base,
                                                        CsvMask mask) {
  std::uint32_t* const behind = target + _mm_popcnt_u64(mask);
  do {
    for (int i = 0; i < 4; ++i) {
      *target++ = base + static_cast<std::uint32_t>(_tzcnt_u64(mask));
      mask = _blsr_u64(mask);
    }
  } while (mask != 0);
  return behind;
}

}  // namespace
}  // namespace batchllm

#include "adapters/csv/csv_scan_chunks.h"

namespace batchllm {

const CsvScanFunction k_csv_scan_avx2 = &scan_csv_chunks;

}  // namespace batchllm

#else

namespace batchllm {

const CsvScanFunction k_csv_scan_avx2 = nullptr;

}  // namespace batchllm

#endif

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

namespace batchllm {

// What a cron expression asks for, as sets of bits (bit 5 of `minutes`: minute 5). Two expressions
// that fire at the same times for the same reason have equal fields.
struct CronFields {
  std::uint64_t minutes = 0;
  std::uint32_t hours = 0;
  std::uint32_t days = 0;           // bits 1 to 31
  std::uint32_t months = 0;         // bits 1 to 12
  std::uint32_t weekdays = 0;       // bits 0 (Sunday) to 6
  std::uint64_t some_weekdays = 0;  // bit weekday*8 + n: the n-th of the month; n = 0: the last
  bool last_day = false;            // L: the last day of the month

  // The hour is `*` or one step (`*/2`, `8-18/2`): fires after real time, see adapters/time.
  bool hours_repeat = false;

  // The field was written with a star (`*`, `*/2`), so the other day field must match as well.
  bool days_starred = false;
  bool weekdays_starred = false;

  bool operator==(const CronFields&) const = default;
};

constexpr std::uint64_t k_all_minutes = (std::uint64_t{1} << 60U) - 1;
constexpr std::uint32_t k_all_hours = 0xFF'FFFF;
constexpr std::uint32_t k_all_days = 0xFFFF'FFFE;
constexpr std::uint32_t k_all_months = 0x1FFE;
constexpr std::uint32_t k_all_weekdays = 0x7F;

// The numbers in a set of bits, in order.
inline std::vector<unsigned> set_members(std::uint64_t bits) {
  std::vector<unsigned> values;
  for (; bits != 0; bits &= bits - 1) {
    values.push_back(static_cast<unsigned>(std::countr_zero(bits)));
  }
  return values;
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cron_fields.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm {

// A minute as a clock on the wall shows it, without saying where the wall is.
using CivilMinute = std::chrono::local_time<std::chrono::minutes>;

// When a schedule fires: "30 2 * * MON-FRI", five fields for minute (0-59), hour (0-23), day of the
// month (1-31, L for the last), month (1-12 or JAN-DEC) and day of the week (0-7, 0 and 7 are
// Sunday, or SUN-SAT; MON#2 is the second Monday of the month, 5L or FRIL the last Friday). Each
// field takes `*` (or `?`), lists (1,15), ranges (1-5) and steps (*/15, 8-18/2). Also @hourly,
// @daily, @midnight, @weekly, @monthly, @yearly and @annually. Letters of either case.
//
// The two day fields follow POSIX and Vixie cron: when neither is written with a star, a day
// matches that is in one of them ("0 0 13 * FRI": every 13th and every Friday); when one begins
// with a star, a day must be in both ("0 0 */2 * MON": Mondays with an odd date).
//
// An immutable value; safe to share between threads.
class CronExpression {
 public:
  // Throws Error(usage) that names the field, its text and what is allowed there, also for an
  // expression that never fires (30 February).
  static CronExpression parse(std::string_view text);

  bool matches(CivilMinute minute) const noexcept;

  // The first matching minute later than `after`; nullopt when there is none in the 100 years
  // that follow. For the years 0 to 9999.
  std::optional<CivilMinute> next_after(CivilMinute after) const noexcept;

  // True for "every hour" and "every 15 minutes", false for fixed times of the day.
  bool hours_repeat() const noexcept { return fields_.hours_repeat; }

  const CronFields& fields() const noexcept { return fields_; }

  // The expression in its shortest usual spelling, in numbers: "30 2 * * 1-5". Parsed again it
  // gives the same fields.
  std::string text() const;

  // In words: "at 02:30 on Monday to Friday".
  std::string description() const;

  bool operator==(const CronExpression&) const = default;

 private:
  explicit CronExpression(const CronFields& fields) : fields_(fields) {}

  CronFields fields_;
};

}  // namespace batchllm

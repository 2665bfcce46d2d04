// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace batchllm {

// A stretch of time in which a zone's clocks keep one distance to UTC. Seconds since 1970 in UTC.
struct OffsetSpan {
  std::int64_t begin_s;       // INT64_MIN: there is no earlier change
  std::int64_t end_s;         // the first second after it; INT64_MAX: there is no further change
  std::int32_t offset_s;      // what the clocks are ahead of UTC
  std::int32_t previously_s;  // the offset of the span before
};

// A zone of the IANA time zone database ("Europe/Berlin"), as the system's tzdata has it. An
// immutable value, cheap to copy; safe to share between threads.
class TimeZone {
 public:
  // `name` as in the database, "UTC", or "local" for the zone of this system ($TZ, else
  // /etc/localtime). Throws Error(usage) with the nearest names.
  static TimeZone find(std::string_view name);

  static TimeZone utc();

  // The name in the database, also for "local" where the system tells; else "local".
  const std::string& name() const noexcept { return name_; }

  // The span that contains a moment of the years 0 to 9999.
  OffsetSpan span_at(std::int64_t utc_s) const;

  // What the clocks show, as seconds since 1970-01-01 00:00:00 on them.
  std::int64_t to_civil(std::int64_t utc_s) const;

  // When the clocks show that. A time that they skip is the moment of the change; one that they
  // show twice, the first.
  std::int64_t to_utc(std::int64_t civil_s) const;

 private:
  struct Rules;

  TimeZone(std::string name, std::shared_ptr<const Rules> rules)
      : name_(std::move(name)),
        rules_(std::move(rules)) {}

  static TimeZone local();

  std::string name_;
  std::shared_ptr<const Rules> rules_;  // shared: copies of a zone read the same immutable rules
};

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
// The reading half of CronExpression: text to fields, and why a text is refused.
#include "core/cron_expression.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

namespace batchllm {
namespace {

constexpr std::size_t k_longest_text = 1000;

constexpr std::array<std::string_view, 12> k_months = {
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::array<std::string_view, 7> k_weekdays = {
    "SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> k_macros = {{
    {"@hourly", "0 * * * *"},
    {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"},
    {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
}};

struct FieldKind {
  std::string_view name;
  std::string_view allowed;
  unsigned first;
  unsigned last;
  unsigned last_written;  // 7 is another Sunday
  std::span<const std::string_view> value_names = {};
};

constexpr FieldKind k_minute = {"minute", "0-59, as in 30, 0,30, 0-15 or */15", 0, 59, 59};
constexpr FieldKind k_hour = {"hour", "0-23, as in 2, 8,20, 9-17 or */2", 0, 23, 23};
constexpr FieldKind k_day = {
    "day of month", "1-31 or L for the last day, as in 1, 1,15, 1-7 or L", 1, 31, 31};
constexpr FieldKind k_month = {
    "month", "1-12 or JAN-DEC, as in 1, JAN,JUL or */3", 1, 12, 12, k_months};
constexpr FieldKind k_weekday = {
    "day of week", "0-7 or SUN-SAT, as in MON-FRI, 6,7, MON#2 or FRIL", 0, 6, 7, k_weekdays};

// One field that is being read, for its error messages.
struct FieldText {
  const FieldKind& kind;
  std::string_view text;        // the field
  std::string_view expression;  // the whole
};

[[noreturn]] void refuse(std::string_view expression, std::string_view why, std::string hint) {
  throw Error(ErrorCode::usage,
              fmt::format("the cron expression \"{}\" {}", one_line(expression, 80), why),
              std::move(hint));
}

[[noreturn]] void refuse(const FieldText& field, std::string_view why, std::string hint = {}) {
  if (!hint.empty()) {
    hint += "; ";
  }
  hint += fmt::format("{} takes {}", field.kind.name, field.kind.allowed);
  refuse(
      field.expression,
      fmt::format("is wrong in its {} \"{}\": {}", field.kind.name, one_line(field.text, 40), why),
      std::move(hint));
}

[[noreturn]] void refuse_value(const FieldText& field, std::string_view value) {
  const std::string shown = one_line(value, 20);
  if (value.empty()) {
    refuse(field, "a value is missing");
  }
  if (value.find(':') != std::string_view::npos) {
    refuse(field,
           fmt::format("\"{}\" is no value", shown),
           "minute and hour are fields of their own: 02:30 is \"30 2 * * *\"");
  }
  if (value.find_first_of("Ww") != std::string_view::npos && &field.kind == &k_day) {
    refuse(field, "the nearest working day (W) is not supported");
  }
  const std::vector<std::string> names(field.kind.value_names.begin(),
                                       field.kind.value_names.end());
  std::string hint;
  const auto near = nearest_name(value, names);
  for (const auto& name : names) {
    if (near == name ||
        (!near && value.size() > 3 && equals_ignoring_case(value.substr(0, 3), name))) {
      hint = fmt::format("did you mean {}?", name);
    }
  }
  refuse(field, fmt::format("\"{}\" is no value", shown), std::move(hint));
}

// A number or a name, as its number.
unsigned read_value(const FieldText& field, std::string_view value) {
  const FieldKind& kind = field.kind;
  for (std::size_t i = 0; i < kind.value_names.size(); ++i) {
    if (equals_ignoring_case(value, kind.value_names[i])) {
      return kind.first + static_cast<unsigned>(i);
    }
  }
  const bool is_number = !value.empty() && value.find_first_not_of("0123456789") == value.npos;
  if (!is_number) {
    refuse_value(field, value);
  }
  const auto number = parse_integer(value);
  if (!number || *number < kind.first || *number > kind.last_written) {
    refuse(field, fmt::format("{} is out of range", one_line(value, 20)));
  }
  return static_cast<unsigned>(*number);
}

struct Range {
  unsigned first;
  unsigned last;
};

Range read_range(const FieldText& field, std::string_view text) {
  const FieldKind& kind = field.kind;
  const auto dash = text.find('-');
  Range range{read_value(field, text.substr(0, dash)), read_value(field, text.substr(dash + 1))};
  if (&kind == &k_weekday && range.last == 0 && range.first > 0) {
    range.last = 7;  // FRI-SUN: the Sunday at the week's end
  }
  if (range.first > range.last) {
    const auto piece = [](unsigned first, unsigned last) {
      return first == last ? std::to_string(first) : fmt::format("{}-{}", first, last);
    };
    refuse(field,
           fmt::format("the range {} runs backwards", text),
           fmt::format("write {},{} to go round the end",
                       piece(range.first, kind.last),
                       piece(kind.first, range.last)));
  }
  return range;
}

unsigned read_step(const FieldText& field, std::string_view text, Range range) {
  const bool is_number = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  const auto step = is_number ? parse_integer(text) : std::nullopt;
  if (!step || *step == 0) {
    refuse(field, fmt::format("the step \"{}\" is not a number from 1 on", one_line(text, 20)));
  }
  if (*step > range.last - range.first) {
    refuse(field,
           fmt::format("the step {} is wider than {}-{}, so it would only ever give {}",
                       *step,
                       range.first,
                       range.last,
                       range.first),
           fmt::format("write {} if that is meant", range.first));
  }
  return static_cast<unsigned>(*step);
}

struct FieldValues {
  std::uint64_t bits = 0;
  bool is_starred = false;  // a single item that begins with a star
  bool repeats = false;     // a single item: a star or a step
};

std::uint64_t range_bits(Range range, unsigned step) noexcept {
  std::uint64_t bits = 0;
  for (unsigned value = range.first; value <= range.last; value += step) {
    bits |= std::uint64_t{1} << value;
  }
  return bits;
}

// `*`, `5`, `1-5`, with or without a step.
FieldValues read_item(const FieldText& field, std::string_view item) {
  const FieldKind& kind = field.kind;
  const auto slash = item.find('/');
  const std::string_view base = item.substr(0, slash);
  const bool has_step = slash != item.npos;
  FieldValues values;
  values.is_starred = base == "*" || (base == "?" && !has_step);
  Range range{kind.first, kind.last};
  if (!values.is_starred && base.find('-') != base.npos) {
    range = read_range(field, base);
  } else if (!values.is_starred) {
    range.first = read_value(field, base);
    if (has_step) {
      refuse(field,
             fmt::format("the step of {} needs a range before it", item),
             fmt::format("write {}-{}{}", base, kind.last, one_line(item.substr(slash), 10)));
    }
    range.last = range.first;
  }
  const unsigned step = has_step ? read_step(field, item.substr(slash + 1), range) : 1;
  values.bits = range_bits(range, step);
  values.repeats = values.is_starred || step > 1;
  return values;
}

// Reads the comma-separated items; `special` takes those that only this field knows (L, MON#2).
template <typename Special>
FieldValues read_field(const FieldText& field, Special&& special) {
  FieldValues values;
  const std::vector<std::string> items = split(field.text, ',');
  for (const auto& item : items) {
    if (special(item)) {
      continue;
    }
    const FieldValues one = read_item(field, item);
    values.bits |= one.bits;
    values.is_starred = items.size() == 1 && one.is_starred;
    values.repeats = items.size() == 1 && one.repeats;
  }
  return values;
}

FieldValues read_field(const FieldText& field) {
  return read_field(field, [](std::string_view) { return false; });
}

void read_days(const FieldText& field, CronFields& fields) {
  const FieldValues values = read_field(field, [&](std::string_view item) {
    if (equals_ignoring_case(item, "L")) {
      fields.last_day = true;
      return true;
    }
    if (item.starts_with("L-") || item.starts_with("l-")) {
      refuse(field, "days before the last one (L-n) are not supported");
    }
    return false;
  });
  fields.days = static_cast<std::uint32_t>(values.bits);
  fields.days_starred = values.is_starred;
}

// MON#2 or FRIL: the bit of some_weekdays; nullopt for what every field knows.
std::optional<unsigned> read_some_weekday(const FieldText& field, std::string_view item) {
  const auto hash = item.find('#');
  if (hash != item.npos) {
    const unsigned weekday = read_value(field, item.substr(0, hash)) % 7;
    const std::string_view which = item.substr(hash + 1);
    if (which.size() != 1 || which.front() < '1' || which.front() > '5') {
      refuse(field,
             fmt::format("\"{}\" does not say which one of the month", one_line(item, 20)),
             "the number after # is 1 to 5");
    }
    return weekday * 8 + static_cast<unsigned>(which.front() - '0');
  }
  if (item.ends_with('L') || item.ends_with('l')) {
    const std::string_view day = item.substr(0, item.size() - 1);
    if (day.empty()) {
      refuse(field, "L alone names no day", "the last Friday of the month is FRIL");
    }
    return read_value(field, day) % 7 * 8;
  }
  return std::nullopt;
}

void read_weekdays(const FieldText& field, CronFields& fields) {
  const FieldValues values = read_field(field, [&](std::string_view item) {
    const auto bit = read_some_weekday(field, item);
    fields.some_weekdays |= bit ? std::uint64_t{1} << *bit : 0;
    return bit.has_value();
  });
  const std::uint64_t sunday = values.bits >> 7U;
  fields.weekdays = static_cast<std::uint32_t>((values.bits | sunday) & 0x7FU);
  fields.weekdays_starred = values.is_starred;
}

// Gives expressions that fire at the same times equal fields: what is said twice is said once, and
// a star counts only where it decides how the day fields go together.
void normalise_days(CronFields& fields) noexcept {
  bool every_day = fields.days == k_all_days;
  bool every_weekday = fields.weekdays == k_all_weekdays;
  if (!fields.days_starred && !fields.weekdays_starred && (every_day || every_weekday)) {
    fields.days = k_all_days;
    fields.weekdays = k_all_weekdays;
    every_day = every_weekday = true;
  }
  fields.last_day = fields.last_day && !every_day;
  for (unsigned weekday = 0; weekday < 7; ++weekday) {
    if (((fields.weekdays >> weekday) & 1U) != 0) {
      fields.some_weekdays &= ~(std::uint64_t{0xFF} << (weekday * 8));
    }
  }
  fields.days_starred = every_day || (fields.days_starred && !every_weekday);
  fields.weekdays_starred = every_weekday || (fields.weekdays_starred && !every_day);
}

[[noreturn]] void refuse_macro(std::string_view text) {
  const std::string name = lowercase(text.substr(0, text.find(' ')));
  if (name == "@reboot") {
    refuse(text,
           "names no time",
           "a schedule fires by the clock, not when the computer starts; submit the job instead");
  }
  if (name == "@every") {
    refuse(text, "is not supported", "every 15 minutes is \"*/15 * * * *\"");
  }
  std::vector<std::string> names;
  for (const auto& [macro, expression] : k_macros) {
    names.emplace_back(macro);
  }
  const auto near = nearest_name(name, names);
  refuse(text,
         "is not known",
         near ? fmt::format("did you mean {}?", *near)
              : fmt::format("there are {}", name_list(names)));
}

std::vector<std::string_view> split_fields(std::string_view text) {
  std::vector<std::string_view> fields;
  for (text = trim(text); !text.empty(); text = trim(text)) {
    const auto end = std::min(text.find_first_of(" \t\r\n\f\v"), text.size());
    fields.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  if (fields.size() != 5) {
    return {};
  }
  return fields;
}

void check_it_fires(std::string_view text, const CronExpression& expression) {
  // The calendar repeats itself after 400 years; next_after looks at 100 of them, which hold every
  // rare day.
  constexpr CivilMinute k_start = std::chrono::local_days(std::chrono::year(2000) / 1 / 1);
  if (expression.next_after(k_start - std::chrono::minutes{1})) {
    return;
  }
  refuse(text,
         "never fires: none of its months has such a day",
         "February has 28 or 29 days, April, June, September and November 30; L is the last day");
}

}  // namespace

CronExpression CronExpression::parse(std::string_view text) {
  text = trim(text);
  if (text.size() > k_longest_text) {
    refuse(text, fmt::format("is longer than {} bytes", k_longest_text), {});
  }
  std::string_view expression = text;
  if (text.starts_with('@')) {
    const auto* macro = std::find_if(k_macros.begin(), k_macros.end(), [text](const auto& entry) {
      return equals_ignoring_case(entry.first, text);
    });
    if (macro == k_macros.end()) {
      refuse_macro(text);
    }
    expression = macro->second;
  }
  const std::vector<std::string_view> parts = split_fields(expression);
  if (parts.empty()) {
    const auto blanks = std::count(text.begin(), text.end(), ' ');
    refuse(text,
           "does not have five fields",
           std::string("write minute, hour, day of month, month and day of week, as in \"30 2 * * "
                       "MON-FRI\"") +
               (blanks == 5 || blanks == 6 ? "; seconds and years are not supported" : ""));
  }
  CronFields fields;
  fields.minutes = read_field({k_minute, parts[0], text}).bits;
  const FieldValues hours = read_field({k_hour, parts[1], text});
  fields.hours = static_cast<std::uint32_t>(hours.bits);
  fields.hours_repeat = hours.repeats || fields.hours == k_all_hours;
  read_days({k_day, parts[2], text}, fields);
  fields.months = static_cast<std::uint32_t>(read_field({k_month, parts[3], text}).bits);
  read_weekdays({k_weekday, parts[4], text}, fields);
  normalise_days(fields);
  CronExpression result(fields);
  check_it_fires(text, result);
  return result;
}

}  // namespace batchllm

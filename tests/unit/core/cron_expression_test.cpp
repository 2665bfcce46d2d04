// SPDX-License-Identifier: Apache-2.0
#include "core/cron_expression.h"

#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/support/thrown_error.h"

#include <fmt/format.h>

#include <random>
#include <string>
#include <vector>

using namespace batchllm;

namespace {

using std::chrono::local_days;
using std::chrono::minutes;

CivilMinute civil(int year, unsigned month, unsigned day, int hour = 0, int minute = 0) {
  return CivilMinute(local_days(std::chrono::year(year) / static_cast<int>(month) /
                                static_cast<int>(day))) +
         std::chrono::hours{hour} + minutes{minute};
}

std::string shown(std::optional<CivilMinute> minute) {
  if (!minute) {
    return "never";
  }
  const auto day = std::chrono::floor<std::chrono::days>(*minute);
  const std::chrono::year_month_day date(day);
  const auto of_day = (*minute - day).count();
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}",
                     static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()),
                     of_day / 60,
                     of_day % 60);
}

std::string next_text(std::string_view expression, CivilMinute after) {
  return shown(CronExpression::parse(expression).next_after(after));
}

std::string canonical(std::string_view expression) {
  return CronExpression::parse(expression).text();
}

std::string words(std::string_view expression) {
  return CronExpression::parse(expression).description();
}

}  // namespace

TEST_CASE("the next minute of a cron expression is the first later one that matches", "[cron]") {
  struct Case {
    std::string expression;
    CivilMinute after;
    std::string next;
  };

  const std::vector<Case> cases = {
      {"* * * * *", civil(2026, 11, 21, 10, 0), "2026-11-21 10:01"},
      {"0 0 * * *", civil(2026, 12, 31, 23, 59), "2027-01-01 00:00"},
      {"30 2 * * *", civil(2026, 11, 21, 2, 29), "2026-11-21 02:30"},
      {"30 2 * * *", civil(2026, 11, 21, 2, 30), "2026-11-22 02:30"},
      {"*/15 * * * *", civil(2026, 11, 21, 10, 46), "2026-11-21 11:00"},
      {"7-59/10 * * * *", civil(2026, 11, 21, 10, 57), "2026-11-21 11:07"},
      {"0 9-17 * * MON-FRI", civil(2026, 11, 20, 17, 0), "2026-11-23 09:00"},
      {"0 0 29 2 *", civil(2026, 1, 1), "2028-02-29 00:00"},
      {"0 0 29 2 *", civil(2096, 2, 29), "2104-02-29 00:00"},  // 2100 is no leap year
      {"0 0 29 2 *", civil(1999, 6, 1), "2000-02-29 00:00"},   // 2000 is one
      {"59 23 31 12 *", civil(2026, 12, 31, 23, 59), "2027-12-31 23:59"},
      {"0 0 31 * *", civil(2026, 1, 31), "2026-03-31 00:00"},
      {"0 0 L * *", civil(2028, 2, 1), "2028-02-29 00:00"},
      {"0 0 L * *", civil(2027, 2, 1), "2027-02-28 00:00"},
      {"0 0 15,L 2 *", civil(2027, 2, 15), "2027-02-28 00:00"},
      {"0 0 * * 0", civil(2026, 11, 21), "2026-11-22 00:00"},
      {"0 0 * * 7", civil(2026, 11, 21), "2026-11-22 00:00"},
      {"0 0 * * MON#2", civil(2026, 11, 1), "2026-11-09 00:00"},
      {"0 0 * * MON#5", civil(2026, 11, 9), "2026-11-30 00:00"},
      {"0 0 * * 5L", civil(2026, 11, 1), "2026-11-27 00:00"},
      {"0 0 * 2 SUNL", civil(2026, 3, 1), "2027-02-28 00:00"},
      {"0 0 29 2 */6", civil(2026, 1, 1), "2032-02-29 00:00"},  // a Sunday
      // Restricted day of month and day of week: either of them.
      {"0 0 13 * FRI", civil(2026, 11, 1), "2026-11-06 00:00"},
      {"0 0 13 * FRI", civil(2026, 12, 11), "2026-12-13 00:00"},
      // A star in one of them: both.
      {"0 0 */2 * MON", civil(2026, 11, 1), "2026-11-09 00:00"},
      {"0 0 1-31/2 * MON", civil(2026, 11, 1), "2026-11-02 00:00"},
      {"@hourly", civil(2026, 11, 21, 10, 0), "2026-11-21 11:00"},
      {"@daily", civil(2026, 11, 21, 10, 0), "2026-11-22 00:00"},
      {"@midnight", civil(2026, 11, 21, 10, 0), "2026-11-22 00:00"},
      {"@weekly", civil(2026, 11, 21, 10, 0), "2026-11-22 00:00"},
      {"@monthly", civil(2026, 11, 21, 10, 0), "2026-12-01 00:00"},
      {"@yearly", civil(2026, 11, 21, 10, 0), "2027-01-01 00:00"},
      {"@Annually", civil(2026, 11, 21, 10, 0), "2027-01-01 00:00"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.expression, shown(one.after));
    CHECK(next_text(one.expression, one.after) == one.next);
  }
}

TEST_CASE("after the year 9999 no minute matches, and before the year 0 its first does", "[cron]") {
  const CronExpression every_minute = CronExpression::parse("* * * * *");
  CHECK(shown(every_minute.next_after(CivilMinute::max())) == "never");
  CHECK(shown(every_minute.next_after(CivilMinute::min())) == "0000-01-01 00:00");
}

TEST_CASE("the canonical text of a cron expression is short and says the same", "[cron]") {
  CHECK(canonical("30 2 * * MON-FRI") == "30 2 * * 1-5");
  CHECK(canonical("  00\t02 ? jan ?  ") == "0 2 * 1 *");
  CHECK(canonical("0,15,30,45 0-23 1-31 1-12 0-7") == "*/15 * * * *");
  CHECK(canonical("0 0,12 * * *") == "0 0,12 * * *");
  CHECK(canonical("0 */12 * * *") == "0 */12 * * *");
  CHECK(canonical("0 8-18/2 * * *") == "0 8-18/2 * * *");
  CHECK(canonical("0 8,10,12,14 * * *") == "0 8,10,12,14 * * *");
  CHECK(canonical("0 0-23/3 * * *") == "0 */3 * * *");
  CHECK(canonical("5,3,4,9,3 * * * *") == "3-5,9 * * * *");
  CHECK(canonical("0 0 * * 7") == "0 0 * * 0");
  CHECK(canonical("0 0 * * FRI-SUN") == "0 0 * * 0,5,6");
  CHECK(canonical("0 0 * * MON#2,FRIL,SUN") == "0 0 * * 0,1#2,5L");
  CHECK(canonical("0 0 * * MON,MON#2") == "0 0 * * 1");
  CHECK(canonical("0 0 l * *") == "0 0 L * *");
  CHECK(canonical("0 0 1,3,5,7,L * *") == "0 0 1-7/2,L * *");
  // A star stays where it decides how the day fields go together.
  CHECK(canonical("0 0 */2 * MON") == "0 0 */2 * 1");
  CHECK(canonical("0 0 1-31/2 * MON") == "0 0 1-31/2 * 1");
  CHECK(canonical("0 0 1-31/2 * *") == "0 0 */2 * *");
  CHECK(canonical("0 0 1-31 * MON") == "0 0 * * *");  // every day or Monday
  CHECK(canonical("@weekly") == "0 0 * * 0");
}

TEST_CASE("only an hour of a star or one step makes an expression repeat", "[cron]") {
  for (const std::string hour : {"*", "*/2", "?", "0-23", "8-18/2"}) {
    CAPTURE(hour);
    CHECK(CronExpression::parse("0 " + hour + " * * *").hours_repeat());
  }
  for (const std::string hour : {"2", "0,12", "9-17", "1,8-18/2", "8-18/1"}) {
    CAPTURE(hour);
    CHECK_FALSE(CronExpression::parse("*/5 " + hour + " * * *").hours_repeat());
  }
}

TEST_CASE("a cron expression is told in words", "[cron]") {
  CHECK(words("30 2 * * MON-FRI") == "at 02:30 on Monday to Friday");
  CHECK(words("30 2 * * *") == "at 02:30 every day");
  CHECK(words("0 8,20 * * *") == "at 08:00 and 20:00 every day");
  CHECK(words("* * * * *") == "every minute");
  CHECK(words("*/15 * * * *") == "every 15 minutes");
  CHECK(words("*/15 9-17 * * 1-5") == "every 15 minutes from 09:00 to 17:59 on Monday to Friday");
  CHECK(words("0 9-17 * * *") == "every hour from 09:00 to 17:00");
  CHECK(words("@hourly") == "every hour");
  CHECK(words("20 * * * *") == "at minute 20 of every hour");
  CHECK(words("0,7,50 * * * *") == "at minutes 0, 7 and 50 of every hour");
  CHECK(words("0 */2 * * *") == "every 2 hours");
  CHECK(words("30 */2 * * *") == "at minute 30, every 2 hours");
  CHECK(words("*/5 2,4 * * *") == "every 5 minutes in the hours 02 and 04");
  CHECK(words("0 0 1,15 * *") == "at 00:00 on days 1 and 15 of the month");
  CHECK(words("0 0 L * *") == "at 00:00 on the last day of the month");
  CHECK(words("0 0 * * MON#2") == "at 00:00 on the second Monday of the month");
  CHECK(words("0 0 * * FRIL") == "at 00:00 on the last Friday of the month");
  CHECK(words("0 0 13 * FRI") == "at 00:00 on day 13 of the month and on Friday");
  CHECK(words("0 0 */10 * FRI") ==
        "at 00:00 on days 1, 11, 21 and 31 of the month when it is Friday");
  CHECK(words("0 0 1 1,7 *") == "at 00:00 on day 1 of the month in January and July");
  CHECK(words("0 6 * JUN-AUG SAT,SUN") == "at 06:00 on Saturday and Sunday in June to August");
}

TEST_CASE("a cron expression is refused with the field, the text and what is allowed", "[cron]") {
  struct Case {
    std::string expression;
    std::string message;
    std::string hint;
  };

  const std::vector<Case> cases = {
      {"", "does not have five fields", "minute, hour, day of month"},
      {"0 0 * *", "does not have five fields", "minute, hour, day of month"},
      {"0 0 0 * * *", "does not have five fields", "seconds and years are not supported"},
      {"60 * * * *", "its minute \"60\": 60 is out of range", "minute takes 0-59"},
      {"* 24 * * *", "its hour \"24\": 24 is out of range", "hour takes 0-23"},
      {"* * 0 * *", "its day of month \"0\": 0 is out of range", "1-31 or L"},
      {"* * * 13 *", "its month \"13\": 13 is out of range", "1-12 or JAN-DEC"},
      {"* * * * 8", "its day of week \"8\": 8 is out of range", "0-7 or SUN-SAT"},
      {"* * * * MOM", "\"MOM\" is no value", "did you mean MON?"},
      {"* * * * MONDAY", "\"MONDAY\" is no value", "did you mean MON?"},
      {"* * * JNA *", "\"JNA\" is no value", "did you mean JAN?"},
      {"MON * * * *", "its minute \"MON\": \"MON\" is no value", "minute takes"},
      {"2:30 * * * *", "\"2:30\" is no value", "02:30 is \"30 2 * * *\""},
      {"-5 * * * *", "a value is missing", "minute takes"},
      {"5- * * * *", "a value is missing", "minute takes"},
      {"1,,2 * * * *", "a value is missing", "minute takes"},
      {"1,2, * * * *", "a value is missing", "minute takes"},
      {"99999999999999999999 * * * *", "is out of range", "minute takes"},
      {"*/0 * * * *", "the step \"0\" is not a number from 1 on", "minute takes"},
      {"*/x * * * *", "the step \"x\" is not a number from 1 on", "minute takes"},
      {"*/ * * * *", "the step \"\" is not a number from 1 on", "minute takes"},
      {"*/5/5 * * * *", "the step \"5/5\" is not a number from 1 on", "minute takes"},
      {"*/90 * * * *", "the step 90 is wider than 0-59, so it would only ever give 0", "write 0"},
      {"0 */24 * * *", "the step 24 is wider than 0-23", "write 0 if that is meant"},
      {"5/15 * * * *", "the step of 5/15 needs a range before it", "write 5-59/15"},
      {"?/15 * * * *", "\"?\" is no value", "minute takes"},
      {"0 22-6 * * *", "the range 22-6 runs backwards", "write 22-23,0-6"},
      {"0 0 * * FRI-MON", "the range FRI-MON runs backwards", "write 5-6,0-1"},
      {"0 0 15W * *", "the nearest working day (W) is not supported", "day of month takes"},
      {"0 0 L-3 * *", "(L-n) are not supported", "day of month takes"},
      {"0 0 * * L", "L alone names no day", "FRIL"},
      {"0 0 * * MON#6", "does not say which one of the month", "1 to 5"},
      {"0 0 * * MON#", "does not say which one of the month", "1 to 5"},
      {"0 0 * * #2", "a value is missing", "day of week takes"},
      {"L * * * *", "its minute \"L\": \"L\" is no value", "minute takes"},
      {"@reboot", "\"@reboot\" names no time", "not when the computer starts"},
      {"@dayly", "\"@dayly\" is not known", "did you mean @daily?"},
      {"@every 15m", "is not supported", "*/15 * * * *"},
      {"@banana", "is not known", "there are @hourly"},
      {"0 0 31 2 *", "never fires", "February has 28 or 29 days"},
      {"0 0 30,31 2 *", "never fires", "L is the last day"},
      {"0 0 31 4,6,9,11 *", "never fires", "April, June, September and November 30"},
      {std::string(1001, '*'), "is longer than 1000 bytes", ""},
      {"\x1b[2J * * * *", "\" [2J\" is no value", "minute takes"},
      {std::string("0\0 * * * *", 10), "is no value", "minute takes"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.expression);
    const auto error = thrown_error([&] { CronExpression::parse(one.expression); });
    REQUIRE(error);
    CHECK(error->code() == ErrorCode::usage);
    CHECK_THAT(error->message(), ContainsSubstring(one.message));
    CHECK_THAT(error->hint(), ContainsSubstring(one.hint));
  }
}

namespace {

// A second reading of the rules, minute by minute and written down differently: each field a list
// of accepted numbers, the day rule by the spelling.
struct PlainField {
  std::string text = "*";
  bool starred = true;
  std::vector<bool> accepts;
};

class PlainCron {
 public:
  explicit PlainCron(std::mt19937& random) : random_(random) {
    minute_ = draw(0, 59);
    hour_ = draw(0, 23);
    day_ = draw(1, 31);
    month_ = draw(1, 12);
    weekday_ = draw(0, 6);
  }

  std::string text() const {
    return minute_.text + ' ' + hour_.text + ' ' + day_.text + ' ' + month_.text + ' ' +
           weekday_.text;
  }

  bool matches(CivilMinute minute) const {
    const auto of_day =
        static_cast<std::size_t>((minute - std::chrono::floor<std::chrono::days>(minute)).count());
    return minute_.accepts[of_day % 60] && hour_.accepts[of_day / 60] && matches_day(minute);
  }

  bool matches_day(CivilMinute minute) const {
    const auto midnight = std::chrono::floor<std::chrono::days>(minute);
    const std::chrono::year_month_day date(midnight);
    const bool day = day_.accepts[static_cast<unsigned>(date.day())];
    const bool weekday = weekday_.accepts[std::chrono::weekday(midnight).c_encoding()];
    const bool both = day_.starred || weekday_.starred;
    return month_.accepts[static_cast<unsigned>(date.month())] &&
           (both ? day && weekday : day || weekday);
  }

 private:
  unsigned below(unsigned end) {
    return std::uniform_int_distribution<unsigned>(0, end - 1)(random_);
  }

  PlainField draw(unsigned first, unsigned last) {
    PlainField field;
    field.accepts.assign(last + 1, false);
    const unsigned kind = below(5);
    if (kind == 0) {
      field.accepts.assign(last + 1, true);
      return field;
    }
    if (kind == 1) {
      const unsigned step = 1 + below(last - first);
      field.text = fmt::format("*/{}", step);
      for (unsigned value = first; value <= last; value += step) {
        field.accepts[value] = true;
      }
      return field;
    }
    field.starred = false;
    field.text.clear();
    for (unsigned items = 1 + below(3); items > 0; --items) {
      const unsigned low = first + below(last - first + 1);
      const unsigned high = kind == 2 ? low : low + below(last - low + 1);
      const unsigned step = kind == 4 && high > low ? 1 + below(high - low) : 1;
      field.text += field.text.empty() ? "" : ",";
      field.text += low == high ? fmt::format("{}", low) : fmt::format("{}-{}", low, high);
      field.text += step > 1 ? fmt::format("/{}", step) : "";
      for (unsigned value = low; value <= high; value += step) {
        field.accepts[value] = true;
      }
    }
    return field;
  }

  std::mt19937& random_;
  PlainField minute_, hour_, day_, month_, weekday_;
};

}  // namespace

TEST_CASE("random cron expressions fire at the minutes that a scan of every minute finds",
          "[cron]") {
  std::mt19937 random(20261121);
  int compared = 0;
  for (int round = 0; round < 300; ++round) {
    const PlainCron plain(random);
    CAPTURE(plain.text());
    CivilMinute minute = civil(2027 + round % 4, 2, 20) + minutes{round * 37};
    bool agrees = true;
    if (const auto error = thrown_error([&] { CronExpression::parse(plain.text()); })) {
      // Only what never fires is refused: no day of 40 years matches then.
      REQUIRE_THAT(error->message(), ContainsSubstring("never fires"));
      for (int day = 0; day < 40 * 366 && agrees; ++day) {
        agrees = !plain.matches_day(minute + std::chrono::days{day});
      }
      REQUIRE(agrees);
      continue;
    }
    const CronExpression expression = CronExpression::parse(plain.text());
    REQUIRE(CronExpression::parse(expression.text()) == expression);
    auto next = expression.next_after(minute);
    const CivilMinute end = minute + std::chrono::days{21};
    for (minute += minutes{1}; minute < end && agrees; minute += minutes{1}) {
      const bool fires = plain.matches(minute);
      agrees = fires == (next == minute);
      if (fires) {
        next = expression.next_after(minute);
        ++compared;
      }
    }
    REQUIRE(agrees);
  }
  CHECK(compared > 10'000);
}

// SPDX-License-Identifier: Apache-2.0
#include "adapters/time/time_zone.h"

#include "core/error.h"
#include "core/text.h"

#include <cctz/civil_time.h>
#include <cctz/time_zone.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace batchllm {
namespace {

namespace fs = std::filesystem;
using CctzTime = cctz::time_point<cctz::seconds>;
using Lookup = cctz::time_zone::civil_lookup;

constexpr const char* k_local_file = "/etc/localtime";
constexpr std::size_t k_longest_name = 64;

// cctz knows the changes of about 400 years from today on; the calendar and the rules of every zone
// repeat themselves after as many.
constexpr std::int64_t k_cycle_s = 12'622'780'800;
constexpr std::int64_t k_cycles_begin_s = 7'258'118'400;  // 2200-01-01

std::optional<std::string> environment(const char* variable) {
  const char* value = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): nothing sets it
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// Where cctz looks as well.
fs::path database() {
  const std::string chosen = environment("TZDIR").value_or("");
  return chosen.empty() ? "/usr/share/zoneinfo" : chosen;
}

bool is_zone_file(const fs::path& path) {
  std::array<char, 4> magic{};
  std::ifstream file(path, std::ios::binary);
  return file.read(magic.data(), magic.size()) &&
         std::string_view(magic.data(), magic.size()) == "TZif";
}

// Names come from requests: nothing that leads out of the database's folder, and none of the other
// things that cctz understands (a path, "file:", "libc:").
bool is_well_formed(std::string_view name) noexcept {
  constexpr std::string_view k_allowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
  // right/ counts leap seconds, posix/ has everything twice; two files are no places.
  return !name.empty() && name.size() <= k_longest_name && name.front() != '/' &&
         name.find_first_not_of(k_allowed) == std::string_view::npos &&
         !name.starts_with("right/") && !name.starts_with("posix/") && name != "posixrules" &&
         name != "localtime";
}

std::vector<std::string> known_names() {
  std::vector<std::string> names = {"UTC", "local"};
  const fs::path folder = database();
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::string name = entry->path().lexically_relative(folder).string();
    if (name == "right" || name == "posix") {
      entry.disable_recursion_pending();
    } else if (entry->is_regular_file(error) && is_well_formed(name) &&
               is_zone_file(entry->path())) {
      names.push_back(std::move(name));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string_view place_of(std::string_view name) noexcept {
  return name.substr(name.rfind('/') + 1);  // the whole when there is no slash
}

// "Europe/Berlin" for "berlin", "Europe/Berln" and "Europa/Berlin".
std::vector<std::string> near_names(std::string_view text) {
  std::string wanted(text);
  std::replace(wanted.begin(), wanted.end(), ' ', '_');
  const std::vector<std::string> names = known_names();
  std::vector<std::string> near;
  for (const auto& name : names) {
    if (equals_ignoring_case(place_of(name), place_of(wanted))) {
      near.push_back(name);
    }
  }
  if (!near.empty()) {
    return near;
  }
  if (auto name = nearest_name(wanted, names)) {
    return {*std::move(name)};
  }
  std::vector<std::string> places;
  for (const auto& name : names) {
    places.emplace_back(place_of(name));
  }
  if (const auto place = nearest_name(place_of(wanted), places)) {
    const auto at = std::find(places.begin(), places.end(), *place) - places.begin();
    return {names[static_cast<std::size_t>(at)]};
  }
  return {};
}

[[noreturn]] void refuse(std::string_view name) {
  std::error_code error;
  if (!fs::is_directory(database(), error)) {
    throw Error(ErrorCode::usage,
                fmt::format("the time zone \"{}\" cannot be looked up: {} is missing",
                            one_line(name, 60),
                            database().string()),
                "install the package tzdata, or use UTC");
  }
  std::string hint = "zones are named as in Europe/Berlin, America/New_York or UTC";
  if (name.starts_with('+') || name.starts_with('-')) {
    hint += "; an offset alone is no zone (Etc/GMT-2 is two hours ahead of UTC)";
  } else if (const auto near = near_names(name); !near.empty()) {
    hint = fmt::format("did you mean {}?", name_list(near, 5));
  }
  throw Error(ErrorCode::usage,
              fmt::format("\"{}\" is not a time zone", one_line(name, 60)),
              std::move(hint));
}

// The name in the database of the file that /etc/localtime stands for; empty when it is a copy.
std::string local_file_name() {
  std::error_code error;
  for (const fs::path& target :
       {fs::read_symlink(k_local_file, error), fs::canonical(k_local_file, error)}) {
    constexpr std::string_view k_folder = "/zoneinfo/";
    const std::string path = target.string();
    const auto at = path.rfind(k_folder);
    if (at != std::string::npos) {
      return path.substr(at + k_folder.size());
    }
  }
  return {};
}

CctzTime at(std::int64_t utc_s) {
  return CctzTime(cctz::seconds(utc_s));
}

std::int64_t seconds_of(CctzTime time) {
  return time.time_since_epoch().count();
}

// The moment of a change.
std::int64_t change_s(const cctz::time_zone& zone,
                      const cctz::time_zone::civil_transition& change) {
  return seconds_of(zone.lookup(change.to).trans);
}

}  // namespace

struct TimeZone::Rules {
  cctz::time_zone zone;
};

TimeZone TimeZone::utc() {
  return TimeZone("UTC", std::make_shared<const Rules>(Rules{cctz::utc_time_zone()}));
}

TimeZone TimeZone::find(std::string_view name) {
  name = trim(name);
  if (equals_ignoring_case(name, "UTC")) {
    return utc();
  }
  if (name == "local") {
    return local();
  }
  std::string exact(name);
  cctz::time_zone zone;
  if (!is_well_formed(name) || !is_zone_file(database() / exact) ||
      !cctz::load_time_zone(exact, &zone)) {
    refuse(name);
  }
  return TimeZone(std::move(exact), std::make_shared<const Rules>(Rules{zone}));
}

TimeZone TimeZone::local() {
  if (auto chosen = environment("TZ")) {
    std::string name = chosen->substr(chosen->starts_with(':') ? 1 : 0);
    const std::string folder = database().string() + "/";
    name = name.starts_with(folder) ? name.substr(folder.size()) : name;
    if (name.empty()) {
      return utc();
    }
    try {
      if (name == "local") {
        refuse(name);  // or it would be asked for again
      }
      return find(name);
    } catch (Error& error) {
      throw std::move(error).with_context("TZ in the environment");
    }
  }
  const std::string name = local_file_name();
  if (is_well_formed(name) && is_zone_file(database() / name)) {
    return find(name);
  }
  cctz::time_zone zone;
  if (is_zone_file(k_local_file) && cctz::load_time_zone(k_local_file, &zone)) {
    return TimeZone("local", std::make_shared<const Rules>(Rules{zone}));
  }
  return utc();  // as the C library does
}

OffsetSpan TimeZone::span_at(std::int64_t utc_s) const {
  constexpr auto k_never = std::numeric_limits<std::int64_t>::max();
  constexpr auto k_ever = std::numeric_limits<std::int64_t>::min();
  const std::int64_t cycles = utc_s < k_cycles_begin_s ? 0 : (utc_s - k_cycles_begin_s) / k_cycle_s;
  const std::int64_t shift_s = cycles * k_cycle_s;
  const CctzTime time = at(utc_s - shift_s);
  OffsetSpan span{k_ever, k_never, rules_->zone.lookup(time).offset, 0};
  span.previously_s = span.offset_s;
  cctz::time_zone::civil_transition change;
  if (rules_->zone.prev_transition(time + cctz::seconds(1), &change)) {
    span.begin_s = change_s(rules_->zone, change) + shift_s;
    span.previously_s = span.offset_s - static_cast<std::int32_t>(change.to - change.from);
  }
  if (rules_->zone.next_transition(time, &change)) {
    span.end_s = change_s(rules_->zone, change) + shift_s;
  }
  return span;
}

std::int64_t TimeZone::to_civil(std::int64_t utc_s) const {
  return utc_s + rules_->zone.lookup(at(utc_s)).offset;
}

std::int64_t TimeZone::to_utc(std::int64_t civil_s) const {
  const Lookup found = rules_->zone.lookup(cctz::civil_second(1970, 1, 1) + civil_s);
  return seconds_of(found.kind == Lookup::SKIPPED ? found.trans : found.pre);
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "cli/event_text.h"

#include "core/text.h"

#include <fmt/format.h>

#include <ctime>
#include <type_traits>
#include <variant>

namespace batchllm {
namespace {

using namespace job_event;

constexpr std::size_t k_columns = 400;

std::string local_second_text(std::int64_t wall_ms) {
  const auto seconds = static_cast<std::time_t>(wall_ms / 1000);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
                     parts.tm_year + 1900,
                     parts.tm_mon + 1,
                     parts.tm_mday,
                     parts.tm_hour,
                     parts.tm_min,
                     parts.tm_sec);
}

std::string counts_text(const JobCounts& counts) {
  std::string text = fmt::format("{} ok, {} failed", counts.ok, counts.failed);
  if (counts.skipped != 0) {
    text += fmt::format(", {} skipped", counts.skipped);
  }
  if (counts.cost_micro_usd != 0) {
    text += ", " + usd_text(counts.cost_micro_usd);
  }
  return text;
}

// Parts with something in them, one after the other.
std::string joined(const std::string& first, std::string_view separator, const std::string& next) {
  if (first.empty() || next.empty()) {
    return first + next;
  }
  return fmt::format("{}{}{}", first, separator, next);
}

std::string fault_text(const std::optional<JobFault>& fault) {
  return fault ? joined(fault->code, ": ", fault->message) : std::string();
}

template <typename Data>
std::string data_text(const Data& data) {
  if constexpr (std::is_same_v<Data, Queued>) {
    return joined(data.reason, ": ", data.message);
  } else if constexpr (std::is_same_v<Data, Started>) {
    return fmt::format("attempt {}, {}", data.attempt, data.worker);
  } else if constexpr (std::is_same_v<Data, Progress>) {
    return counts_text(data.counts);
  } else if constexpr (std::is_same_v<Data, Paused>) {
    const std::string why = data.fault ? fault_text(data.fault) : data.reason;
    return joined(why, "; ", counts_text(data.counts));
  } else if constexpr (std::is_same_v<Data, Interrupted>) {
    return data.reason;
  } else if constexpr (std::is_same_v<Data, WaitingInput>) {
    return joined(data.question.kind, ": ", data.question.text);
  } else if constexpr (std::is_same_v<Data, Answered>) {
    return data.answer;
  } else if constexpr (std::is_same_v<Data, Ended>) {
    return joined(fault_text(data.fault), "; ", counts_text(data.counts));
  } else if constexpr (std::is_same_v<Data, Requested>) {
    return data.wish;
  } else if constexpr (std::is_same_v<Data, Changed>) {
    return job_event_json(data);
  } else {
    return joined(data.level, ": ", data.text);
  }
}

}  // namespace

std::string event_text(const JobEvent& event) {
  const std::string what = std::visit([](const auto& data) { return data_text(data); }, event.data);
  return one_line(fmt::format("{} {} {}  ({})",
                              local_second_text(event.at_ms),
                              job_event_type(event.data),
                              what,
                              event.actor),
                  k_columns);
}

}  // namespace batchllm

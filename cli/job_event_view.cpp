// SPDX-License-Identifier: Apache-2.0
#include "cli/job_event_view.h"

#include "adapters/job/job_report.h"
#include "core/text.h"
#include "core/time_text.h"

#include <fmt/format.h>

#include <string_view>

namespace batchllm {
namespace {

constexpr std::string_view k_prefix = "job.";

std::string text_of(const JsonNode& value) {
  const auto text = value.string();
  return one_line(text ? std::string(*text) : value.to_json(), 200);
}

bool says_nothing(const JsonNode& value) {
  return value.is_null() || value.string() == "" || value.integer() == 0;
}

// "12 ok, 3 failed, $0.01"
std::string counts_text(const JsonNode& counts) {
  ProgressSnapshot snapshot;
  take_counts(counts, snapshot);
  return fmt::format("{} ok, {} failed{}",
                     snapshot.ok,
                     snapshot.failed,
                     snapshot.cost_is_known ? ", " + usd_text(snapshot.cost_micro_usd) : "");
}

// A member of the payload as a part of the line; empty when it adds nothing.
std::string part_text(const JsonMember& member) {
  if (says_nothing(member.value)) {
    return {};
  }
  if (member.key == "counts") {
    return counts_text(member.value);
  }
  if (member.key == "fault") {
    return one_line(member.value.find_string("message").value_or(""), 200);
  }
  if (member.key == "question" || member.key == "reason" || member.key == "message" ||
      member.key == "text" || member.key == "worker" || member.key == "wish") {
    const auto asked = member.value.find_string("text");
    return asked ? one_line(*asked, 200) : text_of(member.value);
  }
  return fmt::format("{} {}", member.key, text_of(member.value));
}

// The payload of an event; a tick is its own.
const JsonNode& counts_in(const JsonNode& event_or_tick) {
  const JsonNode* data = event_or_tick.find("data");
  return data == nullptr ? event_or_tick : *data;
}

void take(const JsonNode& counts, std::string_view key, std::uint64_t& into) {
  if (const JsonNode* found = counts.find(key)) {
    into = found->unsigned_integer().value_or(into);
  }
}

}  // namespace

std::string event_line(const JsonNode& event) {
  const auto at = parse_rfc3339(event.find_string("at").value_or(""));
  std::string_view type = event.find_string("type").value_or("");
  type.remove_prefix(type.starts_with(k_prefix) ? k_prefix.size() : 0);
  std::string line = fmt::format(
      "{}  {:<13}", at ? local_second_text(*at) : std::string(19, ' '), one_line(type, 40));
  std::string parts;
  if (const JsonNode* data = event.find("data")) {
    for (const JsonMember& member : data->members()) {
      const std::string part = part_text(member);
      parts += part.empty() || parts.empty() ? part : ", " + part;
    }
  }
  const auto actor = event.find_string("actor").value_or("");
  if (actor.starts_with("user:")) {
    parts += fmt::format("{}by {}", parts.empty() ? "" : ", ", one_line(actor, 40));
  }
  line += parts.empty() ? "" : "  " + parts;
  return std::string(line.substr(0, line.find_last_not_of(' ') + 1));
}

void take_counts(const JsonNode& event_or_tick, ProgressSnapshot& snapshot) {
  const JsonNode& counts = counts_in(event_or_tick);
  take(counts, "ok", snapshot.ok);
  take(counts, "failed", snapshot.failed);
  take(counts, "skipped", snapshot.skipped);
  take(counts, "in_flight", snapshot.in_flight);
  snapshot.done = snapshot.ok + snapshot.failed + snapshot.skipped;
  if (const JsonNode* total = counts.find("rows_total"); total != nullptr && total->integer()) {
    snapshot.total = total->unsigned_integer();
    snapshot.total_is_exact = true;
  }
  if (const JsonNode* cost = counts.find("cost_micro_usd")) {
    snapshot.cost_micro_usd = cost->integer().value_or(snapshot.cost_micro_usd);
    snapshot.cost_is_known = snapshot.cost_micro_usd != 0;
  }
  if (const JsonNode* rate = counts.find("rows_per_s")) {
    snapshot.rows_per_s = rate->number().value_or(0);
  }
}

ProgressSnapshot progress_of(const DaemonJob& job) {
  ProgressSnapshot snapshot;
  snapshot.ok = job.ok;
  snapshot.failed = job.failed;
  snapshot.skipped = job.skipped;
  snapshot.done = job.ok + job.failed + job.skipped;
  snapshot.already_done = snapshot.done;
  snapshot.total = job.rows_total;
  snapshot.total_is_exact = job.rows_total.has_value();
  snapshot.cost_micro_usd = job.cost_micro_usd;
  snapshot.cost_is_known = job.cost_micro_usd != 0;
  snapshot.input_tokens = job.input_tokens;
  snapshot.output_tokens = job.output_tokens;
  return snapshot;
}

}  // namespace batchllm

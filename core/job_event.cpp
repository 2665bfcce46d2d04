// SPDX-License-Identifier: Apache-2.0
#include "core/job_event.h"

#include "core/error.h"
#include "core/json_document.h"
#include "core/json_text.h"
#include "core/progress.h"
#include "core/redaction.h"
#include "core/text.h"
#include "core/time_text.h"

#include <fmt/format.h>

#include <array>
#include <set>
#include <type_traits>
#include <utility>

namespace batchllm {
namespace {

using namespace job_event;

// The members of each payload, once for the writer and the reader.
template <typename Members, typename Counts>
void describe_counts(Members& members, Counts& counts) {
  members.member("rows_total", counts.rows_total);
  members.member("ok", counts.ok);
  members.member("failed", counts.failed);
  members.member("skipped", counts.skipped);
  members.member("cost_micro_usd", counts.cost_micro_usd);
  members.member("input_tokens", counts.input_tokens);
  members.member("output_tokens", counts.output_tokens);
}

template <typename Members, typename Data>
void describe(Members& members, Data& data) {
  using Type = std::remove_const_t<Data>;
  if constexpr (std::is_same_v<Type, Queued>) {
    members.member("reason", data.reason);
    members.member("message", data.message);
    members.member("not_before_ms", data.not_before_ms);
    members.member("priority", data.priority);
    members.member("attempt", data.attempt);
    members.member("crash_count", data.crash_count);
  } else if constexpr (std::is_same_v<Type, Started>) {
    members.member("attempt", data.attempt);
    members.member("crash_count", data.crash_count);
    members.member("epoch", data.epoch);
    members.member("worker", data.worker);
  } else if constexpr (std::is_same_v<Type, Progress>) {
    describe_counts(members, data.counts);
  } else if constexpr (std::is_same_v<Type, Paused>) {
    members.member("reason", data.reason);
    members.member("fault", data.fault);
    members.member("attempt", data.attempt);
    members.member("crash_count", data.crash_count);
    describe_counts(members, data.counts);
  } else if constexpr (std::is_same_v<Type, Interrupted>) {
    members.member("reason", data.reason);
    members.member("attempt", data.attempt);
    members.member("crash_count", data.crash_count);
  } else if constexpr (std::is_same_v<Type, WaitingInput>) {
    members.member("question", data.question);
    members.member("attempt", data.attempt);
    members.member("crash_count", data.crash_count);
    describe_counts(members, data.counts);
  } else if constexpr (std::is_same_v<Type, Answered>) {
    members.member("answer", data.answer);
  } else if constexpr (std::is_same_v<Type, Ended>) {
    members.member("exit_code", data.exit_code);
    members.member("fault", data.fault);
    describe_counts(members, data.counts);
  } else if constexpr (std::is_same_v<Type, Requested>) {
    members.member("wish", data.wish);
  } else if constexpr (std::is_same_v<Type, Changed>) {
    members.member("priority", data.priority);
    members.member("name", data.name);
    members.member("tags", data.tags);
    members.member("max_cost_micro_usd", data.max_cost_micro_usd);
  } else if constexpr (std::is_same_v<Type, Log>) {
    members.member("level", data.level);
    members.member("text", data.text);
  } else if constexpr (std::is_same_v<Type, JobFault>) {
    members.member("code", data.code);
    members.member("message", data.message);
    members.member("hint", data.hint);
  } else {
    static_assert(std::is_same_v<Type, JobQuestion>);
    members.member("kind", data.kind);
    members.member("text", data.text);
  }
}

class PayloadWriter {
 public:
  explicit PayloadWriter(JsonWriter& json) : json_(json) {}

  void member(std::string_view name, std::int64_t value) { json_.key(name).number(value); }

  void member(std::string_view name, const std::string& value) { json_.key(name).string(value); }

  template <typename Object>
  void member(std::string_view name, const Object& value) {
    json_.key(name).begin_object();
    describe(*this, value);
    json_.end_object();
  }

  template <typename Value>
  void member(std::string_view name, const std::optional<Value>& value) {
    if (value) {
      member(name, *value);
    } else {
      json_.key(name).null();
    }
  }

 private:
  JsonWriter& json_;
};

class PayloadReader {
 public:
  PayloadReader(std::string_view type, const JsonNode& object) : type_(type), object_(object) {
    if (object.kind() != JsonNode::Kind::object) {
      refuse("is no JSON object");
    }
  }

  void member(std::string_view name, std::int64_t& value) {
    const auto number = take(name).integer();
    if (!number) {
      refuse(fmt::format("has no whole number as {}", name));
    }
    value = *number;
  }

  void member(std::string_view name, std::string& value) {
    const auto text = take(name).string();
    if (!text) {
      refuse(fmt::format("has no text as {}", name));
    }
    value = *text;
  }

  template <typename Object>
  void member(std::string_view name, Object& value) {
    PayloadReader inner(type_, take(name));
    describe(inner, value);
    inner.finish();
  }

  template <typename Value>
  void member(std::string_view name, std::optional<Value>& value) {
    const JsonNode* found = object_.find(name);
    if (found != nullptr && found->is_null()) {
      seen_.insert(name);
      value.reset();
    } else {
      member(name, value.emplace());
    }
  }

  // Refuses members that nobody asked for.
  void finish() const {
    for (const JsonMember& given : object_.members()) {
      if (!seen_.contains(given.key)) {
        refuse(fmt::format("has an unknown member {}", printable(given.key)));
      }
    }
  }

 private:
  const JsonNode& take(std::string_view name) {
    const JsonNode* found = object_.find(name);
    if (found == nullptr) {
      refuse(fmt::format("lacks {}", name));
    }
    seen_.insert(name);
    return *found;
  }

  [[noreturn]] void refuse(std::string_view what) const {
    throw Error(ErrorCode::job_corrupt, fmt::format("the payload of {} {}", type_, what));
  }

  std::string_view type_;
  const JsonNode& object_;
  std::set<std::string_view> seen_;
};

constexpr std::array<std::string_view, 11> k_types = {"job.queued",
                                                      "job.started",
                                                      "job.progress",
                                                      "job.paused",
                                                      "job.interrupted",
                                                      "job.waiting_input",
                                                      "job.answered",
                                                      "",  // its state names it
                                                      "job.requested",
                                                      "job.changed",
                                                      "job.log"};

template <std::size_t index = 0>
JobEventData empty_data(std::string_view type) {
  if constexpr (index == std::variant_size_v<JobEventData>) {
    for (const JobState state :
         {JobState::succeeded, JobState::partial, JobState::failed, JobState::cancelled}) {
      Ended ended;
      ended.state = state;
      if (job_event_type(ended) == type) {
        return ended;
      }
    }
    throw Error(ErrorCode::job_corrupt, fmt::format("unknown event {}", printable(type)));
  } else {
    if (!type.empty() && k_types[index] == type) {
      return std::variant_alternative_t<index, JobEventData>{};
    }
    return empty_data<index + 1>(type);
  }
}

}  // namespace

JobCounts counts_of(const ProgressSnapshot& snapshot) {
  JobCounts counts;
  counts.ok = static_cast<std::int64_t>(snapshot.ok);
  counts.failed = static_cast<std::int64_t>(snapshot.failed);
  counts.skipped = static_cast<std::int64_t>(snapshot.skipped);
  counts.cost_micro_usd = snapshot.cost_micro_usd;
  counts.input_tokens = snapshot.input_tokens;
  counts.output_tokens = snapshot.output_tokens;
  if (snapshot.total) {
    counts.rows_total = static_cast<std::int64_t>(*snapshot.total);
  }
  return counts;
}

JobFault fault_of(const Error& error) {
  return {std::string(error.name()), redacted(error.message()), redacted(error.hint())};
}

std::string_view job_event_type(const JobEventData& data) noexcept {
  if (const auto* ended = std::get_if<Ended>(&data)) {
    switch (ended->state) {
      case JobState::partial:
        return "job.partial";
      case JobState::failed:
        return "job.failed";
      case JobState::cancelled:
        return "job.cancelled";
      default:
        return "job.succeeded";
    }
  }
  return k_types.at(data.index());
}

std::string job_event_json(const JobEventData& data) {
  JsonWriter json;
  json.begin_object();
  PayloadWriter writer(json);
  std::visit([&writer](const auto& payload) { describe(writer, payload); }, data);
  return json.end_object().text();
}

JobEventData parse_job_event(std::string_view type, int version, std::string_view json) {
  if (version != k_job_event_version) {
    throw Error(ErrorCode::job_corrupt,
                fmt::format("{} has version {}; this program knows version {}",
                            printable(type),
                            version,
                            k_job_event_version),
                "a newer batchllm wrote it: use that one");
  }
  JobEventData data = empty_data(type);
  const auto document = parse_json_document(json);
  if (!document) {
    throw Error(ErrorCode::job_corrupt, fmt::format("the payload of {} is no JSON", type));
  }
  PayloadReader reader(type, *document);
  std::visit([&reader](auto& payload) { describe(reader, payload); }, data);
  reader.finish();
  return data;
}

std::string job_event_document(std::int64_t seq,
                               std::int64_t at_ms,
                               std::string_view type,
                               std::int64_t version,
                               std::string_view actor,
                               std::string_view data_json) {
  JsonWriter json;
  json.begin_object().key("seq").number(seq).key("at").string(rfc3339_text(at_ms));
  json.key("type").string(type).key("version").number(version);
  json.key("actor").string(actor).key("data").raw(data_json);
  return json.end_object().text();
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "daemon/queue/event_reader.h"

#include <algorithm>
#include <array>

namespace batchllm::daemon {
namespace {

constexpr std::array<std::string_view, 4> k_ends = {
    "job.succeeded", "job.partial", "job.failed", "job.cancelled"};

}  // namespace

std::vector<StoredEvent> read_event_documents(sql::Database& database,
                                              std::string_view job_id,
                                              std::int64_t after,
                                              std::int64_t limit,
                                              std::size_t bytes) {
  auto query = database.prepare(
      "SELECT seq, at, type, version, actor, data FROM job_events WHERE job_id = ? AND seq > ? "
      "ORDER BY seq LIMIT ?");
  query.bind_all(job_id, after, limit);
  std::vector<StoredEvent> events;
  std::size_t read = 0;
  while (read <= bytes && query.step()) {
    events.push_back({query.integer(0),
                      job_event_document(query.integer(0),
                                         query.integer(1),
                                         query.text(2),
                                         query.integer(3),
                                         query.text(4),
                                         query.text(5))});
    read += events.back().document.size();
  }
  return events;
}

std::string_view event_type_of(std::string_view document) {
  constexpr std::string_view k_before = R"("type":")";
  const auto begin = document.find(k_before) + k_before.size();
  return document.substr(begin, document.find('"', begin) - begin);
}

bool is_end_event(std::string_view type) noexcept {
  return std::find(k_ends.begin(), k_ends.end(), type) != k_ends.end();
}

JobView replay_job(sql::Database& database, std::string_view job_id) {
  auto query = database.prepare(
      "SELECT seq, at, type, version, actor, data FROM job_events WHERE job_id = ? ORDER BY seq");
  query.bind_all(job_id);
  JobView view;
  while (query.step()) {
    apply(view,
          {query.integer(0),
           query.integer(1),
           query.string(4),
           parse_job_event(query.text(2), static_cast<int>(query.integer(3)), query.text(5))});
  }
  return view;
}

}  // namespace batchllm::daemon

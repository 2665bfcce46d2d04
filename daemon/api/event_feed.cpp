// SPDX-License-Identifier: Apache-2.0
#include "daemon/api/event_feed.h"

#include "daemon/http/sse_writer.h"
#include "daemon/queue/event_reader.h"

#include <utility>

namespace batchllm::daemon {
namespace {

constexpr std::int64_t k_page_events = 500;
constexpr std::size_t k_page_bytes = std::size_t{16} << 10;

}  // namespace

EventFeed::EventFeed(JobStore& store,
                     std::string job_id,
                     std::int64_t after,
                     std::function<void()> news)
    : store_(store),
      watch_(store.hub(), std::move(job_id), std::move(news)),
      sent_(after) {}

ResponseFeed::Next EventFeed::write(std::string& out) {
  if (!std::exchange(has_greeted_, true)) {
    out += "retry: 2000\n\n";
    append_sse_comment(out, "ok");
  }
  if (reads_stored_) {
    if (write_stored(out)) {
      return Next::at_once;
    }
    if (is_at_end_) {
      return Next::never;  // and nothing came behind it, as when the job is run once more
    }
    reads_stored_ = false;
  }
  return write_news(out);
}

// False when there was nothing.
bool EventFeed::write_stored(std::string& out) {
  const auto events = store_.read([this](sql::Database& database) {
    return read_event_documents(database, watch_.job_id(), sent_, k_page_events, k_page_bytes);
  });
  for (const StoredEvent& event : events) {
    write_event(out, event.seq, event.document);
  }
  return !events.empty();
}

ResponseFeed::Next EventFeed::write_news(std::string& out) {
  while (out.size() < k_page_bytes) {
    const EventHub::Watch::News news = watch_.look(sent_);
    if (news.look_it_up) {
      reads_stored_ = true;
      return Next::at_once;
    }
    if (news.event) {
      write_event(out, sent_ + 1, *news.event);
      if (is_at_end_) {
        return Next::never;
      }
    } else if (news.live) {
      append_sse_event(out, {{}, "progress", *news.live, {}});
    } else {
      return Next::when_news;
    }
  }
  return Next::at_once;
}

void EventFeed::write_event(std::string& out, std::int64_t seq, std::string_view document) {
  const std::string_view type = event_type_of(document);
  append_sse_event(out, {std::to_string(seq), type, document, {}});
  sent_ = seq;
  is_at_end_ = is_end_event(type);
}

}  // namespace batchllm::daemon

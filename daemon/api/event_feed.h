// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/http/http_message.h"
#include "daemon/queue/event_hub.h"
#include "daemon/queue/job_store.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace batchllm::daemon {

// A job's events for one client who follows it, as server-sent events: first those that are stored,
// read in pages as the client takes them, then what happens. Ends behind the event that ends the
// job.
class EventFeed final : public ResponseFeed {
 public:
  // Begins behind event number `after`.
  EventFeed(JobStore& store, std::string job_id, std::int64_t after, std::function<void()> news);

  Next write(std::string& out) override;

  std::string_view sign_of_life() const override { return ": ping\n\n"; }

 private:
  bool write_stored(std::string& out);
  Next write_news(std::string& out);
  void write_event(std::string& out, std::int64_t seq, std::string_view document);

  JobStore& store_;
  EventHub::Watch watch_;
  std::int64_t sent_;
  bool has_greeted_ = false;
  bool reads_stored_ = true;
  bool is_at_end_ = false;  // the last event sent ended the job
};

}  // namespace batchllm::daemon

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace batchllm::daemon {

// Tells those who watch a job of its new events, in memory: what is older than the watch is read
// from the database. Thread-safe.
class EventHub {
 public:
  class Watch;

  // True when somebody does.
  bool is_watched(const std::string& job_id);

  // An event that is durable: its number and its document (core/job_event.h). Costs a look into a
  // table when nobody watches the job.
  void publish(const std::string& job_id,
               std::int64_t seq,
               const std::shared_ptr<const std::string>& document);

  // Ends every wait, now and from now on: the daemon stops.
  void shut_down();

  // How far the job is at this moment: goes to those who watch now and is kept nowhere.
  void publish_live(const std::string& job_id, const std::shared_ptr<const std::string>& document);

 private:
  struct Topic {
    // Tells everybody that there is news, with `mutex` held.
    void tell();

    std::mutex mutex;
    std::condition_variable changed;
    std::int64_t last_seq = 0;
    std::deque<std::pair<std::int64_t, std::shared_ptr<const std::string>>> recent;
    std::shared_ptr<const std::string> live;
    std::uint64_t live_version = 0;
    std::vector<Watch*> callers;  // the watches with an `on_news`
    int watchers = 0;             // guarded by the hub's mutex
  };

  std::shared_ptr<Topic> find(const std::string& job_id);

  std::atomic<bool> is_shut_down_{false};
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<Topic>> topics_;
};

// One client's look at one job.
class EventHub::Watch {
 public:
  // For one who does not wait(), `on_news` is called once there is news, and then not again before
  // the next look(). Any thread calls it, until the destructor returns; it must neither look nor
  // wait for somebody who does.
  Watch(EventHub& hub, std::string job_id, std::function<void()> on_news = {});
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  Watch(Watch&&) = delete;
  Watch& operator=(Watch&&) = delete;

  struct News {
    std::shared_ptr<const std::string> event;  // with number `after` + 1, when it is at hand
    std::shared_ptr<const std::string> live;   // newer than the last one given
    bool look_it_up = false;                   // there are events that only the database has
  };

  // What there is now behind event number `after`; nothing is set when there is no news.
  News look(std::int64_t after);

  // The same, but blocks until there is news, the hub was shut down, or the time is over.
  News wait(std::int64_t after, std::chrono::milliseconds patience);

  const std::string& job_id() const noexcept { return job_id_; }

 private:
  friend struct Topic;

  bool has_news(std::int64_t after) const;  // with the topic's mutex held, as the next
  News take(std::int64_t after);

  EventHub& hub_;
  const std::string job_id_;
  const std::function<void()> on_news_;
  std::shared_ptr<Topic>
      topic_;  // shared with the hub's publishers, who use it after the last watch
  std::uint64_t live_seen_ = 0;
  bool was_told_ = false;  // guarded by the topic's mutex
};

}  // namespace batchllm::daemon

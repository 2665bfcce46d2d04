// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

namespace batchllm::daemon {

// Tells those who watch a job of its new events, in memory: what is older than the watch is read
// from the database. Thread-safe.
class EventHub {
 public:
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
    std::mutex mutex;
    std::condition_variable changed;
    std::int64_t last_seq = 0;
    std::deque<std::pair<std::int64_t, std::shared_ptr<const std::string>>> recent;
    std::shared_ptr<const std::string> live;
    std::uint64_t live_version = 0;
    int watchers = 0;
  };

 public:
  // One client's look at one job.
  class Watch {
   public:
    Watch(EventHub& hub, std::string job_id);
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

    // Blocks until there is news behind event number `after`, `close` was called, the hub was shut
    // down, or the time is over: then nothing is set.
    News wait(std::int64_t after, std::chrono::milliseconds patience);

    // Ends a wait now and every one to come. Any thread.
    void close();

    bool is_closed() const;

   private:
    EventHub& hub_;
    std::string job_id_;
    std::shared_ptr<Topic> topic_;
    std::uint64_t live_seen_ = 0;
    bool is_closed_ = false;  // guarded by the topic's mutex
  };

 private:
  std::shared_ptr<Topic> find(const std::string& job_id);

  std::atomic<bool> is_shut_down_{false};
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<Topic>> topics_;
};

}  // namespace batchllm::daemon

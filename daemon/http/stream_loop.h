// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/http/deadline_list.h"
#include "core/clock.h"
#include "core/file_handle.h"
#include "core/mutex.h"
#include "daemon/http/feed_stream.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <unordered_map>
#include <vector>

namespace batchllm::daemon {

// Carries all the streams that feeds write, on one thread, which the first of them starts: a stream
// costs its socket and what its client has not taken yet. It notices at once that a client leaves,
// drops one that takes nothing for `patience`, and sends all a sign of life at every `pulse`.
// Without a stream it never wakes up.
//
// Thread rule: adopt() and stop() from any thread.
class StreamLoop {
 public:
  // `on_end` is called whenever a stream has ended.
  StreamLoop(std::chrono::milliseconds patience,
             std::chrono::milliseconds pulse,
             std::function<void()> on_end);
  ~StreamLoop();
  StreamLoop(const StreamLoop&) = delete;
  StreamLoop& operator=(const StreamLoop&) = delete;

  // Begins the feed and writes it to `socket`. What it throws is about the stream alone, which has
  // not begun.
  void adopt(FileHandle socket, FeedStart start);

  // Sends what feeds have to say now and ends all streams; those that are adopted later end with
  // their heads. Returns when all have ended.
  void stop();

 private:
  struct Stream final : Deadline {  // the deadline of a client that takes nothing

    Stream(std::uint64_t number, FileHandle socket, FeedStart start, std::function<void()> news)
        : id(number),
          response(std::move(socket), std::move(start), std::move(news)) {}

    const std::uint64_t id;
    FeedStream response;
    FeedStream::Waits waits = FeedStream::Waits::turn;
  };

  // What other threads have for this one.
  struct Inbox {
    std::vector<std::unique_ptr<Stream>> streams;
    std::vector<std::uint64_t> news;  // of these streams
    bool is_stopping = false;
    bool is_signalled = false;
  };

  void tell(std::uint64_t id);
  void signal() BATCHLLM_REQUIRES(mutex_);
  Inbox take_inbox();

  // All of these on the loop's thread.
  void run();
  int patience_ms() const;
  void wait();
  void begin(std::unique_ptr<Stream> stream);
  void go_on_with(std::uint64_t id, FeedStream::Waits expected);
  void settle(Stream& stream, FeedStream::Waits waits);
  void end(Stream& stream);
  void drop_the_stalled();
  void send_signs_of_life();

  const std::chrono::milliseconds patience_;
  const std::chrono::milliseconds pulse_;
  const std::function<void()> on_end_;
  const FileHandle epoll_;
  const FileHandle inbox_event_;
  Mutex mutex_;
  Inbox inbox_ BATCHLLM_GUARDED_BY(mutex_);
  std::uint64_t next_id_ BATCHLLM_GUARDED_BY(mutex_) = 1;
  std::thread thread_ BATCHLLM_GUARDED_BY(mutex_);

  // The loop's thread only.
  std::unordered_map<std::uint64_t, std::unique_ptr<Stream>> streams_;
  std::vector<std::uint64_t> turns_;  // who has more to say
  DeadlineList stalled_;
  TimePoint next_pulse_{};
};

}  // namespace batchllm::daemon

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/file_handle.h"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <unordered_map>

namespace batchllm::daemon {

// The streams that are being written, watched for clients that leave: the kernel tells, nobody
// asks. Thread-safe but for hung_up(), which belongs to the thread that waits on `epoll`.
class OpenStreams {
 public:
  // One place among the streams; gives it back at its end. `id` is 0 when there was none.
  class Place {
   public:
    Place(OpenStreams& streams, int socket) : streams_(streams), id_(streams.open(socket, stop_)) {}

    ~Place() { streams_.close(id_); }

    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    bool is_taken() const noexcept { return id_ != 0; }

    std::stop_token closed() const { return stop_.get_token(); }

   private:
    OpenStreams& streams_;
    std::stop_source stop_;
    std::uint64_t id_;
  };

  // Ids in `epoll`'s events begin at `first_id`; smaller ones are the caller's.
  OpenStreams(int epoll, std::uint64_t first_id, std::size_t most)
      : epoll_(epoll),
        next_id_(first_id),
        most_(most) {}

  // An event with this id came.
  void hung_up(std::uint64_t id);

  // From now on, every stream is closed.
  void stop();

 private:
  std::uint64_t open(int socket, const std::stop_source& stop);
  void close(std::uint64_t id);

  struct Stream {
    int socket;
    std::stop_source stop;
  };

  const int epoll_;
  std::mutex mutex_;
  std::uint64_t next_id_;  // guarded by mutex_, as everything below
  const std::size_t most_;
  std::unordered_map<std::uint64_t, Stream> streams_;
  bool stopping_ = false;
};

}  // namespace batchllm::daemon

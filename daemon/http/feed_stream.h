// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/file_handle.h"
#include "daemon/http/http_message.h"
#include "daemon/http/stream_places.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace batchllm::daemon {

// A response that a feed is to write from now on: its head is written, and not sent yet.
struct FeedStart {
  std::string head;
  FeedSource source;
  bool is_chunked = true;  // false: its end is the connection's
  StreamPlaces::Place place;
};

// A client's connection whose response a feed writes. Never blocks, and keeps of the response what
// its client has not taken: a page of the feed's at most. For one thread.
class FeedStream {
 public:
  // What it goes on with: the feed's next news, room at the client's side, its next turn (there is
  // more to say, others come first), or nothing: it is whole or broken.
  enum class Waits { news, room, turn, never };

  // Begins the feed, which calls `news` (see FeedSource); throws what that throws.
  FeedStream(FileHandle socket, FeedStart start, std::function<void()> news);

  int descriptor() const noexcept { return socket_.get(); }

  // Sends what is left and then, when the client takes all of it, what the feed says next.
  Waits go_on() noexcept;

  // The same for a sign of life, of a stream that waits for news.
  Waits send_sign_of_life() noexcept;

  // Ends the response where it is, as far as the client takes it now.
  void end() noexcept;

 private:
  Waits advance();
  Waits send(Waits after);
  void append(std::string_view bytes);

  FileHandle socket_;
  StreamPlaces::Place place_;
  const bool is_chunked_;
  bool has_begun_ = false;
  bool is_whole_ = false;
  std::string pending_;    // with the transfer's framing
  std::size_t taken_ = 0;  // of the pending bytes
  std::unique_ptr<ResponseFeed> feed_;
};

}  // namespace batchllm::daemon

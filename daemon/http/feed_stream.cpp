// SPDX-License-Identifier: Apache-2.0
#include "daemon/http/feed_stream.h"

#include <fmt/format.h>

#include <sys/socket.h>

#include <cerrno>
#include <iterator>
#include <utility>

namespace batchllm::daemon {

FeedStream::FeedStream(FileHandle socket, FeedStart start, std::function<void()> news)
    : socket_(std::move(socket)),
      place_(std::move(start.place)),
      is_chunked_(start.is_chunked),
      pending_(std::move(start.head)),
      feed_(start.source(std::move(news))) {}

FeedStream::Waits FeedStream::go_on() noexcept {
  try {
    return advance();
  } catch (...) {
    return Waits::never;  // without the last chunk: the client sees that it was cut
  }
}

FeedStream::Waits FeedStream::advance() {
  // The head goes with the first news.
  if (std::exchange(has_begun_, true)) {
    if (const Waits waits = send(Waits::turn); waits != Waits::turn) {
      return waits;
    }
  }
  std::string news;
  const ResponseFeed::Next next = feed_->write(news);
  append(news);
  is_whole_ = next == ResponseFeed::Next::never;
  if (is_whole_ && is_chunked_) {
    pending_ += "0\r\n\r\n";
  }
  return send(next == ResponseFeed::Next::at_once ? Waits::turn : Waits::news);
}

FeedStream::Waits FeedStream::send_sign_of_life() noexcept {
  try {
    append(feed_->sign_of_life());
    return send(Waits::news);
  } catch (...) {
    return Waits::never;
  }
}

void FeedStream::end() noexcept {
  if (is_whole_) {
    return;
  }
  try {
    is_whole_ = true;
    if (is_chunked_) {
      pending_ += "0\r\n\r\n";
    }
    send(Waits::never);
  } catch (...) {
    return;  // as if the client took nothing
  }
}

// `after` is what it waits for when everything was taken.
FeedStream::Waits FeedStream::send(Waits after) {
  while (taken_ < pending_.size()) {
    const ssize_t count = ::send(descriptor(),
                                 pending_.data() + taken_,
                                 pending_.size() - taken_,
                                 MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      taken_ += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      return errno == EAGAIN ? Waits::room : Waits::never;
    }
  }
  pending_ = std::string();  // thousands wait at a time: none keeps memory for it
  taken_ = 0;
  return is_whole_ ? Waits::never : after;
}

void FeedStream::append(std::string_view bytes) {
  if (!is_chunked_ || bytes.empty()) {  // a chunk of nothing would be the end
    pending_ += bytes;
    return;
  }
  fmt::format_to(std::back_inserter(pending_), "{:x}\r\n{}\r\n", bytes.size(), bytes);
}

}  // namespace batchllm::daemon

// SPDX-License-Identifier: Apache-2.0
#include "daemon/http/request_body.h"

#include "core/error.h"

#include <fmt/format.h>

#include <algorithm>

namespace batchllm::daemon {
namespace {

constexpr std::size_t k_piece_bytes = std::size_t{64} << 10;
constexpr std::uint64_t k_skipped_bytes = std::uint64_t{1} << 20;
constexpr std::size_t k_line_bytes = std::size_t{4} << 10;
constexpr std::uint64_t k_meaningless_bytes = std::uint64_t{16} << 10;
constexpr std::size_t k_size_digits = 15;  // fits 60 bits

[[noreturn]] void fail(std::string_view what) {
  throw Error(ErrorCode::usage, fmt::format("the request's body {}", what));
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

RequestBody::RequestBody(ConnectionSocket& connection,
                         const RequestHead& head,
                         std::chrono::milliseconds patience)
    : connection_(connection),
      patience_(patience),
      state_(head.is_chunked ? State::chunk_head : State::length),
      left_(head.content_length.value_or(0)),
      owes_continue_(head.expects_continue && head.has_body()) {
  if (!head.has_body()) {
    state_ = State::complete;
  }
}

std::string_view RequestBody::next() {
  connection_.consume(std::exchange(piece_, 0));
  while (state_ != State::complete) {
    switch (state_) {
      case State::length:
      case State::chunk:
        if (left_ > 0) {
          return data();
        }
        state_ = state_ == State::length ? State::complete : State::chunk_end;
        break;
      case State::chunk_head:
        begin_chunk();
        break;
      case State::chunk_end:
        if (!take_line().empty()) {
          fail("has a chunk that is longer than it says");
        }
        state_ = State::chunk_head;
        break;
      case State::trailer:
        if (const auto line = take_line(); line.empty()) {
          state_ = State::complete;
        } else {
          count_meaningless(line.size());
        }
        break;
      case State::complete:
        break;
    }
  }
  return {};
}

std::string_view RequestBody::data() {
  if (connection_.pending().empty()) {
    receive();
  }
  const auto bytes = connection_.pending();
  piece_ = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left_));
  left_ -= piece_;
  return bytes.substr(0, piece_);
}

void RequestBody::begin_chunk() {
  const auto line = take_line();
  std::size_t digits = 0;
  left_ = 0;
  for (; digits < line.size() && hex_value(line[digits]) >= 0; ++digits) {
    if (digits == k_size_digits) {
      fail("has a chunk whose size is too long");
    }
    left_ = left_ * 16 + static_cast<std::uint64_t>(hex_value(line[digits]));
  }
  const auto after = line.substr(digits);
  if (digits == 0 || !(after.empty() || after.find_first_of("; \t") == 0)) {
    fail("has a chunk without a size");
  }
  count_meaningless(after.size());
  state_ = left_ == 0 ? State::trailer : State::chunk;
}

// Extensions and trailers mean nothing here; a body must not be made of them.
void RequestBody::count_meaningless(std::size_t bytes) {
  meaningless_bytes_ += bytes;
  if (meaningless_bytes_ > k_meaningless_bytes) {
    fail("has too many chunk extensions or trailers");
  }
}

// One line of the chunked framing, without its CRLF. Valid until the next receive.
std::string_view RequestBody::take_line() {
  while (true) {
    const auto bytes = connection_.pending();
    const auto end = bytes.find('\n');
    if (end != std::string_view::npos && end <= k_line_bytes) {
      if (end == 0 || bytes[end - 1] != '\r') {
        fail("has a line that does not end in CRLF");
      }
      connection_.consume(end + 1);
      return bytes.substr(0, end - 1);
    }
    if (bytes.size() > k_line_bytes) {
      fail("has a line of its chunked framing that is too long");
    }
    receive();
  }
}

void RequestBody::receive() {
  if (std::exchange(owes_continue_, false) &&
      !connection_.send("HTTP/1.1 100 Continue\r\n\r\n", {}, patience_)) {
    fail("was never sent");
  }
  switch (connection_.receive(k_piece_bytes, ConnectionSocket::Clock::now() + patience_)) {
    case ConnectionSocket::Received::bytes:
      return;
    case ConnectionSocket::Received::end:
      fail("ends before its end");
    case ConnectionSocket::Received::late:
      throw Error(ErrorCode::deadline,
                  fmt::format("the request's body stalled for {} s",
                              std::chrono::duration<double>(patience_).count()));
  }
}

bool RequestBody::is_worth_skipping() const noexcept {
  return state_ == State::length && left_ <= k_skipped_bytes && !owes_continue_;
}

bool RequestBody::skip() noexcept {
  try {
    while (!next().empty()) {
    }
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace batchllm::daemon

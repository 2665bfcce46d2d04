// SPDX-License-Identifier: Apache-2.0
#include "adapters/stream/byte_stream.h"

#include "adapters/stream/decompression.h"
#include "adapters/stream/raw_bytes.h"
#include "adapters/stream/transcoder.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

namespace batchllm {
namespace {

constexpr std::size_t k_head = 4096;
constexpr std::string_view k_utf8_mark = "\xEF\xBB\xBF";

struct EncodingMark {
  std::string_view bytes;
  std::string_view encoding;
};

// UTF-32LE first: UTF-16LE's mark is its beginning.
constexpr std::array k_marks = {
    EncodingMark{std::string_view("\xFF\xFE\0\0", 4), "utf-32le"},
    EncodingMark{std::string_view("\0\0\xFE\xFF", 4), "utf-32be"},
    EncodingMark{"\xFF\xFE", "utf-16le"},
    EncodingMark{"\xFE\xFF", "utf-16be"},
};

// Reads until `head` has `wanted` bytes or the input ends.
void read_head(RawBytes& bytes, std::string& head, std::size_t wanted) {
  const std::size_t before = head.size();
  std::size_t have = before;
  head.resize(std::max(wanted, have));
  while (have < wanted) {
    const std::size_t count = bytes.read(head.data() + have, wanted - have);
    if (count == 0) {
      break;
    }
    have += count;
  }
  head.resize(have);
}

std::string encoding_by_mark(std::string_view head) {
  for (const auto& mark : k_marks) {
    if (head.starts_with(mark.bytes)) {
      return std::string(mark.encoding);
    }
  }
  return "utf-8";
}

bool is_utf8_name(std::string_view encoding) {
  const std::string name = lowercase(encoding);
  return name == "utf-8" || name == "utf8" || name == "ascii" || name == "us-ascii";
}

class TextByteStream final : public ByteStream {
 public:
  TextByteStream(std::unique_ptr<RawBytes> stored, const std::string& encoding)
      : bytes_(std::move(stored)) {
    // A pipe's first read may be short, so only the few bytes that decide are waited for.
    constexpr std::size_t k_magic = 10;
    read_head(*bytes_, head_, k_magic);
    compression_ = compression_by_magic(head_);
    if (compression_ != "none") {
      bytes_ = decompress(std::move(bytes_), std::exchange(head_, {}));
      read_head(*bytes_, head_, k_magic);
    }
    encoding_ = encoding.empty() ? encoding_by_mark(head_) : lowercase(encoding);
    if (is_utf8_name(encoding_)) {
      encoding_ = "utf-8";
      if (head_.starts_with(k_utf8_mark)) {
        mark_bytes_ = k_utf8_mark.size();
        head_.erase(0, mark_bytes_);
      }
      return;
    }
    transcoder_ = std::make_unique<Transcoder>(encoding_, bytes_->name());
    drop_decoded_mark();
  }

  std::size_t read(char* buffer, std::size_t capacity) override {
    std::size_t count = 0;
    if (!decoded_.empty() || (transcoder_ == nullptr && !head_.empty())) {
      std::string& waiting = transcoder_ ? decoded_ : head_;
      count = std::min(capacity, waiting.size());
      std::memcpy(buffer, waiting.data(), count);
      waiting.erase(0, count);
    } else if (transcoder_ && capacity < k_smallest_decode) {
      decode_some();
      return decoded_.empty() ? 0 : read(buffer, capacity);
    } else {
      count = transcoder_ ? transcoder_->read(head_, *bytes_, buffer, capacity)
                          : bytes_->read(buffer, capacity);
    }
    offset_ += count;
    return count;
  }

  void skip_to(std::uint64_t offset) override {
    if (offset < offset_) {
      throw Error(
          ErrorCode::internal,
          fmt::format("{} was asked to go back from byte {} to {}", name(), offset_, offset));
    }
    if (!transcoder_ && offset - offset_ > head_.size() && bytes_->seek(offset + mark_bytes_)) {
      head_.clear();
      offset_ = offset;
      return;
    }
    std::vector<char> discarded(k_skip_block);
    while (offset_ < offset) {
      const std::uint64_t left = offset - offset_;
      if (read(discarded.data(), std::min<std::uint64_t>(left, discarded.size())) == 0) {
        throw Error(
            ErrorCode::input_unreadable,
            fmt::format(
                "{} ends at byte {}, before byte {} that was asked for", name(), offset_, offset),
            "the input is shorter than when its rows were read: restore it, or start a new job");
      }
    }
  }

  std::optional<double> fraction_read() const override { return bytes_->fraction_read(); }

  std::optional<PrefixDigest> prefix_digest() const override { return bytes_->prefix_digest(); }

  const std::string& name() const override { return bytes_->name(); }

  const std::string& compression() const override { return compression_; }

  const std::string& encoding() const override { return encoding_; }

 private:
  static constexpr std::size_t k_smallest_decode = 16;  // room for one character of any encoding
  static constexpr std::size_t k_skip_block = std::size_t{256} << 10;

  void decode_some() {
    decoded_.resize(k_head);
    decoded_.resize(transcoder_->read(head_, *bytes_, decoded_.data(), decoded_.size()));
  }

  void drop_decoded_mark() {
    decode_some();
    if (decoded_.starts_with(k_utf8_mark)) {
      decoded_.erase(0, k_utf8_mark.size());
      // An input of nothing but its mark ends here; otherwise an empty buffer means "read on".
    }
  }

  std::unique_ptr<RawBytes> bytes_;
  std::string head_;     // read ahead, not yet decoded
  std::string decoded_;  // decoded ahead
  std::unique_ptr<Transcoder> transcoder_;
  std::string compression_;
  std::string encoding_;
  std::size_t mark_bytes_ = 0;
  std::uint64_t offset_ = 0;  // decoded, from the first byte after the mark
};

}  // namespace

std::unique_ptr<ByteStream> open_byte_stream(std::unique_ptr<RawBytes> bytes,
                                             const std::string& encoding) {
  return std::make_unique<TextByteStream>(std::move(bytes), encoding);
}

std::unique_ptr<ByteStream> open_byte_stream(const std::string& path, const std::string& encoding) {
  return open_byte_stream(open_raw_file(path), encoding);
}

}  // namespace batchllm

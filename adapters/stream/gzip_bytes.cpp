// SPDX-License-Identifier: Apache-2.0
#include "adapters/stream/gzip_bytes.h"

#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <zlib.h>

#include <algorithm>
#include <new>
#include <utility>
#include <vector>

namespace batchllm {
namespace {

class GzipBytes final : public RawBytes {
 public:
  GzipBytes(std::unique_ptr<RawBytes> stored, const std::string& head)
      : stored_(std::move(stored)),
        block_(head.begin(), head.end()) {
    constexpr int k_gzip_window = 15 + 16;  // the largest window, a gzip header
    if (inflateInit2(&stream_, k_gzip_window) != Z_OK) {
      throw std::bad_alloc();
    }
    stream_.next_in = reinterpret_cast<Bytef*>(block_.data());
    stream_.avail_in = static_cast<uInt>(block_.size());
  }

  ~GzipBytes() override { inflateEnd(&stream_); }

  GzipBytes(const GzipBytes&) = delete;
  GzipBytes& operator=(const GzipBytes&) = delete;

  std::size_t read(char* buffer, std::size_t capacity) override {
    constexpr std::size_t k_most = std::size_t{1} << 30;  // zlib counts in unsigned int
    stream_.next_out = reinterpret_cast<Bytef*>(buffer);
    stream_.avail_out = static_cast<uInt>(std::min(capacity, k_most));
    if (damage_ != nullptr) {
      fail(damage_);
    }
    while (stream_.next_out == reinterpret_cast<Bytef*>(buffer) && stream_.avail_out != 0 &&
           !ended_ && damage_ == nullptr) {
      if (stream_.avail_in == 0 && !fetch()) {
        if (!between_members_) {
          fail("the compressed data end too early");
        }
        ended_ = true;
      } else if (!between_members_ || begin_member()) {
        inflate_some();
      }
    }
    const auto count = static_cast<std::size_t>(reinterpret_cast<char*>(stream_.next_out) - buffer);
    offset_ += count;
    if (count == 0 && damage_ != nullptr) {
      fail(damage_);
    }
    return count;
  }

  bool seek(std::uint64_t /*offset*/) override { return false; }

  std::optional<double> fraction_read() const override { return stored_->fraction_read(); }

  std::optional<PrefixDigest> prefix_digest() const override { return stored_->prefix_digest(); }

  const std::string& name() const override { return stored_->name(); }

 private:
  static constexpr std::size_t k_block = std::size_t{256} << 10;

  bool fetch() {
    block_.resize(k_block);
    const std::size_t count = stored_->read(block_.data(), k_block);
    stream_.next_in = reinterpret_cast<Bytef*>(block_.data());
    stream_.avail_in = static_cast<uInt>(count);
    return count != 0;
  }

  // Passes over padding; false when all bytes at hand are padding.
  bool begin_member() {
    while (stream_.avail_in != 0 && *stream_.next_in == 0 && seen_member_) {
      ++stream_.next_in;
      --stream_.avail_in;
    }
    if (stream_.avail_in == 0) {
      return false;
    }
    if (seen_member_) {
      inflateReset(&stream_);
    }
    seen_member_ = true;
    between_members_ = false;
    return true;
  }

  void inflate_some() {
    const int result = inflate(&stream_, Z_NO_FLUSH);
    if (result == Z_STREAM_END) {
      between_members_ = true;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      // What came out before the damage is delivered first.
      damage_ = stream_.msg == nullptr ? "bad data" : stream_.msg;
    }
  }

  [[noreturn]] void fail(const char* reason) {
    const std::uint64_t decoded = offset_;
    ended_ = true;
    throw Error(
        ErrorCode::input_unreadable,
        fmt::format(
            "{} is damaged or cut off: {} (after {} decoded bytes)", name(), reason, decoded),
        "fetch the file again; everything before that byte can be read")
        .with_detail("decoded_offset", std::to_string(decoded));
  }

  std::unique_ptr<RawBytes> stored_;
  std::vector<char> block_;
  z_stream stream_{};
  std::uint64_t offset_ = 0;
  bool between_members_ = true;
  bool seen_member_ = false;
  bool ended_ = false;
  const char* damage_ = nullptr;
};

}  // namespace

std::unique_ptr<RawBytes> gunzip(std::unique_ptr<RawBytes> bytes, std::string head) {
  return std::make_unique<GzipBytes>(std::move(bytes), head);
}

}  // namespace batchllm

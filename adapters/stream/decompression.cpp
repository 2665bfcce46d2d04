// SPDX-License-Identifier: Apache-2.0
#include "adapters/stream/decompression.h"

#include "adapters/stream/gzip_bytes.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <archive.h>
#include <archive_entry.h>

#include <array>
#include <cerrno>
#include <exception>
#include <utility>
#include <vector>

namespace batchllm {
namespace {

struct FreeArchive {
  void operator()(archive* reader) const noexcept { archive_read_free(reader); }
};

struct Magic {
  std::string_view bytes;
  std::string_view name;
};

constexpr std::array k_magics = {
    Magic{"\x1F\x8B\x08", "gzip"},
    Magic{"\x28\xB5\x2F\xFD", "zstd"},
    Magic{std::string_view("\xFD"
                           "7zXZ\0",
                           6),
          "xz"},
    Magic{"BZh", "bzip2"},
    Magic{"\x04\x22\x4D\x18", "lz4"},
};

class DecompressedBytes final : public RawBytes {
 public:
  DecompressedBytes(std::unique_ptr<RawBytes> stored, std::string head)
      : stored_(std::move(stored)),
        head_(std::move(head)),
        reader_(archive_read_new()) {
    archive* reader = reader_.get();
    // Named one by one: `filter_all` would run outside programs for rare formats.
    archive_read_support_filter_zstd(reader);
    archive_read_support_filter_xz(reader);
    archive_read_support_filter_bzip2(reader);
    archive_read_support_filter_lz4(reader);
    archive_read_support_format_raw(reader);
    // Raw alone calls a compressed nothing an error.
    archive_read_support_format_empty(reader);
    if (archive_read_open(reader, this, nullptr, &read_stored, nullptr) != ARCHIVE_OK) {
      fail();
    }
    archive_entry* entry = nullptr;
    const int found = archive_read_next_header(reader, &entry);
    if (found == ARCHIVE_EOF) {
      ended_ = true;
    } else if (found != ARCHIVE_OK) {
      fail();
    }
  }

  std::size_t read(char* buffer, std::size_t capacity) override {
    if (ended_ || capacity == 0) {
      return 0;
    }
    la_ssize_t count = ARCHIVE_RETRY;
    for (int attempt = 0; count == ARCHIVE_RETRY && attempt < 10; ++attempt) {
      count = archive_read_data(reader_.get(), buffer, capacity);
    }
    if (count < 0) {
      fail();
    }
    ended_ = count == 0;
    offset_ += static_cast<std::size_t>(count);
    return static_cast<std::size_t>(count);
  }

  bool seek(std::uint64_t /*offset*/) override { return false; }

  std::optional<double> fraction_read() const override { return stored_->fraction_read(); }

  std::optional<PrefixDigest> prefix_digest() const override { return stored_->prefix_digest(); }

  const std::string& name() const override { return stored_->name(); }

 private:
  static constexpr std::size_t k_block = std::size_t{256} << 10;

  // libarchive is C: what the stored bytes throw waits in `failure_` until its caller returned.
  static la_ssize_t read_stored(archive* reader, void* self, const void** block) noexcept {
    auto& bytes = *static_cast<DecompressedBytes*>(self);
    try {
      if (!bytes.head_given_) {
        bytes.head_given_ = true;
        *block = bytes.head_.data();
        return static_cast<la_ssize_t>(bytes.head_.size());
      }
      bytes.block_.resize(k_block);
      const std::size_t count = bytes.stored_->read(bytes.block_.data(), k_block);
      *block = bytes.block_.data();
      return static_cast<la_ssize_t>(count);
    } catch (...) {
      bytes.failure_ = std::current_exception();
      archive_set_error(reader, EIO, "the stored bytes cannot be read");
      return ARCHIVE_FATAL;
    }
  }

  [[noreturn]] void fail() {
    ended_ = true;
    if (failure_) {
      std::rethrow_exception(std::exchange(failure_, nullptr));
    }
    const char* reason = archive_error_string(reader_.get());
    throw Error(
        ErrorCode::input_unreadable,
        fmt::format("{} is damaged or cut off: {} (after {} decoded bytes)",
                    name(),
                    reason == nullptr ? "the compressed data end too early" : printable(reason),
                    offset_),
        "fetch the file again; everything before that byte can be read")
        .with_detail("decoded_offset", std::to_string(offset_));
  }

  std::unique_ptr<RawBytes> stored_;
  std::string head_;
  bool head_given_ = false;
  std::vector<char> block_;
  std::exception_ptr failure_;
  std::uint64_t offset_ = 0;
  bool ended_ = false;
  std::unique_ptr<archive, FreeArchive> reader_;  // last: it reads from the members above
};

}  // namespace

std::string_view compression_by_magic(std::string_view head) noexcept {
  for (const auto& magic : k_magics) {
    // "BZh" could begin a text: a digit and the block's own magic number follow in a real one.
    if (head.starts_with(magic.bytes) &&
        (magic.name != "bzip2" || (head.size() >= 10 && (head.substr(4, 6) == "1AY&SY" ||
                                                         head.substr(4, 6) == "\x17rE8P\x90")))) {
      return magic.name;
    }
  }
  return "none";
}

std::unique_ptr<RawBytes> decompress(std::unique_ptr<RawBytes> bytes, std::string head) {
  if (compression_by_magic(head) == "gzip") {
    return gunzip(std::move(bytes), std::move(head));
  }
  return std::make_unique<DecompressedBytes>(std::move(bytes), std::move(head));
}

}  // namespace batchllm

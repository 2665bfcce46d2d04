// SPDX-License-Identifier: Apache-2.0
#include "adapters/stream/compressed_sink.h"

#include "core/error.h"

#include <fmt/format.h>

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <exception>
#include <utility>

namespace batchllm {
namespace {

struct FreeWriter {
  void operator()(archive* writer) const noexcept { archive_write_free(writer); }
};

struct FreeEntry {
  void operator()(archive_entry* entry) const noexcept { archive_entry_free(entry); }
};

class CompressedSink final : public ByteSink {
 public:
  CompressedSink(std::unique_ptr<ByteSink> sink, Compression compression, std::string name)
      : sink_(std::move(sink)),
        compression_(compression),
        name_(std::move(name)),
        writer_(archive_write_new()) {
    archive* writer = writer_.get();
    archive_write_set_format_raw(writer);
    check(add_filter(writer, compression));
    // No padding to tape blocks.
    archive_write_set_bytes_per_block(writer, 0);
    archive_write_set_bytes_in_last_block(writer, 1);
    check(archive_write_open(writer, this, nullptr, &write_compressed, nullptr));
    const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_pathname(entry.get(), "data");
    check(archive_write_header(writer, entry.get()));
  }

  ~CompressedSink() override {
    // libarchive frees what it holds only by closing, which writes what is left: into nothing.
    discard_ = true;
    if (compression_ == Compression::lz4 && empty_) {
      archive_write_data(writer_.get(), "", 1);
    }
  }

  CompressedSink(const CompressedSink&) = delete;
  CompressedSink& operator=(const CompressedSink&) = delete;

  void write(std::string_view bytes) override {
    empty_ = empty_ && bytes.empty();
    while (!bytes.empty()) {
      const la_ssize_t count = archive_write_data(writer_.get(), bytes.data(), bytes.size());
      if (count <= 0 || failure_) {
        fail();
      }
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  void flush() override { sink_->flush(); }

  void finish() override {
    if (compression_ == Compression::lz4 && empty_) {
      // libarchive 3.6 crashes when it closes an lz4 stream without data.
      constexpr std::string_view k_empty_frame("\x04\x22\x4D\x18\x60\x40\x82\0\0\0\0", 11);
      sink_->write(k_empty_frame);
    } else {
      check(archive_write_close(writer_.get()));
    }
    if (failure_) {
      fail();
    }
    sink_->finish();
  }

 private:
  static int add_filter(archive* writer, Compression compression) {
    switch (compression) {
      case Compression::gzip:
        archive_write_add_filter_gzip(writer);
        return archive_write_set_filter_option(writer, "gzip", "timestamp", nullptr);
      case Compression::zstd:
        return archive_write_add_filter_zstd(writer);
      case Compression::xz:
        archive_write_add_filter_xz(writer);
        // The default level takes 94 MB of memory; this one 17 MB.
        return archive_write_set_filter_option(writer, "xz", "compression-level", "2");
      case Compression::bzip2:
        return archive_write_add_filter_bzip2(writer);
      case Compression::lz4:
        archive_write_add_filter_lz4(writer);
        // Blocks of 256 KB instead of 4 MB: a cut off file loses less, and both sides need less
        // memory.
        return archive_write_set_filter_option(writer, "lz4", "block-size", "5");
      case Compression::none:
        break;
    }
    return archive_write_add_filter_none(writer);
  }

  // libarchive is C: what the sink throws waits in `failure_` until its caller returned.
  static la_ssize_t write_compressed(archive* /*writer*/,
                                     void* self,
                                     const void* bytes,
                                     std::size_t count) noexcept {
    auto& sink = *static_cast<CompressedSink*>(self);
    try {
      if (!sink.discard_) {
        sink.sink_->write({static_cast<const char*>(bytes), count});
      }
    } catch (...) {
      sink.failure_ = std::current_exception();
      sink.discard_ = true;
    }
    return static_cast<la_ssize_t>(count);
  }

  void check(int result) {
    if (result < ARCHIVE_WARN) {
      fail();
    }
  }

  [[noreturn]] void fail() {
    if (failure_) {
      std::rethrow_exception(std::exchange(failure_, nullptr));
    }
    const char* reason = archive_error_string(writer_.get());
    throw Error(
        ErrorCode::storage,
        fmt::format("cannot compress into {}: {}", name_, reason == nullptr ? "unknown" : reason));
  }

  std::unique_ptr<ByteSink> sink_;
  const Compression compression_;
  std::string name_;
  std::exception_ptr failure_;
  bool empty_ = true;
  bool discard_ = false;  // what comes out of the compressor is not wanted any more
  std::unique_ptr<archive, FreeWriter> writer_;  // last: it writes to the members above
};

}  // namespace

std::unique_ptr<ByteSink> make_compressed_sink(std::unique_ptr<ByteSink> sink,
                                               Compression compression,
                                               std::string name) {
  return std::make_unique<CompressedSink>(std::move(sink), compression, std::move(name));
}

}  // namespace batchllm

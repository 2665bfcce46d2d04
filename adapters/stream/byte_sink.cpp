// SPDX-License-Identifier: Apache-2.0
#include "adapters/stream/byte_sink.h"

#include "adapters/stream/compressed_sink.h"
#include "adapters/stream/file_descriptor.h"
#include "adapters/stream/storage_error.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace batchllm {
namespace {

struct Suffix {
  std::string_view text;
  Compression compression;
};

constexpr std::array k_suffixes = {
    Suffix{".gz", Compression::gzip},
    Suffix{".zst", Compression::zstd},
    Suffix{".xz", Compression::xz},
    Suffix{".bz2", Compression::bzip2},
    Suffix{".lz4", Compression::lz4},
};

// Collects small writes into large ones.
class DescriptorSink final : public ByteSink {
 public:
  DescriptorSink(int descriptor, FileDescriptor owned, std::string name)
      : owned_(std::move(owned)),
        descriptor_(descriptor),
        name_(std::move(name)) {
    buffer_.reserve(k_buffer);
  }

  void write(std::string_view bytes) override {
    if (buffer_.size() + bytes.size() > k_buffer) {
      flush();
    }
    if (bytes.size() >= k_buffer) {
      write_all(bytes);
    } else {
      buffer_ += bytes;
    }
  }

  void flush() override {
    write_all(buffer_);
    buffer_.clear();
  }

  void finish() override {
    flush();
    if (!owned_) {
      return;
    }
    // Some descriptors (/dev/null, a FIFO) have nothing to make durable.
    if (::fsync(descriptor_) != 0 && errno != EINVAL && errno != EROFS) {
      throw_storage_error(name_, errno);
    }
    // Network file systems tell at close that a write was lost.
    if (::close(owned_.release()) != 0 && errno != EINTR) {
      throw_storage_error(name_, errno);
    }
  }

 private:
  static constexpr std::size_t k_buffer = std::size_t{256} << 10;

  void write_all(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
      if (count < 0 && errno != EINTR) {
        throw_storage_error(name_, errno);
      }
      bytes.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
    }
  }

  FileDescriptor owned_;
  int descriptor_;
  std::string name_;
  std::string buffer_;
};

std::unique_ptr<ByteSink> compressed(std::unique_ptr<ByteSink> sink,
                                     Compression compression,
                                     const std::string& name) {
  if (compression == Compression::none) {
    return sink;
  }
  return make_compressed_sink(std::move(sink), compression, name);
}

}  // namespace

Compression compression_of(std::string_view path) noexcept {
  for (const auto& suffix : k_suffixes) {
    if (path.size() > suffix.text.size() && path.ends_with(suffix.text)) {
      return suffix.compression;
    }
  }
  return Compression::none;
}

std::unique_ptr<ByteSink> open_file_sink(const std::string& path,
                                         Compression compression,
                                         bool append) {
  constexpr mode_t k_all_may_read_and_write = 0666;  // less the umask
  const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC);
  FileDescriptor file(::open(path.c_str(), flags, k_all_may_read_and_write));
  if (!file) {
    throw_storage_error(path, errno);
  }
  const int descriptor = file.get();
  return compressed(
      std::make_unique<DescriptorSink>(descriptor, std::move(file), path), compression, path);
}

std::unique_ptr<ByteSink> open_descriptor_sink(int descriptor,
                                               std::string name,
                                               Compression compression) {
  auto sink = std::make_unique<DescriptorSink>(descriptor, FileDescriptor(), name);
  return compressed(std::move(sink), compression, name);
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace batchllm {

enum class Compression { none, gzip, zstd, xz, bzip2, lz4 };

// Where a row sink's bytes go: a file or a stream, compressed on the way. Not thread-safe. Every
// function throws Error(storage | storage_full) naming the file.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual void write(std::string_view bytes) = 0;
  virtual void flush() = 0;   // what was written reaches the operating system (not for compressed)
  virtual void finish() = 0;  // trailer of the compression, fsync; nothing may be written after it
};

// Compression by a file name's last extension: .gz .zst .xz .bz2 .lz4. The rest of the name
// (without it) says the format.
Compression compression_of(std::string_view path) noexcept;

// Creates (or empties) the file at `path` with the permissions that the umask leaves of 0666.
// The same input gives the same bytes: no time stamps inside. `append` keeps what is there.
std::unique_ptr<ByteSink> open_file_sink(const std::string& path,
                                         Compression compression,
                                         bool append = false);

// Writes to an open descriptor, which stays the caller's. A closed pipe throws Error(storage) whose
// detail "closed" is "yes".
std::unique_ptr<ByteSink> open_descriptor_sink(int descriptor,
                                               std::string name,
                                               Compression compression);

}  // namespace batchllm

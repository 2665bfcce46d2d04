// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace batchllm {

// XXH3 (64 bit) of the first `bytes` bytes of a file as they lie on disk.
struct PrefixDigest {
  std::uint64_t bytes = 0;
  std::uint64_t xxh3 = 0;
};

// The text of one input: a file or pipe, decompressed and transcoded to UTF-8, without its byte
// order mark. Not thread-safe.
class ByteStream {
 public:
  virtual ~ByteStream() = default;

  // Reads up to `capacity` bytes; short reads are normal, 0 is the end. Throws
  // Error(input_unreadable) naming the file and, for a damaged compressed file, the decoded offset
  // that was reached.
  virtual std::size_t read(char* buffer, std::size_t capacity) = 0;

  // Goes to a decoded offset at or after the current one: a seek where the file allows it, else by
  // reading on.
  virtual void skip_to(std::uint64_t offset) = 0;

  // Share of the file's bytes on disk that were consumed; nullopt for a pipe.
  virtual std::optional<double> fraction_read() const = 0;

  // Digest of what was read so far from the file's start; nullopt after a seek, or when none is
  // kept (adapters/stream/raw_bytes.h).
  virtual std::optional<PrefixDigest> prefix_digest() const = 0;

  // The file's name for messages.
  virtual const std::string& name() const = 0;

  // How the bytes are stored, for `inspect`: "gzip", "zstd", … or "none"; and "utf-8", "utf-16le",
  // ….
  virtual const std::string& compression() const = 0;
  virtual const std::string& encoding() const = 0;
};

// Opens `path` ("-" is standard input). The compression is found by magic bytes (gzip, zstd, xz,
// bzip2, lz4); `encoding` may be empty (UTF-8, or UTF-16 by its byte order mark). Throws
// Error(input_missing | input_unreadable | usage).
std::unique_ptr<ByteStream> open_byte_stream(const std::string& path, const std::string& encoding);

// How a path becomes a stream, where it is not open_byte_stream: a job that spools its standard
// input, a file that is stored under another name.
using OpenStream = std::function<std::unique_ptr<ByteStream>(const std::string& path,
                                                             const std::string& encoding)>;

}  // namespace batchllm

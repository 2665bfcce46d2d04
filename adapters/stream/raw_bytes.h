// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/stream/byte_stream.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace batchllm {

// The bytes of one input as they are stored: before decompression and transcoding. Not thread-safe.
class RawBytes {
 public:
  virtual ~RawBytes() = default;

  // Reads up to `capacity` bytes; short reads are normal, 0 is the end. Throws
  // Error(input_unreadable) naming the input.
  virtual std::size_t read(char* buffer, std::size_t capacity) = 0;

  // Goes to an offset counted from the first byte; false, with nothing changed, where that cannot
  // be.
  virtual bool seek(std::uint64_t offset) = 0;

  // Share of the stored bytes that were read; nullopt when their number is not known.
  virtual std::optional<double> fraction_read() const = 0;

  // Digest of everything read so far; nullopt after a seek, and unless with_digest was asked for.
  virtual std::optional<PrefixDigest> prefix_digest() const = 0;

  virtual const std::string& name() const = 0;
};

// Opens a file for reading ("-" is standard input, which stays open afterwards). `name` is what
// messages call it; empty: the path. Throws Error(input_missing) with the nearest name in its
// folder, Error(input_unreadable) for a folder or a file that may not be read.
std::unique_ptr<RawBytes> open_raw_file(const std::string& path, std::string name = {});

// Reads from an open descriptor, which stays the caller's.
std::unique_ptr<RawBytes> raw_descriptor(int descriptor, std::string name);

// The same bytes, with a digest of them kept on the way (about 0.05 s for a GB).
std::unique_ptr<RawBytes> with_digest(std::unique_ptr<RawBytes> bytes);

// Like open_byte_stream of byte_stream.h, for bytes that come from elsewhere.
std::unique_ptr<ByteStream> open_byte_stream(std::unique_ptr<RawBytes> bytes,
                                             const std::string& encoding);

}  // namespace batchllm

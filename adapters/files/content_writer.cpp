// SPDX-License-Identifier: Apache-2.0
#include "adapters/files/content_store.h"
#include "core/atomic_file.h"
#include "core/crash_point.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <utility>

namespace batchllm::files {
namespace {

constexpr std::size_t k_block = std::size_t{1} << 20;
constexpr std::uint64_t k_write_back = std::uint64_t{8} << 20;
constexpr mode_t k_while_incoming = 0600;
constexpr mode_t k_in_store = 0400;

// Reads until the block is full or the file ends; throws what `fail` throws.
template <typename Fail>
std::size_t read_block(int descriptor, char* block, const Fail& fail) {
  std::size_t have = 0;
  while (have < k_block) {
    const ssize_t count = ::read(descriptor, block + have, k_block - have);
    if (count == 0) {
      break;
    }
    if (count > 0) {
      have += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      fail(errno);
    }
  }
  return have;
}

}  // namespace

ContentWriter::ContentWriter(ContentStore& store, std::uint64_t limit_bytes)
    : store_(&store),
      limit_bytes_(limit_bytes),
      path_(store.incoming_path()),
      file_(::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, k_while_incoming)) {
  if (!file_.is_open()) {
    throw_storage_error("create", std::exchange(path_, {}), errno);
  }
}

ContentWriter::~ContentWriter() {
  if (!path_.empty()) {
    ::unlink(path_.c_str());
  }
}

ContentWriter::ContentWriter(ContentWriter&& other) noexcept
    : store_(other.store_),
      limit_bytes_(other.limit_bytes_),
      bytes_(other.bytes_),
      writing_back_(other.writing_back_),
      path_(std::exchange(other.path_, {})),
      file_(std::move(other.file_)),
      digest_(std::move(other.digest_)) {}

void ContentWriter::add(std::uint64_t count) {
  if (path_.empty()) {
    throw Error(ErrorCode::internal, "a file was written to after it was stored");
  }
  if (count > limit_bytes_ - bytes_) {
    throw Error(ErrorCode::file_too_large,
                fmt::format("the file is larger than {}", bytes_text(limit_bytes_)),
                "compress it (gzip, zstd, …), or split it")
        .with_detail("limit_bytes", std::to_string(limit_bytes_));
  }
  bytes_ += count;
}

void ContentWriter::write(std::string_view bytes) {
  add(bytes.size());
  write_all(file_.get(), bytes, path_);
  digest_.update(bytes);
  // The disk works while we read and hash, so that little is left for fsync to wait for.
  if (bytes_ - writing_back_ >= k_write_back) {
    ::sync_file_range(file_.get(),
                      static_cast<off_t>(writing_back_),
                      static_cast<off_t>(bytes_ - writing_back_),
                      SYNC_FILE_RANGE_WRITE);
    writing_back_ = bytes_;
  }
}

// Not copy_file_range: what is hashed and what is stored would be two readings of a file that
// somebody may be writing to.
void ContentWriter::copy_from(int source, const std::string& name) {
  const auto block = std::make_unique<char[]>(k_block);
  const auto fail = [&](int error) {
    throw Error(
        ErrorCode::input_unreadable,
        fmt::format(
            "cannot read {} at byte {}: {}", name, bytes_, std::generic_category().message(error)));
  };
  while (const std::size_t count = read_block(source, block.get(), fail)) {
    write({block.get(), count});
  }
}

// False where the file system cannot share blocks.
bool ContentWriter::clone_from(int source, std::uint64_t size) {
  if (::ioctl(file_.get(), FICLONE, source) != 0) {
    return false;
  }
  add(size);
  const auto block = std::make_unique<char[]>(k_block);
  const auto fail = [&](int error) { throw_storage_error("read", path_, error); };
  std::uint64_t hashed = 0;
  while (const std::size_t count = read_block(file_.get(), block.get(), fail)) {
    digest_.update({block.get(), count});
    hashed += count;
  }
  bytes_ = hashed;
  return true;
}

PinnedContent ContentWriter::finish() {
  add(0);
  // From here on nobody removes this content: what is found to be there stays.
  PinnedContent content = store_->pin({digest_.finish(), bytes_});
  const std::filesystem::path place = store_->place_of(content.sha256());
  const bool is_new = !store_->is_there(content);
  if (is_new) {
    crash_point(CrashPoint::content_written);
    if (::fchmod(file_.get(), k_in_store) != 0 || ::fsync(file_.get()) != 0) {
      throw_storage_error("write", path_, errno);
    }
    crash_point(CrashPoint::content_synced);
    make_private_folder(place.parent_path());
    if (rename_without_replacing(path_, place)) {
      path_.clear();
    } else if (!store_->is_there(content)) {
      if (std::rename(path_.c_str(), place.c_str()) != 0) {
        throw_storage_error("rename", path_, errno);
      }
      path_.clear();
    }
  }
  crash_point(CrashPoint::content_renamed);
  // Also when another has just put it there, who may not have come to this yet.
  store_->make_durable(content.sha256(), is_new);
  if (!path_.empty()) {
    ::unlink(path_.c_str());
    path_.clear();
  }
  file_.reset();
  return content;
}

}  // namespace batchllm::files

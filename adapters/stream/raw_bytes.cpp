// SPDX-License-Identifier: Apache-2.0
#include "adapters/stream/raw_bytes.h"

#include "adapters/stream/file_descriptor.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

namespace batchllm {
namespace {

std::string error_text(int error) {
  return std::generic_category().message(error);
}

struct FreeHashState {
  void operator()(XXH3_state_t* state) const noexcept { XXH3_freeState(state); }
};

// XXH3 over bytes in the order in which they are read.
class RunningDigest {
 public:
  RunningDigest() : state_(XXH3_createState()) {
    if (state_ != nullptr) {
      XXH3_64bits_reset(state_.get());
    }
  }

  void update(const char* bytes, std::size_t count) {
    if (state_ != nullptr) {
      XXH3_64bits_update(state_.get(), bytes, count);
      bytes_ += count;
    }
  }

  void stop() noexcept { state_.reset(); }

  std::optional<PrefixDigest> value() const {
    if (state_ == nullptr) {
      return std::nullopt;
    }
    return PrefixDigest{bytes_, XXH3_64bits_digest(state_.get())};
  }

 private:
  std::unique_ptr<XXH3_state_t, FreeHashState> state_;
  std::uint64_t bytes_ = 0;
};

class DigestedBytes final : public RawBytes {
 public:
  explicit DigestedBytes(std::unique_ptr<RawBytes> bytes) : bytes_(std::move(bytes)) {}

  std::size_t read(char* buffer, std::size_t capacity) override {
    const std::size_t count = bytes_->read(buffer, capacity);
    digest_.update(buffer, count);
    offset_ += count;
    return count;
  }

  bool seek(std::uint64_t offset) override {
    if (!bytes_->seek(offset)) {
      return false;
    }
    if (offset != offset_) {
      digest_.stop();
    }
    offset_ = offset;
    return true;
  }

  std::optional<double> fraction_read() const override { return bytes_->fraction_read(); }

  std::optional<PrefixDigest> prefix_digest() const override { return digest_.value(); }

  const std::string& name() const override { return bytes_->name(); }

 private:
  std::unique_ptr<RawBytes> bytes_;
  RunningDigest digest_;
  std::uint64_t offset_ = 0;
};

class DescriptorBytes final : public RawBytes {
 public:
  DescriptorBytes(int descriptor, FileDescriptor owned, std::string name)
      : owned_(std::move(owned)),
        descriptor_(descriptor),
        name_(std::move(name)) {
    struct stat facts {};

    if (::fstat(descriptor_, &facts) == 0 && S_ISREG(facts.st_mode)) {
      const off_t here = ::lseek(descriptor_, 0, SEEK_CUR);
      start_ = here > 0 ? static_cast<std::uint64_t>(here) : 0;
      const auto size = static_cast<std::uint64_t>(facts.st_size);
      size_ = size > start_ ? size - start_ : 0;
      ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
  }

  std::size_t read(char* buffer, std::size_t capacity) override {
    while (true) {
      const ssize_t count = ::read(descriptor_, buffer, capacity);
      if (count >= 0) {
        const auto length = static_cast<std::size_t>(count);
        offset_ += length;
        return length;
      }
      if (errno != EINTR) {
        throw Error(ErrorCode::input_unreadable,
                    fmt::format("cannot read {} at byte {}: {}", name_, offset_, error_text(errno)),
                    "check the disk or the mount, then resume: what is answered is kept");
      }
    }
  }

  bool seek(std::uint64_t offset) override {
    if (!size_ || ::lseek(descriptor_, static_cast<off_t>(start_ + offset), SEEK_SET) < 0) {
      return false;
    }
    offset_ = offset;
    return true;
  }

  std::optional<double> fraction_read() const override {
    if (!size_) {
      return std::nullopt;
    }
    // The file may have grown since it was opened.
    return *size_ == 0 || offset_ >= *size_
               ? 1.0
               : static_cast<double>(offset_) / static_cast<double>(*size_);
  }

  std::optional<PrefixDigest> prefix_digest() const override { return std::nullopt; }

  const std::string& name() const override { return name_; }

 private:
  FileDescriptor owned_;
  int descriptor_;
  std::string name_;
  std::optional<std::uint64_t> size_;  // of a regular file, from where it was handed over
  std::uint64_t start_ = 0;
  std::uint64_t offset_ = 0;
};

// The hint for a path that names nothing: the nearest name in the same folder.
std::string hint_for_missing(const std::string& path) {
  constexpr std::size_t k_most_names = 10'000;
  namespace fs = std::filesystem;
  const fs::path wanted(path);
  const fs::path folder = wanted.has_parent_path() ? wanted.parent_path() : fs::path(".");
  std::error_code failed;
  if (!fs::is_directory(folder, failed)) {
    return fmt::format("there is no folder {} either", one_line(folder.string(), 200));
  }
  std::vector<std::string> names;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    names.push_back(at->path().filename().string());
    if (names.size() == k_most_names) {
      break;
    }
  }
  if (const auto nearest = nearest_name(wanted.filename().string(), names)) {
    const fs::path meant = wanted.has_parent_path() ? folder / *nearest : fs::path(*nearest);
    return fmt::format("did you mean {}?", one_line(meant.string(), 200));
  }
  return "check the name; `-` reads standard input";
}

}  // namespace

std::unique_ptr<RawBytes> open_raw_file(const std::string& path, std::string name) {
  if (path == "-") {
    return raw_descriptor(STDIN_FILENO, name.empty() ? "standard input" : std::move(name));
  }
  if (name.empty()) {
    name = path;
  }
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const int error = errno;
  if (!file && (error == ENOENT || error == ENOTDIR)) {
    throw Error(
        ErrorCode::input_missing, fmt::format("there is no file {}", name), hint_for_missing(path));
  }
  if (!file) {
    throw Error(ErrorCode::input_unreadable,
                fmt::format("cannot open {}: {}", name, error_text(error)),
                error == EACCES ? "check the permissions of the file and of its folders" : "");
  }

  struct stat facts {};

  if (::fstat(file.get(), &facts) == 0 && S_ISDIR(facts.st_mode)) {
    throw Error(ErrorCode::input_unreadable,
                fmt::format("{} is a folder, not a file", name),
                "name a file in it, or use --input-format text to take each file as a row");
  }
  const int descriptor = file.get();
  return std::make_unique<DescriptorBytes>(descriptor, std::move(file), std::move(name));
}

std::unique_ptr<RawBytes> raw_descriptor(int descriptor, std::string name) {
  return std::make_unique<DescriptorBytes>(descriptor, FileDescriptor(), std::move(name));
}

std::unique_ptr<RawBytes> with_digest(std::unique_ptr<RawBytes> bytes) {
  return std::make_unique<DigestedBytes>(std::move(bytes));
}

}  // namespace batchllm

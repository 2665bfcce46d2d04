// SPDX-License-Identifier: Apache-2.0
#include "adapters/files/content_store.h"

#include "adapters/files/file_name.h"
#include "adapters/stream/raw_bytes.h"
#include "core/atomic_file.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

namespace batchllm::files {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_incoming = "incoming";

FileHandle open_local_file(const std::string& path, struct stat& facts) {
  // Without O_NONBLOCK a named pipe would keep us until somebody writes to it.
  FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) {
    open_raw_file(path);  // says what is wrong, with the nearest name
  }
  if (!file.is_open() || ::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
    throw Error(ErrorCode::input_unreadable,
                fmt::format("{} is not a regular file", one_line(path, 200)),
                "only files can be stored: save it to a file, or upload its bytes");
  }
  return file;
}

bool is_same_version(const struct stat& a, const struct stat& b) noexcept {
  const auto is_same_time = [](const timespec& x, const timespec& y) {
    return x.tv_sec == y.tv_sec && x.tv_nsec == y.tv_nsec;
  };
  return a.st_size == b.st_size && is_same_time(a.st_mtim, b.st_mtim) &&
         is_same_time(a.st_ctim, b.st_ctim);
}

// Whether a link to this content is there, the content as well. False may be wrong.
bool is_linked(const fs::path& link, std::string_view sha256) {
  std::error_code error;
  const fs::path content = fs::read_symlink(link, error);

  struct stat facts {};

  return !error && content.filename() == sha256 && ::stat(link.c_str(), &facts) == 0 &&
         S_ISREG(facts.st_mode);
}

unsigned shelf_number(const fs::path& shelf) {
  return static_cast<unsigned>(std::stoul(shelf.filename().string(), nullptr, 16));
}

}  // namespace

PinnedContent::PinnedContent(ContentStore& store, Content content)
    : store_(&store),
      content_(std::move(content)) {}

PinnedContent::~PinnedContent() {
  if (store_ != nullptr) {
    store_->unpin(content_.sha256);
  }
}

ContentStore::ContentStore(fs::path folder) : folder_(std::move(folder)) {
  make_private_folder(folder_);
  make_private_folder(folder_ / k_incoming);
}

std::size_t ContentStore::sweep_incoming() {
  std::size_t swept = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_ / k_incoming, error)) {
    std::error_code kept;
    swept += fs::remove(entry.path(), kept) ? 1U : 0U;
  }
  return swept;
}

ContentWriter ContentStore::begin(std::uint64_t limit_bytes) {
  return {*this, limit_bytes};
}

PinnedContent ContentStore::keep(std::string_view bytes) {
  Sha256 digest;
  digest.update(bytes);
  PinnedContent content = pin({digest.finish(), bytes.size()});
  if (is_there(content)) {
    make_durable(content.sha256(), false);
    return content;
  }
  ContentWriter writer = begin();
  writer.write(bytes);
  return writer.finish();
}

PinnedContent ContentStore::take(const std::string& path, std::uint64_t limit_bytes) {
  struct stat before {};

  const FileHandle source = open_local_file(path, before);
  ContentWriter writer = begin(limit_bytes);
  if (!writer.clone_from(source.get(), static_cast<std::uint64_t>(before.st_size))) {
    writer.copy_from(source.get(), one_line(path, 200));
  }

  struct stat after {};

  if (::fstat(source.get(), &after) != 0 || !is_same_version(before, after) ||
      writer.bytes() != static_cast<std::uint64_t>(before.st_size)) {
    throw Error(ErrorCode::input_changed,
                fmt::format("{} changed while it was copied", one_line(path, 200)),
                "wait until it is complete, then try again");
  }
  return writer.finish();
}

bool ContentStore::contains(std::string_view sha256) const {
  std::error_code error;
  return is_sha256(sha256) && fs::is_regular_file(place_of(sha256), error);
}

fs::path ContentStore::path_of(std::string_view sha256) const {
  if (!contains(sha256)) {
    throw Error(ErrorCode::file_not_found,
                fmt::format("the content {} is not stored", one_line(sha256, 70)),
                "upload the file again");
  }
  return place_of(sha256);
}

FileHandle ContentStore::open(std::string_view sha256) const {
  const fs::path path = path_of(sha256);
  FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    throw_storage_error("read", path.string(), errno);
  }
  return file;
}

bool ContentStore::remove(std::string_view sha256, const std::function<bool()>& still_used) {
  if (!is_sha256(sha256)) {
    return true;
  }
  const MutexLock lock(mutex_);
  if (pins_.contains(std::string(sha256)) || still_used()) {
    return false;
  }
  const fs::path path = place_of(sha256);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    throw_storage_error("delete", path.string(), errno);
  }
  durable_names_.erase(std::string(sha256));
  return true;
}

bool ContentStore::verify(std::string_view sha256) const {
  constexpr std::size_t k_block = std::size_t{1} << 20;
  const FileHandle file = open(sha256);
  const auto block = std::make_unique<char[]>(k_block);
  Sha256 digest;
  while (true) {
    const ssize_t count = ::read(file.get(), block.get(), k_block);
    if (count == 0) {
      return digest.finish() == sha256;
    }
    if (count > 0) {
      digest.update({block.get(), static_cast<std::size_t>(count)});
    } else if (errno != EINTR) {
      throw_storage_error("read", place_of(sha256).string(), errno);
    }
  }
}

std::vector<Content> ContentStore::list() const {
  std::vector<Content> contents;
  std::error_code error;
  for (const auto& shelf : fs::directory_iterator(folder_, error)) {
    if (shelf.path().filename() == k_incoming) {
      continue;
    }
    std::error_code no_folder;
    for (const auto& entry : fs::directory_iterator(shelf.path(), no_folder)) {
      std::string name = entry.path().filename().string();
      std::error_code gone;
      const auto size = entry.file_size(gone);
      if (is_sha256(name) && !gone) {
        contents.push_back({std::move(name), size});
      }
    }
  }
  std::sort(contents.begin(), contents.end(), [](const Content& a, const Content& b) {
    return a.sha256 < b.sha256;
  });
  return contents;
}

fs::path input_link(const fs::path& folder, std::string_view name) {
  return folder / safe_file_name(name);
}

fs::path ContentStore::link_input(const fs::path& folder,
                                  std::string_view sha256,
                                  std::string_view name) const {
  constexpr int k_most_equal_names = 10'000;
  const fs::path first = input_link(folder, name);
  if (is_linked(first, sha256)) {
    return first;
  }
  const std::string safe = first.filename().string();
  make_private_folder(folder);
  const fs::path content = fs::relative(path_of(sha256), folder);
  for (int number = 1; number <= k_most_equal_names; ++number) {
    const fs::path link =
        folder / (number == 1 ? safe : with_suffix(safe, fmt::format("-{}", number)));
    if (::symlink(content.c_str(), link.c_str()) == 0) {
      return link;
    }
    if (errno != EEXIST) {
      throw_storage_error("create", link.string(), errno);
    }
    std::error_code no_link;
    if (fs::read_symlink(link, no_link) == content) {
      return link;
    }
  }
  throw Error(ErrorCode::storage,
              fmt::format("{} holds too many files named {}", folder.string(), safe));
}

fs::path ContentStore::place_of(std::string_view sha256) const {
  return folder_ / sha256.substr(0, 2) / sha256;
}

std::string ContentStore::incoming_path() {
  return (folder_ / k_incoming / fmt::format("{}-{}", ::getpid(), next_incoming_.fetch_add(1)))
      .string();
}

PinnedContent ContentStore::pin(Content content) {
  const MutexLock lock(mutex_);
  ++pins_[content.sha256];
  return {*this, std::move(content)};
}

bool ContentStore::is_there(const PinnedContent& content) const noexcept {
  struct stat facts {};

  // Another size: a disk has lost it, or a file system its end; the new bytes take its place.
  return ::stat(place_of(content.sha256()).c_str(), &facts) == 0 && S_ISREG(facts.st_mode) &&
         static_cast<std::uint64_t>(facts.st_size) == content.bytes();
}

void ContentStore::unpin(const std::string& sha256) noexcept {
  const MutexLock lock(mutex_);
  const auto found = pins_.find(sha256);
  if (found != pins_.end() && --found->second == 0) {
    pins_.erase(found);
  }
}

// The names in the shelf, and once for each shelf its own name. The same content comes again and
// again: a name is synced once.
void ContentStore::make_durable(const std::string& sha256, bool is_new) {
  const fs::path shelf = place_of(sha256).parent_path();
  const unsigned number = shelf_number(shelf);
  bool is_shelf_durable = false;
  {
    const MutexLock lock(mutex_);
    if (!is_new && durable_names_.contains(sha256)) {
      return;
    }
    is_shelf_durable = durable_shelves_.test(number);
  }
  sync_folder(shelf);
  if (!is_shelf_durable) {
    sync_folder(folder_);
  }
  const MutexLock lock(mutex_);
  durable_shelves_.set(number);
  if (durable_names_.size() >= k_most_durable_names) {
    durable_names_.clear();
  }
  durable_names_.insert(sha256);
}

}  // namespace batchllm::files

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/files/sha256.h"
#include "core/file_handle.h"
#include "core/mutex.h"

#include <atomic>
#include <bitset>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm::files {

class ContentStore;

// A file as the store knows it: by the SHA-256 of its bytes, in lower-case hexadecimal.
struct Content {
  std::string sha256;
  std::uint64_t bytes = 0;
};

// Content that was stored just now: nobody removes it while this lives, so that it can be noted
// elsewhere that it is used. Must not outlive the store.
class PinnedContent {
 public:
  ~PinnedContent();

  PinnedContent(PinnedContent&& other) noexcept
      : store_(std::exchange(other.store_, nullptr)),
        content_(std::move(other.content_)) {}

  PinnedContent(const PinnedContent&) = delete;
  PinnedContent& operator=(const PinnedContent&) = delete;
  PinnedContent& operator=(PinnedContent&&) = delete;

  const std::string& sha256() const noexcept { return content_.sha256; }

  std::uint64_t bytes() const noexcept { return content_.bytes; }

 private:
  friend class ContentStore;
  PinnedContent(ContentStore& store, Content content);

  ContentStore* store_;
  Content content_;
};

// One file on its way into the store. Until finish() it lies in incoming/; the destructor discards
// what was not finished. Not thread-safe; must not outlive its store.
class ContentWriter {
 public:
  ~ContentWriter();
  ContentWriter(ContentWriter&& other) noexcept;
  ContentWriter(const ContentWriter&) = delete;
  ContentWriter& operator=(const ContentWriter&) = delete;
  ContentWriter& operator=(ContentWriter&&) = delete;

  // Adds the next bytes. Throws Error(file_too_large) beyond the limit, Error(storage |
  // storage_full) naming the file.
  void write(std::string_view bytes);

  std::uint64_t bytes() const noexcept { return bytes_; }

  // Puts the file into the store; it and its name are durable when this returns. When the same
  // content is there already, the new bytes are dropped. Once. Throws Error(storage |
  // storage_full).
  PinnedContent finish();

 private:
  friend class ContentStore;
  ContentWriter(ContentStore& store, std::uint64_t limit_bytes);
  void add(std::uint64_t count);
  void copy_from(int source, const std::string& name);
  bool clone_from(int source, std::uint64_t size);

  ContentStore* store_;
  std::uint64_t limit_bytes_;
  std::uint64_t bytes_ = 0;
  std::uint64_t writing_back_ = 0;  // bytes that the disk was asked to take
  std::string path_;                // in incoming/; empty when nothing lies there
  FileHandle file_;
  Sha256 digest_;
};

// FOLDER/NAME, where ContentStore::link_input puts the first content of that name.
std::filesystem::path input_link(const std::filesystem::path& folder, std::string_view name);

// Files by their content: STATE/files/ab/abcdef… (SHA-256 of the bytes; mode 0400 in folders of
// 0700), each stored once and never changed. A file is there under its name with all its bytes or
// not at all; what a crash leaves lies in STATE/files/incoming. Thread-safe; one process writes,
// others may read.
class ContentStore {
 public:
  static constexpr std::uint64_t k_no_limit = UINT64_MAX;

  // `folder` is STATE/files; it is made, with incoming/, when it is not there.
  explicit ContentStore(std::filesystem::path folder);

  // Deletes what an earlier process left unfinished; returns how many files. Before the first
  // begin(), by the process that owns the state folder.
  std::size_t sweep_incoming();

  ContentWriter begin(std::uint64_t limit_bytes = k_no_limit);

  // Stores bytes that are in memory; nothing is written when they are there already. Throws as
  // write() and finish().
  PinnedContent keep(std::string_view bytes);

  // Stores a copy of a local file; it shares the file's blocks where the file system can. Symbolic
  // links are followed. Throws Error(input_missing | input_unreadable) when it is no regular file
  // that can be read, Error(input_changed) when it changes meanwhile, and as write() and finish().
  PinnedContent take(const std::string& path, std::uint64_t limit_bytes = k_no_limit);

  bool contains(std::string_view sha256) const;

  // Where the content lies; throws Error(file_not_found) when it is not there.
  std::filesystem::path path_of(std::string_view sha256) const;

  // The content for reading; throws as path_of, and Error(storage).
  FileHandle open(std::string_view sha256) const;

  // Deletes the content unless it is pinned or `still_used` says true; that is asked at the last
  // moment, while nobody can store the same content. True when it is gone. Throws Error(storage).
  bool remove(std::string_view sha256, const std::function<bool()>& still_used);

  // Reads the content; false when its bytes are not those of its name. Throws as open().
  bool verify(std::string_view sha256) const;

  // Everything in the store, in order of the names.
  std::vector<Content> list() const;

  // Makes FOLDER/NAME a relative symbolic link to the content, so that a run finds the format by
  // the name. `name` may be anything: safe_file_name (file_name.h) is applied; where the name
  // stands for another content, "NAME-2" is taken. Returns the link's path, the same for the same
  // call. Not durable: who relies on the link after a power cut calls this again. Throws
  // Error(file_not_found | storage).
  std::filesystem::path link_input(const std::filesystem::path& folder,
                                   std::string_view sha256,
                                   std::string_view name) const;

 private:
  friend class ContentWriter;
  friend class PinnedContent;
  static constexpr std::size_t k_shelves = 256;  // folders by the first two digits
  static constexpr std::size_t k_most_durable_names = 256;

  std::filesystem::path place_of(std::string_view sha256) const;
  std::string incoming_path();
  PinnedContent pin(Content content);
  bool is_there(const PinnedContent& content) const noexcept;
  void unpin(const std::string& sha256) noexcept;
  void make_durable(const std::string& sha256, bool is_new);

  const std::filesystem::path folder_;
  std::atomic<std::uint64_t> next_incoming_ = 0;
  mutable Mutex mutex_;
  std::map<std::string, int> pins_ BATCHLLM_GUARDED_BY(mutex_);
  std::bitset<k_shelves> durable_shelves_ BATCHLLM_GUARDED_BY(mutex_);
  std::set<std::string> durable_names_ BATCHLLM_GUARDED_BY(mutex_);  // some of those that are
};

}  // namespace batchllm::files

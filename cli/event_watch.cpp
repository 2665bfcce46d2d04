// SPDX-License-Identifier: Apache-2.0
#include "cli/event_watch.h"

#include "core/lock_file.h"
#include "core/text.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace batchllm {
namespace {

constexpr int k_look_again_ms = 500;

// What other machines write there comes without a word; numbers of linux/magic.h and statfs(2).
bool is_shared_with_machines(const std::string& folder) {
  constexpr std::array<std::uint32_t, 8> k_kinds = {0x6969,       // NFS
                                                    0x517B,       // SMB
                                                    0xFE534D42,   // SMB2
                                                    0xFF534D42,   // CIFS
                                                    0x65735546,   // FUSE
                                                    0x01021997,   // 9P
                                                    0x00C36400,   // Ceph
                                                    0x47504653};  // GPFS

  struct statfs about {};

  return statfs(folder.c_str(), &about) != 0 ||
         std::find(k_kinds.begin(), k_kinds.end(), static_cast<std::uint32_t>(about.f_type)) !=
             k_kinds.end();
}

FileHandle watch_folder(const std::string& folder) {
  if (is_shared_with_machines(folder)) {
    return {};
  }
  FileHandle notify(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (notify.is_open() &&
      inotify_add_watch(notify.get(), folder.c_str(), IN_MODIFY | IN_CREATE | IN_ONLYDIR) < 0) {
    notify.reset();
  }
  return notify;
}

}  // namespace

EventWatch::EventWatch(const JobDirectory& directory)
    : directory_(directory),
      reader_(event_log_path(directory.folder())),
      notify_(watch_folder(directory.folder().string())),
      stopped_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

bool EventWatch::follow(const OnLine& on_line,
                        const std::function<void()>& on_pause,
                        const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto sent = write(stopped_.get(), &one, sizeof one);
  });
  while (!stop.stop_requested()) {
    open_holder();
    const bool is_run = directory_.is_locked();  // before reading: its last words are there then
    if (!read_lines(on_line) || !is_run) {
      return true;
    }
    if (on_pause) {
      on_pause();
    }
    wait();
  }
  return false;
}

bool EventWatch::read_lines(const OnLine& on_line) {
  for (std::string line; reader_.next(line);) {
    if (!on_line(line)) {
      return false;
    }
  }
  return true;
}

// Before the lock is asked for: a process that ends in between has let go of it by then.
void EventWatch::open_holder() {
  if (holder_.is_open() || !notify_.is_open()) {
    return;
  }
  const auto pid = parse_integer(lock_file_holder(directory_.folder() / "lock"));
  if (pid && *pid > 0) {
    holder_ = FileHandle(static_cast<int>(syscall(SYS_pidfd_open, static_cast<pid_t>(*pid), 0)));
  }
}

void EventWatch::wait() {
  std::array<pollfd, 3> awaited = {pollfd{stopped_.get(), POLLIN, 0},
                                   pollfd{notify_.get(), POLLIN, 0},
                                   pollfd{holder_.get(), POLLIN, 0}};
  const bool is_told = notify_.is_open() && holder_.is_open();
  static_cast<void>(poll(awaited.data(), awaited.size(), is_told ? -1 : k_look_again_ms));
  std::array<char, 4096> said{};
  while (notify_.is_open() && read(notify_.get(), said.data(), said.size()) > 0) {
  }
  if (awaited[2].revents != 0) {
    holder_.reset();
  }
}

}  // namespace batchllm

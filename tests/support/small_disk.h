// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"

#include <sys/mount.h>
#include <unistd.h>

#include <string>

namespace batchllm::test {

// A tmpfs of its own; where() is empty when this machine does not allow one.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& size) {
    if (geteuid() == 0 &&
        mount("none", folder_.path().c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0) {
      where_ = folder_.path();
    }
  }

  ~SmallDisk() {
    if (!where_.empty()) {
      umount2(where_.c_str(), MNT_DETACH);
    }
  }

  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  SmallDisk(SmallDisk&&) = delete;
  SmallDisk& operator=(SmallDisk&&) = delete;

  const std::string& where() const { return where_; }

  void grow(const std::string& size) const {
    REQUIRE(mount("none", where_.c_str(), "tmpfs", MS_REMOUNT, ("size=" + size).c_str()) == 0);
  }

 private:
  ScratchFolder folder_;
  std::string where_;
};

}  // namespace batchllm::test

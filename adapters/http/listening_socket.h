// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace batchllm {

// A socket that listens on the loopback interface or at a path. Closed, and its path removed, at
// the end.
class ListeningSocket {
 public:
  // `host` is an address or name of the loopback interface; port 0 picks a free one. Throws
  // Error(usage | job_conflict | storage).
  static ListeningSocket on_loopback(const std::string& host, int port);

  // Takes the place of a socket that nobody listens at any more; anything else at `path` is
  // refused.
  static ListeningSocket at_path(const std::string& path);

  ListeningSocket(ListeningSocket&& other) noexcept;
  ListeningSocket& operator=(ListeningSocket&&) = delete;
  ListeningSocket(const ListeningSocket&) = delete;
  ListeningSocket& operator=(const ListeningSocket&) = delete;
  ~ListeningSocket();

  int descriptor() const noexcept { return descriptor_; }

  // "127.0.0.1:8080", "[::1]:8080", or the path.
  const std::string& name() const noexcept { return name_; }

 private:
  ListeningSocket(int descriptor, std::string name, std::string path);

  int descriptor_;
  std::string name_;
  std::string path_;  // to be removed; empty for TCP
};

}  // namespace batchllm

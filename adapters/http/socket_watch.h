// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/epoll.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace batchllm {

// What libcurl wants to hear of its sockets, told to one epoll. Changes of sockets that we opened
// are collected and told once before waiting, since most are taken back within a turn; libcurl
// closes its resolver's descriptors without a word, so those are told at once. Thread rule: wake()
// from any thread; everything else on one thread.
class SocketWatch {
 public:
  SocketWatch();  // throws Error(storage) when the system has no descriptors left
  ~SocketWatch();
  SocketWatch(const SocketWatch&) = delete;
  SocketWatch& operator=(const SocketWatch&) = delete;

  void opened(int descriptor);
  void closing(int descriptor);

  // `poll_bits` as CURL_POLL_IN and CURL_POLL_OUT; 0: nothing any more.
  void want(int descriptor, int poll_bits, void* owner);

  // Tells epoll what changed and waits; -1: without end.
  std::span<const epoll_event> wait(int timeout_ms);
  void wake() noexcept;

  // Who wants to hear of the descriptor; nullptr when nobody does any more.
  void* owner_of(int descriptor) const noexcept;

 private:
  struct State {
    void* owner = nullptr;
    std::uint8_t wanted = 0;
    std::uint8_t told = 0;
    bool changed = false;  // it stands in changed_
    bool ours = false;
  };

  State& state_of(int descriptor);
  void tell(int descriptor, State& state) const;
  void take_wake() noexcept;

  std::vector<State> states_;  // by descriptor
  std::vector<int> changed_;
  std::vector<epoll_event> events_;
  int epoll_ = -1;
  int wake_ = -1;
};

}  // namespace batchllm

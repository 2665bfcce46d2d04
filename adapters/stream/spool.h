// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/stream/raw_bytes.h"

#include <memory>
#include <stop_token>
#include <string>

namespace batchllm {

// What a folder holds of a spooled input. `partial`: the process ended while the pipe was still
// being read; what lies beyond the file is lost with the pipe, and only the rows within it can be
// resumed.
enum class SpoolState { none, partial, complete };

SpoolState spool_state(const std::string& folder);

// The file in `folder` for a state: "input.spool.part" or "input.spool".
std::string spool_path(const std::string& folder, SpoolState state);

// Makes a pipe readable more than once: its raw bytes go into a file (mode 0600) as the first
// reader consumes them, and further readers read that file, waiting for the first one where they
// catch up with it. At the end of the pipe the file is made durable and renamed from
// `input.spool.part` to `input.spool`, after which open_raw_file on it gives the same bytes to any
// later process.
//
// A further reader that asks for no more than the first one was given never waits.
//
// Thread rule: each reader belongs to one thread; different readers may be on different threads.
// The readers keep what they share alive; the spool itself may go before them.
class Spool {
 public:
  // `descriptor` stays the caller's; `name` is for messages. Replaces what `folder` holds of an
  // earlier spool. Throws Error(storage | storage_full).
  Spool(int descriptor, const std::string& folder, const std::string& name);

  // The reader that drives the spool; one only. When it goes before the end of the pipe, waiting
  // readers get Error(input_unreadable). Its `read` throws Error(storage | storage_full) too.
  std::unique_ptr<RawBytes> first_reader();

  // A reader from the first byte. Its waits end with Error(interrupted) when `stop` is requested.
  std::unique_ptr<RawBytes> second_reader(std::stop_token stop) const;

 private:
  class Shared;
  class FirstReader;
  class SecondReader;

  std::shared_ptr<Shared> shared_;  // by the readers too: whichever ends last
  int descriptor_;
};

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/input.h"
#include "adapters/stream/spool.h"
#include "core/job_record.h"

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace batchllm {

// The inputs of a job as a source; what a pipe brings goes through the spool. Everything here
// throws Error.
class JobInputs {
 public:
  // `spool_folder`: where a pipe's bytes are kept; empty: a pipe is read once only (a dry run).
  JobInputs(const JobRecord& record, std::string spool_folder);

  // The pass of the reader thread; opened first.
  std::unique_ptr<InputSource> open_first();

  // Further passes; they wait for a pipe where they catch up with the first.
  std::unique_ptr<InputSource> open_again(std::stop_token stop) const;

 private:
  std::unique_ptr<RawBytes> first_bytes(const std::string& path);
  std::unique_ptr<RawBytes> later_bytes(const std::string& path, std::stop_token stop) const;

  std::vector<std::string> paths_;
  InputSettings settings_;
  std::string spool_folder_;
  bool reads_twice_;
  std::unique_ptr<Spool> spool_;
};

}  // namespace batchllm

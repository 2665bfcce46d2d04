// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/job_inputs.h"

#include "core/error.h"

#include <unistd.h>

#include <utility>
#include <vector>

namespace batchllm {
namespace {

bool is_stdin(const std::string& path) {
  return path == "-";
}

}  // namespace

JobInputs::JobInputs(const JobRecord& record, std::string spool_folder)
    : settings_(record.settings.input),
      spool_folder_(std::move(spool_folder)),
      reads_twice_(record.settings.selection.sample.has_value()) {
  for (const auto& input : record.inputs) {
    paths_.push_back(input.path);
  }
}

std::unique_ptr<InputSource> JobInputs::open_first() {
  return open_inputs(
      paths_, settings_, [this](const std::string& path, const std::string& encoding) {
        return open_byte_stream(first_bytes(path), encoding);
      });
}

std::unique_ptr<RawBytes> JobInputs::first_bytes(const std::string& path) {
  if (!is_stdin(path)) {
    return spool_folder_.empty() ? open_raw_file(path) : with_digest(open_raw_file(path));
  }
  if (spool_folder_.empty()) {
    return open_raw_file(path);
  }
  if (spool_ == nullptr) {
    const SpoolState state = spool_state(spool_folder_);
    if (state != SpoolState::none) {
      // A resume: the pipe is gone, what it brought is here.
      return open_raw_file(spool_path(spool_folder_, state), "standard input");
    }
    spool_ = std::make_unique<Spool>(STDIN_FILENO, spool_folder_, "standard input");
    if (reads_twice_) {
      // A sample is chosen in a pass of its own: the pipe is read to its end before.
      const auto pipe = spool_->first_reader();
      std::vector<char> block(std::size_t{256} << 10);
      while (pipe->read(block.data(), block.size()) != 0) {
      }
      spool_.reset();
      return open_raw_file(spool_path(spool_folder_, SpoolState::complete), "standard input");
    }
  }
  return spool_->first_reader();
}

std::unique_ptr<InputSource> JobInputs::open_again(std::stop_token stop) const {
  return open_inputs(
      paths_, settings_, [this, stop](const std::string& path, const std::string& encoding) {
        return open_byte_stream(later_bytes(path, stop), encoding);
      });
}

std::unique_ptr<RawBytes> JobInputs::later_bytes(const std::string& path,
                                                 std::stop_token stop) const {
  if (!is_stdin(path)) {
    return open_raw_file(path);
  }
  if (spool_ != nullptr) {
    return spool_->second_reader(stop);
  }
  if (spool_folder_.empty()) {
    throw Error(ErrorCode::usage,
                "standard input can be read only once without sending anything",
                "save it to a file first, or leave --sample out");
  }
  return open_raw_file(spool_path(spool_folder_, spool_state(spool_folder_)), "standard input");
}

}  // namespace batchllm

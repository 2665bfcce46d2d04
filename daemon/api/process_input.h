// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/api/api_context.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace batchllm::daemon {

// A file that POST /process names, as an input of POST /jobs. What was downloaded lies in a folder
// of its own until this goes; by then the content store has it.
class ProcessInput {
 public:
  // `url`: the id of a stored file, or https://, http://, file://. Downloads within the limit of
  // uploads and ten minutes. `is_local`: asked on the UNIX socket; nobody else may name files or
  // reach addresses of this machine and its network: Error(peer_refused). Throws as download()
  // and check_file() do, Error(usage) for another URL.
  ProcessInput(const ApiContext& context, const std::string& url, bool is_local);
  ~ProcessInput();
  ProcessInput(const ProcessInput&) = delete;
  ProcessInput& operator=(const ProcessInput&) = delete;
  ProcessInput(ProcessInput&&) = delete;
  ProcessInput& operator=(ProcessInput&&) = delete;

  const std::string& json() const noexcept { return json_; }  // {"file_id":…} or {"path":…}

  // What the option `encoding` must say; empty: nothing.
  const std::string& encoding() const noexcept { return encoding_; }

 private:
  void fetch(const ApiContext& context, const std::string& url, bool is_local);

  std::string json_;
  std::string encoding_;
  std::filesystem::path folder_;  // empty: nothing was downloaded
};

// The path of a file:// URL; throws Error(usage), and Error(peer_refused) unless `is_local`.
std::string path_of_file_url(const std::string& url, bool is_local);

// Stores a job's result where its caller wants it, by PUT. Throws as upload() does.
void put_result(const ApiContext& context,
                const std::filesystem::path& result,
                const std::string& url,
                bool is_local);

// Deletes what a daemon before was downloading.
void sweep_downloads(const std::filesystem::path& state_dir) noexcept;

}  // namespace batchllm::daemon

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.h"

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>

namespace batchllm {

struct UrlTransferLimits {
  std::uint64_t bytes = std::uint64_t{1} << 30;  // larger files are refused
  Milliseconds timeout{0};                       // for all of it; 0: none
  std::string ca_file;                           // empty: the system's certificates
  bool public_addresses_only = false;  // for URLs that must not reach this machine's network
  std::stop_token stop;
};

struct DownloadedFile {
  std::uint64_t bytes = 0;
  std::string media_type;  // as the server said, without parameters; may be empty
};

// Fetches an http or https URL into `file`, which appears complete or not at all. No redirects, no
// other schemes, no passwords in URLs. Throws Error(usage) for such a URL, Error(input_missing)
// when the server has no such file, Error(input_unreadable) for other answers, failures and sizes,
// Error(peer_refused) for an address that it must not reach, Error(timeout), Error(interrupted)
// when stopped, Error(storage). Messages name the URL without its query, which may hold a
// signature. Thread-safe.
DownloadedFile download(const std::string& url,
                        const std::filesystem::path& file,
                        const UrlTransferLimits& limits);

// Stores `file` at an http or https URL by PUT, as above; Error(storage) when the server does not
// take it.
void upload(const std::filesystem::path& file,
            const std::string& url,
            const std::string& media_type,
            const UrlTransferLimits& limits);

}  // namespace batchllm

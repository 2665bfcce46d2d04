// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace batchllm::aws {

using MetadataHeaders = std::vector<std::pair<std::string, std::string>>;

// Asks a server on this machine or beside it (`origin`, "http://169.254.169.254") for what it knows
// of the machine's role; empty when it does not say.
using AskMetadata = std::function<std::string(const std::string& origin,
                                              const std::string& method,
                                              const std::string& target,
                                              const MetadataHeaders& headers)>;

// By libcurl, within a second.
std::string ask_metadata_server(const std::string& origin,
                                const std::string& method,
                                const std::string& target,
                                const MetadataHeaders& headers);

}  // namespace batchllm::aws

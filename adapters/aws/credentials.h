// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/aws/metadata_server.h"
#include "adapters/aws/sigv4.h"
#include "core/config_layers.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace batchllm::aws {

// The credentials that AWS' own tools would use: AWS_ACCESS_KEY_ID and its kin, the profile
// (AWS_PROFILE, else "default") in ~/.aws/credentials and ~/.aws/config, the container's or the
// machine's role (IMDSv2). Source: AWS SDKs and Tools Reference Guide, "Credential providers".
//
// Not looked for: single sign-on, roles to assume, credential_process. Not thread-safe.
class CredentialChain {
 public:
  // Without `ask`, roles of containers and machines are not looked for.
  CredentialChain(EnvironmentLookup environment, AskMetadata ask)
      : environment_(std::move(environment)),
        ask_(std::move(ask)) {}

  // Looks for them at the first call, and anew shortly before they expire; that asks a server on
  // this machine or beside it, which takes three seconds at most and is tried once a minute. Throws
  // Error(key_missing) saying where it looked when there never were any.
  const Credentials& current(std::int64_t now_ms);

  // Those of the last call.
  const Credentials& last() const noexcept { return credentials_; }

 private:
  std::optional<Credentials> find();
  std::optional<Credentials> from_environment();
  std::optional<Credentials> from_profile();
  std::optional<Credentials> from_container();
  std::optional<Credentials> from_machine();

  EnvironmentLookup environment_;
  AskMetadata ask_;
  Credentials credentials_;
  bool is_found_ = false;
  std::int64_t next_try_ms_ = 0;
  std::vector<std::string> looked_in_;
  std::string remark_;  // what stands there and is not read
};

// The region that AWS' own tools would use: AWS_REGION, AWS_DEFAULT_REGION, that of the profile.
std::optional<std::string> find_region(const EnvironmentLookup& environment);

// One setting of one section of an AWS file ("[default]", "[profile work]").
std::optional<std::string> profile_setting(const std::string& text,
                                           const std::string& section,
                                           const std::string& name);

}  // namespace batchllm::aws

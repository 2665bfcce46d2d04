// SPDX-License-Identifier: Apache-2.0
// In place of secret_service.cpp where libsystemd was not there to build with.
#include "adapters/secrets/secret_service.h"

#include <utility>

namespace batchllm::secrets {

class SecretService::Session {};

SecretService::SecretService(EnvironmentLookup environment)
    : environment_(std::move(environment)),
      why_absent_("this batchllm was built without it (libsystemd)") {}

SecretService::~SecretService() = default;

ServiceHealth SecretService::health() {
  return {ServiceState::absent, why_absent_, {}};
}

std::vector<std::string> SecretService::providers() {
  return {};
}

bool SecretService::has(const std::string& /*provider*/) {
  return false;
}

std::optional<Secret> SecretService::find(const std::string& /*provider*/) {
  return std::nullopt;
}

void SecretService::put(const std::string& /*provider*/, const Secret& /*key*/) {
  throw Error(ErrorCode::vault_unreadable, "the Secret Service cannot be used: " + why_absent_);
}

bool SecretService::remove(const std::string& /*provider*/) {
  return false;
}

}  // namespace batchllm::secrets

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/job/job_surroundings.h"
#include "adapters/providers/model_listing.h"
#include "core/error.h"

#include <stop_token>
#include <string>
#include <vector>

namespace batchllm {

enum class PollState : std::uint8_t {
  asked,       // `listing` tells what came of it
  no_key,      // it needs one, and none was found, or what keeps it cannot be read
  no_address,  // a variable of its address is not set, or the address cannot be
};

// A provider, and what it said.
struct PolledProvider {
  const ProviderEntry* entry = nullptr;
  PollState state = PollState::asked;
  ErrorCode code = ErrorCode::key_missing;  // of no_key: what a run would end with
  std::string why;                          // of no_key and no_address, for people
  std::string hint;                         // what helps
  std::string base_url;                     // empty: not known
  ModelListing listing;
};

struct ProviderPollSettings {
  std::string ca_file;
  bool only_checks_key = false;
  std::stop_token stop = {};
};

// Asks the providers for their models, all at once, each with the key that a run would send. What
// is wrong with one does not touch the others. Their order stays.
std::vector<PolledProvider> poll_providers(const std::vector<const ProviderEntry*>& providers,
                                           const JobSurroundings& surroundings,
                                           const ProviderPollSettings& settings);

}  // namespace batchllm

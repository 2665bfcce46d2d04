// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/provider_poll.h"

#include "adapters/job/api_key.h"
#include "adapters/providers/provider_address.h"

#include <functional>
#include <future>
#include <optional>
#include <utility>

namespace batchllm {
namespace {

// Fills in what is known before anything is sent. Returns the request when there is one to send.
std::optional<ModelListingRequest> prepare(PolledProvider& polled,
                                           const JobSurroundings& surroundings,
                                           const ProviderPollSettings& settings) {
  ModelListingRequest request;
  request.ca_file = settings.ca_file;
  request.only_checks_key = settings.only_checks_key;
  request.stop = settings.stop;
  polled.state = PollState::no_address;
  try {
    polled.base_url = address_of(*polled.entry, {}, surroundings.environment).url;
    request.base_url = polled.base_url;
    polled.state = PollState::no_key;
    request.key = find_api_key(*polled.entry, {}, surroundings.environment, surroundings.kept_keys);
  } catch (const Error& error) {
    polled.code = error.code();
    polled.why = error.message();
    polled.hint = error.hint();
    return std::nullopt;
  }
  polled.state = PollState::asked;
  return request;
}

ModelListing listing_of(const ProviderEntry& entry, const ModelListingRequest& request) {
  try {
    return list_models(entry, request);
  } catch (const Error& error) {
    ModelListing listing;
    listing.end = ListingEnd::unreachable;
    listing.message = error.message();
    return listing;
  }
}

}  // namespace

std::vector<PolledProvider> poll_providers(const std::vector<const ProviderEntry*>& providers,
                                           const JobSurroundings& surroundings,
                                           const ProviderPollSettings& settings) {
  std::vector<PolledProvider> polled;
  std::vector<std::future<ModelListing>> answers(providers.size());
  for (std::size_t i = 0; i < providers.size(); ++i) {
    polled.emplace_back().entry = providers[i];
    if (auto request = prepare(polled[i], surroundings, settings)) {
      answers[i] = std::async(
          std::launch::async,
          [](const ProviderEntry& entry, const ModelListingRequest& asked) {
            return listing_of(entry, asked);
          },
          std::cref(*providers[i]),
          *std::move(request));
    }
  }
  for (std::size_t i = 0; i < providers.size(); ++i) {
    if (answers[i].valid()) {
      polled[i].listing = answers[i].get();
    }
  }
  return polled;
}

}  // namespace batchllm

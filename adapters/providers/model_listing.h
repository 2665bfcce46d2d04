// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/model_catalog.h"
#include "core/clock.h"

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// A model as a provider lists it.
struct ListedModel {
  std::string name;  // without "provider/"
  std::optional<std::int64_t> context_tokens;
};

enum class ListingEnd : std::uint8_t {
  ok,
  refused,      // the key is not accepted
  unreachable,  // no answer, or one that says that it cannot be given now
  unreadable,   // an answer that is no such list
  no_list,      // the dialect has none
};

// "ok", "refused", … for documents.
std::string_view listing_end_name(ListingEnd end) noexcept;

// What came of asking a provider for its models.
struct ModelListing {
  ListingEnd end = ListingEnd::ok;
  std::vector<ListedModel> models;
  bool is_cut = false;          // it has more than were told
  std::string message;          // why there is no list; for people, free of the key
  int status = 0;               // of HTTP; 0: no answer
  std::int64_t latency_ms = 0;  // of the last request
  std::string server_date;      // the header Date, as it came; may be empty
};

struct ModelListingRequest {
  std::string base_url;
  std::string key;  // secret; may be empty
  std::string ca_file;
  bool only_checks_key = false;  // asks what only a good key gets, be it no list; no models then
  Milliseconds timeout{10'000};
  std::stop_token stop = {};
};

// Asks `entry`'s server which models it has: one request, and one for each further part of the
// list, 50 at most, answers of 16 MiB at most; 5000 models are kept. The timeout is for all of it.
// Names that no model spec could hold are left out. Throws Error(usage) for an address that cannot
// be and for certificates that cannot be read. Thread-safe.
ModelListing list_models(const ProviderEntry& entry, const ModelListingRequest& request);

}  // namespace batchllm

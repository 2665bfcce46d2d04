// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/model_listing.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace batchllm {

// What providers said of their models when they were last asked, kept in models.json of the cache
// folder (0600). Nothing depends on it: what cannot be read counts as never asked. Not thread-safe.
class ModelListCache {
 public:
  struct Entry {
    std::int64_t asked_ms = 0;  // since 1970
    std::string base_url;       // another address is another list
    std::vector<ListedModel> models;
  };

  // `folder` is that of the cache; empty: there is none, and nothing is kept.
  explicit ModelListCache(std::string folder);

  // nullptr when the provider was never asked at that address.
  const Entry* find(const std::string& provider, const std::string& base_url) const;

  // By the provider's name.
  void put(const std::string& provider, Entry entry);

  // Throws Error(storage | storage_full).
  void save() const;

 private:
  std::string path() const;
  void read(const std::string& text);

  std::string folder_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace batchllm

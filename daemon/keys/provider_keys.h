// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/providers/model_catalog.h"
#include "adapters/secrets/key_vault.h"
#include "core/mutex.h"
#include "core/secret.h"
#include "daemon/queue/job_store.h"
#include "daemon/queue/queued_job.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace batchllm::daemon {

// The variable under which a job finds the key that came with its request.
inline constexpr std::string_view k_request_key_variable = "BATCHLLM_REQUEST_KEY";

// The keys that jobs are to use: those that are stored, sealed, in the table provider_keys, and
// those that came with a request, which are in this process's memory only. Thread-safe.
class ProviderKeys {
 public:
  ProviderKeys(JobStore& store, const secrets::KeyVault& vault, const ModelCatalog& models)
      : store_(store),
        vault_(vault),
        models_(models) {}

  // What the job's worker is to know, as variable and value: its own key, else the newest that is
  // stored for its provider, and those of the other providers that its steps ask. No stored one
  // when the job names a server of its own and somebody else than the daemon's user asked for it.
  // Throws Error(key_missing) when the job's own key is gone, as when the daemon has started anew
  // since, Error(vault_unreadable).
  std::vector<std::pair<std::string, std::string>> find(const QueuedJob& job);

  // The key that came with the job's request, until forget().
  void put(const std::string& job_id, Secret key);
  void forget(const std::string& job_id) noexcept;

  // Stored keys that were sealed with another vault key than the one there is.
  std::int64_t count_unreadable();

 private:
  std::string key_of_request(const std::string& job_id);
  void add_stored_key(const std::string& provider,
                      std::vector<std::pair<std::string, std::string>>& keys);

  JobStore& store_;
  const secrets::KeyVault& vault_;
  const ModelCatalog& models_;
  Mutex mutex_;
  std::map<std::string, Secret> keys_ BATCHLLM_GUARDED_BY(mutex_);
};

}  // namespace batchllm::daemon

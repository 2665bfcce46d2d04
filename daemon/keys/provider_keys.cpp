// SPDX-License-Identifier: Apache-2.0
#include "daemon/keys/provider_keys.h"

#include "core/error.h"
#include "core/job_record.h"

#include <optional>

namespace batchllm::daemon {
namespace {

struct StoredKey {
  std::string id;
  secrets::SealedKey sealed;
};

std::optional<StoredKey> newest_key(sql::Database& database, std::string_view provider) {
  auto query = database.prepare(
      "SELECT id, nonce, ciphertext, kek_id FROM provider_keys WHERE provider = ? ORDER BY "
      "created_at DESC, rowid DESC LIMIT 1");
  query.bind_all(provider);
  if (!query.step()) {
    return std::nullopt;
  }
  return StoredKey{query.string(0), {query.string(1), query.string(2), query.string(3)}};
}

// Where requests go is the word of who asked for the job.
bool names_server(const QueuedJob& job) {
  return !parse_job_record(job.record, job.id).settings.model.base_url.empty();
}

}  // namespace

std::vector<std::pair<std::string, std::string>> ProviderKeys::find(const QueuedJob& job) {
  if (job.policy.brings_key) {
    const MutexLock lock(mutex_);
    const auto found = keys_.find(job.id);
    if (found == keys_.end()) {
      throw Error(ErrorCode::key_missing,
                  "the key that came with the request is gone: it is kept in memory only, until "
                  "the request is answered or the daemon ends",
                  "send the request again, or store the key: POST /api/v1/api-keys");
    }
    return {{std::string(k_request_key_variable), std::string(found->second.reveal())}};
  }
  if (!job.policy.trusts_environment && names_server(job)) {
    return {};  // a stored key is for its provider, not for whom a stranger names
  }
  const std::string_view provider = std::string_view(job.model).substr(0, job.model.find('/'));
  const ProviderEntry* entry = models_.find_provider(provider);
  if (entry == nullptr || entry->key_env.empty()) {
    return {};
  }
  const auto stored =
      store_.read([provider](sql::Database& database) { return newest_key(database, provider); });
  if (!stored) {
    return {};
  }
  const Secret key = vault_.open(stored->id, provider, stored->sealed);
  return {{std::string(entry->key_env), std::string(key.reveal())}};
}

void ProviderKeys::put(const std::string& job_id, Secret key) {
  const MutexLock lock(mutex_);
  keys_.insert_or_assign(job_id, std::move(key));
}

void ProviderKeys::forget(const std::string& job_id) noexcept {
  const MutexLock lock(mutex_);
  keys_.erase(job_id);
}

std::int64_t ProviderKeys::count_unreadable() {
  return store_.read([this](sql::Database& database) {
    return database.integer("SELECT count(*) FROM provider_keys WHERE kek_id != ?", vault_.kek_id())
        .value_or(0);
  });
}

}  // namespace batchllm::daemon

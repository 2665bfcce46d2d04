// SPDX-License-Identifier: Apache-2.0
#include "daemon/keys/provider_keys.h"

#include "core/error.h"
#include "core/job_record.h"

#include <algorithm>
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

std::string provider_of(const ModelSettings& model) {
  return model.model.substr(0, model.model.find('/'));
}

}  // namespace

std::vector<std::pair<std::string, std::string>> ProviderKeys::find(const QueuedJob& job) {
  const JobRecord record = parse_job_record(job.record, job.id);
  const std::string first = provider_of(record.settings.model);
  std::vector<std::string> providers;
  std::vector<std::pair<std::string, std::string>> keys;
  if (job.policy.brings_key) {
    keys.emplace_back(k_request_key_variable, key_of_request(job.id));
  } else {
    providers.push_back(first);
  }
  for (const JobStep& step : record.later_steps) {
    if (provider_of(step.model) != first) {
      providers.push_back(provider_of(step.model));
    }
  }
  // Where requests go is the word of who asked for the job: a stored key is for its provider, not
  // for whom a stranger names.
  if (!job.policy.trusts_environment && !record.settings.model.base_url.empty()) {
    return keys;
  }
  for (const std::string& provider : providers) {
    add_stored_key(provider, keys);
  }
  return keys;
}

std::string ProviderKeys::key_of_request(const std::string& job_id) {
  const MutexLock lock(mutex_);
  const auto found = keys_.find(job_id);
  if (found == keys_.end()) {
    throw Error(ErrorCode::key_missing,
                "the key that came with the request is gone: it is kept in memory only, until "
                "the request is answered or the daemon ends",
                "send the request again, or store the key: POST /api/v1/api-keys");
  }
  return std::string(found->second.reveal());
}

void ProviderKeys::add_stored_key(const std::string& provider,
                                  std::vector<std::pair<std::string, std::string>>& keys) {
  const ProviderEntry* entry = models_.find_provider(provider);
  if (entry == nullptr || entry->key_env.empty()) {
    return;
  }
  const bool is_there = std::any_of(
      keys.begin(), keys.end(), [entry](const auto& key) { return key.first == entry->key_env; });
  const auto stored = is_there ? std::nullopt : store_.read([&provider](sql::Database& database) {
    return newest_key(database, provider);
  });
  if (stored) {
    const Secret key = vault_.open(stored->id, provider, stored->sealed);
    keys.emplace_back(entry->key_env, key.reveal());
  }
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

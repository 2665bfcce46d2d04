// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/files/content_store.h"
#include "adapters/job/job_surroundings.h"
#include "adapters/secrets/key_vault.h"
#include "daemon/api/checked_jobs.h"
#include "daemon/api/url_transfers.h"
#include "daemon/keys/provider_keys.h"
#include "daemon/queue/job_store.h"
#include "daemon/scheduler/disk_room.h"
#include "daemon/scheduler/scheduler.h"
#include "daemon/service/service_control.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace batchllm::daemon {

// What the API's handlers work with. Everything is thread-safe and outlives the server.
struct ApiContext {
  JobStore& store;
  Scheduler& scheduler;
  files::ContentStore& content;
  const secrets::KeyVault& vault;
  ServiceControl& service;
  std::filesystem::path state_dir;
  std::optional<std::uint64_t> max_upload_bytes;
  DiskRoom& disk;
  const JobSurroundings& surroundings;
  ProviderKeys& keys;
  UrlTransfers& transfers;
  std::string task_model = {};  // that tasks ask unless they name one; empty: their template's
  CheckedJobs checked_jobs{};
};

}  // namespace batchllm::daemon

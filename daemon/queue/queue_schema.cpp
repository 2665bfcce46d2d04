// SPDX-License-Identifier: Apache-2.0
#include "daemon/queue/queue_schema.h"

#include <array>
#include <string_view>

namespace batchllm::daemon {
namespace {

constexpr std::string_view k_first = R"sql(
CREATE TABLE projects (
  name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 100),
  max_running INTEGER CHECK (max_running >= 0),
  created_at INTEGER NOT NULL
) STRICT;
INSERT INTO projects VALUES ('default', NULL, 0);

CREATE TABLE files (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
  name TEXT NOT NULL,
  media_type TEXT NOT NULL,
  bytes INTEGER NOT NULL CHECK (bytes >= 0),
  format TEXT NOT NULL,
  encoding TEXT NOT NULL,
  rows INTEGER,
  columns TEXT NOT NULL,
  is_listed INTEGER NOT NULL CHECK (is_listed IN (0, 1)),
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX files_by_content ON files (sha256);

CREATE TABLE jobs (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind INTEGER NOT NULL CHECK (kind IN (0, 1, 2)),
  project TEXT NOT NULL REFERENCES projects (name),
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 8),
  held INTEGER NOT NULL CHECK (held IN (0, 1)),
  claim_key INTEGER NOT NULL,
  reason TEXT NOT NULL,
  wish INTEGER NOT NULL CHECK (wish BETWEEN 0 AND 2),
  priority INTEGER NOT NULL CHECK (priority BETWEEN -100 AND 100),
  attempt INTEGER NOT NULL,
  crash_count INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  not_before INTEGER,
  owner TEXT,
  lease_until INTEGER,
  last_seq INTEGER NOT NULL,
  rows_total INTEGER,
  ok INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  skipped INTEGER NOT NULL,
  cost_micro_usd INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  exit_code INTEGER,
  fault TEXT,
  question TEXT,
  name TEXT NOT NULL,
  tags TEXT NOT NULL,
  model TEXT NOT NULL,
  lane TEXT NOT NULL,
  concurrency INTEGER NOT NULL,
  max_cost INTEGER,
  output_path TEXT NOT NULL,
  policy TEXT NOT NULL,
  retry_of TEXT,
  schedule_id TEXT,
  fire_at INTEGER,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  record TEXT NOT NULL,
  UNIQUE (schedule_id, fire_at),
  CHECK ((state >= 5) = (finished_at IS NOT NULL)),
  CHECK ((state = 1) = (owner IS NOT NULL))
) STRICT;
CREATE INDEX jobs_to_claim ON jobs (kind, project, claim_key) WHERE state = 0 AND held = 0;
CREATE INDEX jobs_held ON jobs (not_before) WHERE state = 0 AND held = 1;
CREATE INDEX jobs_alive ON jobs (state) WHERE state BETWEEN 1 AND 4;
CREATE INDEX jobs_ended ON jobs (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX jobs_of_schedules ON jobs (schedule_id) WHERE schedule_id IS NOT NULL AND state < 5;

CREATE TABLE job_files (
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  file_id TEXT NOT NULL REFERENCES files (id),
  PRIMARY KEY (job_id, file_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_files_by_file ON job_files (file_id);

CREATE TABLE job_dependencies (
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  after_id TEXT NOT NULL,
  condition INTEGER NOT NULL CHECK (condition IN (0, 1, 2)),
  is_met INTEGER NOT NULL CHECK (is_met IN (0, 1)),
  PRIMARY KEY (job_id, after_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_dependencies_open ON job_dependencies (after_id) WHERE is_met = 0;

CREATE TABLE job_events (
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  seq INTEGER NOT NULL CHECK (seq > 0),
  at INTEGER NOT NULL,
  type TEXT NOT NULL,
  version INTEGER NOT NULL,
  actor TEXT NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (job_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  epoch INTEGER NOT NULL,
  worker TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  outcome TEXT,
  message TEXT,
  PRIMARY KEY (job_id, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE schedules (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  cron TEXT NOT NULL,
  timezone TEXT NOT NULL,
  body TEXT NOT NULL,
  overlap INTEGER NOT NULL CHECK (overlap BETWEEN 0 AND 2),
  missed INTEGER NOT NULL CHECK (missed IN (0, 1)),
  is_enabled INTEGER NOT NULL CHECK (is_enabled IN (0, 1)),
  next_at INTEGER,
  settled_at INTEGER NOT NULL,
  last_at INTEGER,
  last_job_id TEXT,
  last_error TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX schedules_due ON schedules (next_at) WHERE is_enabled = 1;
CREATE INDEX schedules_settled ON schedules (settled_at) WHERE is_enabled = 1;

CREATE TABLE provider_keys (
  id TEXT PRIMARY KEY,
  provider TEXT NOT NULL,
  label TEXT NOT NULL,
  kek_id TEXT NOT NULL,
  nonce TEXT NOT NULL,
  ciphertext TEXT NOT NULL,
  hint TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (provider, label)
) STRICT;

CREATE TABLE idempotency (
  key TEXT NOT NULL,
  operation TEXT NOT NULL,
  request_sha256 TEXT NOT NULL,
  status INTEGER NOT NULL,
  location TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  has_job INTEGER NOT NULL CHECK (has_job IN (0, 1)),
  PRIMARY KEY (key, operation)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (created_at) WHERE has_job = 0;
CREATE INDEX idempotency_by_location ON idempotency (location) WHERE location != '';

CREATE TABLE usage (
  day INTEGER NOT NULL,
  project TEXT NOT NULL,
  model TEXT NOT NULL,
  job_id TEXT NOT NULL,
  rows INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  cost_micro_usd INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  PRIMARY KEY (day, project, model, job_id)
) STRICT, WITHOUT ROWID;
)sql";

constexpr std::array k_migrations = {
    sql::Migration{1, "the queue", k_first},
};

}  // namespace

std::span<const sql::Migration> queue_migrations() noexcept {
  return k_migrations;
}

}  // namespace batchllm::daemon

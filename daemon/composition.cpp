// SPDX-License-Identifier: Apache-2.0
#include "daemon/composition.h"

#include "adapters/config/settings_files.h"
#include "adapters/job/api_key.h"
#include "adapters/job/job_seed.h"
#include "adapters/sql/database_care.h"
#include "adapters/sql/state_folder.h"
#include "core/atomic_file.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/process_setup.h"
#include "daemon/api/api_router.h"
#include "daemon/api/process_input.h"
#include "daemon/api/scheduled_job.h"
#include "daemon/api/url_transfers.h"
#include "daemon/http/http_server.h"
#include "daemon/keys/provider_keys.h"
#include "daemon/queue/input_links.h"
#include "daemon/queue/queue_repair.h"
#include "daemon/queue/queue_schema.h"
#include "daemon/scheduler/backup_chore.h"
#include "daemon/scheduler/disk_room.h"
#include "daemon/scheduler/retention_chore.h"
#include "daemon/scheduler/schedule_chore.h"
#include "daemon/scheduler/scheduler.h"
#include "daemon/scheduler/worker_program.h"
#include "daemon/service/api_token.h"
#include "daemon/service/daemon_log.h"
#include "daemon/service/daemon_signals.h"
#include "daemon/service/service_control.h"

#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace batchllm::daemon {
namespace {

namespace fs = std::filesystem;
using TimePoint = std::chrono::steady_clock::time_point;

constexpr std::size_t k_read_connections = 8;
constexpr int k_memory_arenas = 2;

// When the watchdog wants to hear of us next.
std::optional<TimePoint> next_sign_of_life(const ServiceNotifier& notifier) {
  const auto interval = notifier.alive_interval();
  return interval ? std::optional(std::chrono::steady_clock::now() + *interval) : std::nullopt;
}

fs::path daemon_folder(const DaemonSettings& settings) {
  return fs::path(settings.state_dir) / "daemon";
}

// The state folder in this process's hands, and the queue in it, checked and up to date.
class StateFolder {
 public:
  StateFolder(const DaemonSettings& settings, const Clock& clock)
      : lock_(sql::lock_state_folder(settings.state_dir)),
        path_(daemon_folder(settings) / "queue.db") {
    sql::refuse_network_file_system(daemon_folder(settings));
    refuse_unfinished_repair(settings.state_dir);
    sql::MigrationOptions options;
    options.backups = daemon_folder(settings) / "backups";
    options.now_ms = clock.wall_ms();
    try {
      database_ = sql::open_migrated(path_, queue_migrations(), options);
      sql::check_at_start(*database_);
    } catch (const Error& error) {
      throw_with_way_out(error, settings.state_dir);
    }
  }

  const fs::path& path() const noexcept { return path_; }

  sql::Database take_database() { return *std::exchange(database_, std::nullopt); }

 private:
  FileHandle lock_;
  fs::path path_;
  std::optional<sql::Database> database_;
};

SchedulerSettings scheduler_settings(const DaemonSettings& settings) {
  SchedulerSettings scheduler;
  scheduler.state_dir = settings.state_dir;
  scheduler.max_running_jobs = settings.max_running_jobs;
  scheduler.max_running_tasks = settings.max_running_jobs;
  scheduler.lane_concurrency = settings.concurrency;
  scheduler.key_variables = settings.key_variables;
  scheduler.model_files = settings.model_files;
  scheduler.lease = std::chrono::milliseconds(settings.lease_ms);
  return scheduler;
}

std::string read_token(const DaemonSettings& settings) {
  return settings.listen ? load_api_token(settings.token_file) : std::string();
}

HttpServerSettings server_settings(sql::ConnectionPool& readers) {
  HttpServerSettings settings;
  settings.on_quiet = [&readers] { readers.close_idle(); };
  return settings;
}

// The parts of the service, in the order of their construction.
class Service final : public ServiceControl {
 public:
  Service(DaemonStart& start, const ServiceNotifier& notifier)
      : start_(start),
        notifier_(notifier),
        started_ms_(clock_.wall_ms()),
        worker_program_(find_worker_program(own_program())),
        folder_(start.settings, clock_),
        disk_(start.settings.state_dir, start.settings.min_free_bytes),
        writer_(folder_.take_database(), writer_options()),
        readers_(folder_.path(), k_read_connections),
        store_(writer_, readers_, hub_, clock_),
        content_(fs::path(start.settings.state_dir) / "files"),
        vault_(daemon_folder(start.settings) / "vault.key"),
        surroundings_{ModelCatalog::load(start.settings.model_files), &environment_variable},
        keys_(store_, vault_, surroundings_.models),
        scheduler_(store_,
                   worker_program_,
                   scheduler_settings(start.settings),
                   [this](const QueuedJob& job) {
                     link_inputs(store_, content_, context_.state_dir, job.id);
                     return keys_.find(job);
                   }),
        transfers_(worker_program_, start.settings.state_dir),
        context_{store_,
                 scheduler_,
                 content_,
                 vault_,
                 *this,
                 start.settings.state_dir,
                 start.settings.max_upload_bytes,
                 disk_,
                 surroundings_,
                 keys_,
                 transfers_,
                 start.settings.task_model},
        schedules_(
            store_,
            [this](const Schedule& schedule, std::int64_t slot_ms) {
              return prepare_scheduled_job(context_, schedule, slot_ms, "schedule:" + schedule.id);
            },
            wake_scheduler()),
        retention_(store_, content_, start.settings.state_dir, wake_scheduler()),
        backups_(
            store_, folder_.path(), daemon_folder(start.settings) / "backups", wake_scheduler()),
        router_(context_, read_token(start.settings)),
        server_(router_, server_settings(readers_)) {
    remember_environment_secrets(surroundings_.models, surroundings_.environment);
    content_.sweep_incoming();
    sweep_job_seeds(start.settings.state_dir);
    sweep_downloads(start.settings.state_dir);
    if (const std::int64_t lost = keys_.count_unreadable(); lost > 0) {
      log_warning(
          "{} of the stored provider keys cannot be read with {}: restore the vault key from a "
          "backup, or delete and enter them again",
          lost,
          (daemon_folder(start.settings) / "vault.key").string());
    }
    set_chores();
    scheduler_.ask_for_room(disk_);
    for (Chore* chore : {static_cast<Chore*>(&schedules_),
                         static_cast<Chore*>(&retention_),
                         static_cast<Chore*>(&backups_)}) {
      scheduler_.add_chore(*chore);
    }
    listen();
  }

  ~Service() override {
    scheduler_.drain(std::chrono::milliseconds(0));  // it asks chores, which end before it
    stop_serving();
  }

  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  Service(Service&&) = delete;
  Service& operator=(Service&&) = delete;

  void begin() {
    scheduler_.start();
    serving_ = std::thread([this] { server_.run(); });
  }

  // Rows in flight are waited for while the API still answers; then everything ends.
  void end() {
    draining_ = true;
    scheduler_.drain(patience());
    hub_.shut_down();
    stop_serving();
  }

  void drain(std::optional<std::chrono::milliseconds> patience) override {
    if (patience) {
      patience_ms_ = patience->count();
    }
    draining_ = true;
    DaemonSignals::post(ServiceRequest::drain);
  }

  // A configuration that cannot be used changes nothing.
  std::vector<std::string> reload() override {
    const std::lock_guard lock(reloading_);
    notifier_.reloading();
    try {
      const DaemonSettings after = load_daemon_settings(start_.flags, start_.environment);
      for (const SettingChange& change : changes_between(start_.settings, after)) {
        log_info("{} changes from {} to {}{}",
                 change.key,
                 change.from,
                 change.to,
                 change.needs_restart ? " with the next start" : "");
      }
      start_.settings = reloaded(start_.settings, after);
    } catch (const Error& error) {
      log_error("the configuration stays as it was: {}", error.message());
      notifier_.ready("ready");
      throw;
    }
    set_log_level(start_.settings.log.level);
    set_chores();
    scheduler_.change_settings(scheduler_settings(start_.settings));
    log_info("the configuration was read again");
    notifier_.ready("ready");
    std::vector<std::string> files;
    for (const ConfigFile& file : config_files_for(start_.flags, start_.environment, {})) {
      std::error_code error;
      if (fs::exists(file.path, error)) {
        files.push_back(file.path);
      }
    }
    return files;
  }

  fs::path back_up() override {
    sql::Database database = sql::Database::open(folder_.path(), sql::Access::read_only);
    return sql::back_up(
        database, daemon_folder(start_.settings) / "backups", "manual", clock_.wall_ms());
  }

  bool is_draining() const override { return draining_; }

  std::size_t connection_count() const override { return server_.connection_count(); }

  std::int64_t started_ms() const override { return started_ms_; }

 private:
  sql::CommitQueueOptions writer_options() {
    sql::CommitQueueOptions options;
    options.on_failure = [this](const Error& error) {
      if (error.code() == ErrorCode::storage_full) {
        disk_.note_full();
      } else {
        log_error("the queue could not be written: {}", error.message());
      }
    };
    return options;
  }

  std::function<void()> wake_scheduler() {
    return [this] { scheduler_.wake(); };
  }

  void set_chores() {
    retention_.keep_for(start_.settings.retention_ms);
    backups_.repeat_every(start_.settings.backup_every_ms);
    disk_.want(start_.settings.min_free_bytes);
  }

  void listen() {
    bool has_unix = false;
    for (InheritedSocket& socket : start_.sockets) {
      has_unix = has_unix || socket.is_unix;
      server_.adopt_listener(socket.descriptor.release());
    }
    if (!has_unix) {
      server_.add_unix_listener(start_.settings.socket);
    }
    if (start_.settings.listen) {
      server_.add_tcp_listener(start_.settings.listen->host, start_.settings.listen->port);
    }
  }

  std::chrono::milliseconds patience() const {
    const std::int64_t asked = patience_ms_;
    return std::chrono::milliseconds(asked >= 0 ? asked : start_.settings.drain_timeout_ms);
  }

  void stop_serving() {
    transfers_.stop();
    server_.stop();
    if (serving_.joinable()) {
      serving_.join();
    }
  }

  DaemonStart& start_;
  const ServiceNotifier& notifier_;
  const SystemClock clock_;
  const std::int64_t started_ms_;
  std::atomic<bool> draining_{false};
  std::atomic<std::int64_t> patience_ms_{-1};  // asked for with the drain; -1: as configured
  std::mutex reloading_;

  WorkerProgram worker_program_;
  StateFolder folder_;
  DiskRoom disk_;
  sql::CommitQueue writer_;
  sql::ConnectionPool readers_;
  EventHub hub_;
  JobStore store_;
  files::ContentStore content_;
  secrets::KeyVault vault_;
  JobSurroundings surroundings_;
  ProviderKeys keys_;
  Scheduler scheduler_;
  UrlTransfers transfers_;
  ApiContext context_;
  ScheduleChore schedules_;
  RetentionChore retention_;
  BackupChore backups_;
  ApiRouter router_;
  HttpServer server_;
  std::thread serving_;
};

// By default threads share eight arenas for each core, and each arena keeps what a crowd of
// connections took of it: megabytes of an idle daemon.
void limit_memory_arenas() noexcept {
#if defined(__GLIBC__)
  ::mallopt(M_ARENA_MAX, k_memory_arenas);
#endif
}

void serve(Service& service, DaemonSignals& signals, const ServiceNotifier& notifier) {
  while (true) {
    const auto request = signals.wait(next_sign_of_life(notifier));
    if (!request) {
      notifier.alive();
    } else if (*request == ServiceRequest::reload) {
      try {
        service.reload();
      } catch (const Error&) {
        continue;  // said in the log
      }
    } else {
      return;
    }
  }
}

}  // namespace

int run_daemon(DaemonStart start) {
  limit_memory_arenas();
  DaemonSignals signals;
  const ServiceNotifier notifier(start.environment, getpid());
  Service service(start, notifier);
  service.begin();
  log_info("batchllmd {} is ready at {}", BATCHLLM_VERSION, start.settings.socket);
  notifier.ready("ready");
  serve(service, signals, notifier);
  notifier.stopping("stopping");
  log_info("stopping");
  service.end();
  return 0;
}

int repair_daemon(const DaemonSettings& settings, bool wants_json) {
  const FileHandle lock = sql::lock_state_folder(settings.state_dir);
  const RepairReport report = repair_queue(settings.state_dir, SystemClock().wall_ms());
  write_all(STDOUT_FILENO,
            wants_json ? repair_report_json(report) + "\n" : repair_report_text(report),
            "standard output");
  return 0;
}

}  // namespace batchllm::daemon

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/sql/sqlite_migrations.h"
#include "core/atomic_file.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/process_setup.h"
#include "daemon/api/api_router.h"
#include "daemon/http/problem.h"
#include "daemon/queue/queue_schema.h"
#include "tests/support/scratch_folder.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace batchllm::daemon {

// The answer to a request, with a look into its JSON.
struct BenchAnswer {
  HttpResponse response;

  int status() const { return response.status; }

  // The member at `path` (".items[0].id"); empty when there is none.
  std::string at(std::string_view path) const {
    const auto value = find_in_json(response.body, path);
    return value ? value->text : "";
  }
};

inline std::string with_daemon_folder(const std::string& state_dir) {
  make_private_folder(state_dir + "/daemon");
  return state_dir;
}

// The API over a real queue in a folder of its own; no server, no worker: what is queued stays so.
class ApiBench : private ServiceControl {
 public:
  explicit ApiBench(std::string task_model = {})
      : context_{store_,
                 scheduler_,
                 content_,
                 vault_,
                 *this,
                 folder_.path(),
                 std::nullopt,
                 disk_,
                 surroundings_,
                 keys_,
                 transfers_,
                 std::move(task_model)} {}

  ApiContext& context() { return context_; }

  JobStore& store() { return store_; }

  ProviderKeys& keys() { return keys_; }

  const secrets::KeyVault& vault() const { return vault_; }

  const ScratchFolder& folder() const { return folder_; }

  // For a server in front of it.
  HttpResponse handle(HttpRequest& request) { return router_.handle(request); }

  // Asked on the UNIX socket.
  BenchAnswer ask(std::string method, const std::string& target, std::string_view body = {}) {
    Peer peer;
    peer.uid = getuid();
    return ask_as(peer, std::move(method), target, body);
  }

  // The same under an Idempotency-Key.
  BenchAnswer ask_once(const std::string& key, const std::string& target, std::string_view body) {
    key_ = key;
    BenchAnswer answer = ask("POST", target, body);
    key_.clear();
    return answer;
  }

  // Asked on TCP, with the token.
  BenchAnswer ask_over_tcp(std::string method,
                           const std::string& target,
                           std::string_view body = {}) {
    return ask_as({std::nullopt, 0, "127.0.0.1:1"}, std::move(method), target, body);
  }

 private:
  // The body in one piece.
  class OnePiece final : public BodySource {
   public:
    explicit OnePiece(std::string_view text) : text_(text) {}

    std::string_view next() override { return std::exchange(text_, {}); }

   private:
    std::string_view text_;
  };

  BenchAnswer ask_as(const Peer& peer,
                     std::string method,
                     const std::string& target,
                     std::string_view body) {
    HttpRequest request;
    request.method = std::move(method);
    request.path = "/api/v1" + target.substr(0, target.find('?'));
    if (const auto mark = target.find('?'); mark != std::string::npos) {
      const std::string pair = target.substr(mark + 1);
      request.parameters.emplace_back(pair.substr(0, pair.find('=')),
                                      pair.substr(pair.find('=') + 1));
    }
    request.headers.emplace_back("content-type", "application/json");
    request.headers.emplace_back("authorization", "Bearer secret");
    if (!key_.empty()) {
      request.headers.emplace_back("idempotency-key", key_);
    }
    request.peer = peer;
    OnePiece source(body);
    request.body = &source;
    try {
      return {router_.handle(request)};
    } catch (const Error& error) {
      return {problem_response(error)};
    }
  }

  void drain(std::optional<std::chrono::milliseconds>) override {}

  std::vector<std::string> reload() override { return {}; }

  std::filesystem::path back_up() override { return {}; }

  bool is_draining() const override { return false; }

  std::size_t connection_count() const override { return 0; }

  std::int64_t started_ms() const override { return 0; }

  ScratchFolder folder_;
  std::string key_;
  SystemClock clock_;
  EventHub hub_;
  sql::CommitQueue writer_{sql::open_migrated(
      folder_.path("queue.db"), queue_migrations(), {folder_.path("backups"), 0, {}})};
  sql::ConnectionPool readers_{folder_.path("queue.db"), 4};
  JobStore store_{writer_, readers_, hub_, clock_};
  files::ContentStore content_{folder_.path("files")};
  secrets::KeyVault vault_{folder_.path("vault.key")};
  DiskRoom disk_{with_daemon_folder(folder_.path()), 0};
  const JobSurroundings surroundings_{ModelCatalog::built_in(), &environment_variable};
  ProviderKeys keys_{store_, vault_, surroundings_.models};
  WorkerProgram worker_program_{BATCHLLM_WORKER};
  Scheduler scheduler_{
      store_, worker_program_, {}, [this](const QueuedJob& job) { return keys_.find(job); }};
  UrlTransfers transfers_{worker_program_, folder_.path()};
  ApiContext context_;
  ApiRouter router_{context_, "secret"};
};

}  // namespace batchllm::daemon

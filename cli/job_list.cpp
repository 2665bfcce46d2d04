// SPDX-License-Identifier: Apache-2.0
#include "cli/job_list.h"

#include "core/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace batchllm {
namespace {

constexpr std::uint64_t k_page = 500;

class Lister {
 public:
  Lister(const JobsListRequest& request, JobPlaces& places) : request_(request), places_(places) {}

  JobList list() {
    if (DaemonClient* daemon = places_.daemon()) {
      daemon_answers_ = true;
      take_queued(*daemon);
    }
    if (request_.project.empty() && request_.tags.empty()) {
      take_runs();
    }
    std::stable_sort(list_.jobs.begin(), list_.jobs.end(), [](const auto& a, const auto& b) {
      return a.created_ms() > b.created_ms();
    });
    if (request_.limit != 0 && list_.jobs.size() > request_.limit) {
      list_.jobs.resize(request_.limit);
    }
    return std::move(list_);
  }

 private:
  // The daemon's pages take one tag; the others are looked at here.
  void take_queued(DaemonClient& daemon) {
    std::string tag = request_.tags.empty() ? std::string() : request_.tags.front();
    std::replace(tag.begin(), tag.end(), '=', ':');
    const std::uint64_t most = request_.limit == 0 ? k_page : std::min(request_.limit, k_page);
    std::string cursor;
    do {
      const JsonNode page = daemon.get("/jobs",
                                       {{"state", request_.status},
                                        {"project", request_.project},
                                        {"kind", "job"},
                                        {"tag", tag},
                                        {"limit", std::to_string(most)},
                                        {"cursor", cursor}});
      const JsonNode* items = page.find("items");
      for (const JsonNode& item : items == nullptr ? std::span<const JsonNode>() : items->items()) {
        take_queued(read_daemon_job(item));
      }
      cursor = page.find_string("next_cursor").value_or("");
    } while (!cursor.empty() && !is_full());
    is_cut_ = !cursor.empty();
  }

  void take_queued(DaemonJob job) {
    known_.insert(job.id);
    if (std::all_of(request_.tags.begin(), request_.tags.end(), [&job](const auto& tag) {
          return has_tag(job, tag);
        })) {
      list_.jobs.push_back({std::move(job), std::nullopt});
    }
  }

  static bool has_tag(const DaemonJob& job, const std::string& tag) {
    const auto equals = tag.find('=');
    const JsonNode* tags = job.document.find("tags");
    const JsonNode* found = tags == nullptr ? nullptr : tags->find(tag.substr(0, equals));
    return found != nullptr &&
           (equals == std::string::npos || found->string() == tag.substr(equals + 1));
  }

  void take_runs() {
    std::uint64_t taken = 0;
    for (const auto& id : list_job_ids(places_.ui().state_dir())) {
      if (request_.limit != 0 && taken >= request_.limit) {
        return;
      }
      if (!known_.contains(id)) {
        taken += take_run(id) ? 1 : 0;
      }
    }
  }

  bool take_run(const std::string& id) {
    try {
      const JobDirectory directory = JobDirectory::open(places_.ui().state_dir(), id);
      // A job of the daemon's that it did not name does not fit, or is on a later page.
      const bool is_queued = is_the_daemons(directory.load());
      if (is_queued && daemon_answers_ && (!request_.status.empty() || is_cut_)) {
        return false;
      }
      JobReport report = report_job(directory);
      list_.not_shown += is_queued && !daemon_answers_ ? 1 : 0;
      if (!request_.status.empty() && report.status() != request_.status) {
        return false;
      }
      list_.jobs.push_back({std::nullopt, std::move(report)});
      return true;
    } catch (const Error& error) {
      places_.ui().messages().warning(fmt::format("{}: {}", id, error.message()));
      return false;
    }
  }

  bool is_full() const { return request_.limit != 0 && list_.jobs.size() >= request_.limit; }

  const JobsListRequest& request_;
  JobPlaces& places_;
  JobList list_;
  std::set<std::string, std::less<>> known_;  // to the daemon
  bool daemon_answers_ = false;
  bool is_cut_ = false;
};

}  // namespace

const std::string& ListedJob::id() const {
  return queued ? queued->id : run->record.id;
}

std::string_view ListedJob::state() const {
  return queued ? std::string_view(queued->state) : run->status();
}

std::int64_t ListedJob::created_ms() const {
  return queued ? queued->created_ms : run->record.created_ms;
}

JobList list_jobs(const JobsListRequest& request, JobPlaces& places) {
  return Lister(request, places).list();
}

}  // namespace batchllm

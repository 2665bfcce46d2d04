// SPDX-License-Identifier: Apache-2.0
// What workers say, and how they live and end: the scheduler's side of them.
#include "core/crash_point.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/progress_pace.h"
#include "daemon/scheduler/scheduler_post.h"
#include "daemon/service/daemon_log.h"

#include <algorithm>
#include <memory>

namespace batchllm::daemon {
namespace {

using std::chrono::steady_clock;

// False for what a worker said of a run that it or we had ended by then.
template <typename Report, typename Assignment>
bool is_about(const Report& report, const std::optional<Assignment>& job) {
  return job && job->id == report.job_id && job->epoch == report.epoch;
}

// A short job says a thing or two and ends: one commit for all of it.
constexpr std::chrono::milliseconds k_texts_wait{50};

void note_texts(JobTable& jobs, std::string_view worker, const std::vector<TextReport>& texts) {
  for (const TextReport& report : texts) {
    note_text(jobs, report.job_id, report.epoch, worker, report.level, report.text);
  }
}

// Of the job that the post has.
template <typename Post>
std::vector<TextReport> take_texts(Post& post) {
  return std::exchange(post.job->texts, {});
}

}  // namespace

void Scheduler::take_reports(Post& post) {
  const bool lives = post.process.channel().receive();
  while (const auto line = post.process.channel().next_line()) {
    try {
      const auto message = parse_worker_message(*line);
      if (const auto* alive = std::get_if<AliveReport>(&message)) {
        take(post, *alive);
      } else if (const auto* end = std::get_if<EndReport>(&message)) {
        take(post, *end);
      } else if (const auto* text = std::get_if<TextReport>(&message)) {
        take(post, *text);
      }
    } catch (const Error& error) {
      log_error("{}: {}", post.process.name(), error.message());
    }
  }
  if (!lives && !post.is_leaving && !post.is_gone) {
    post.process.kill();  // it cannot be spoken to any more
  }
  if (const auto ending = post.process.ending()) {
    if (post.job) {
      log_error("{}: its worker died ({})", post.job->id, *ending);
      lose(post, "worker_died");
    } else if (!post.is_leaving && !post.is_gone) {
      log_warning("{}: an idle worker died ({})", post.process.name(), *ending);
    }
    post.is_gone = true;
  }
}

void Scheduler::take(Post& post, const AliveReport& report) {
  if (!is_about(report, post.job)) {
    return;
  }
  Post::Assignment& job = *post.job;
  const Time now = steady_clock::now();
  job.lease_until = now + settings_.lease;
  const bool has_moved = !(job.counts == report.counts);
  job.counts = report.counts;
  if (store_.hub().is_watched(job.id)) {
    JsonWriter json;
    json.begin_object().key("ok").number(report.counts.ok);
    json.key("failed").number(report.counts.failed).key("skipped").number(report.counts.skipped);
    json.key("rows_total");
    if (report.counts.rows_total) {
      json.number(*report.counts.rows_total);
    } else {
      json.null();
    }
    json.key("cost_micro_usd").number(report.counts.cost_micro_usd);
    json.key("in_flight").number(report.in_flight);
    json.key("rows_per_s").decimal(report.rows_per_s, 1).end_object();
    store_.hub().publish_live(job.id, std::make_shared<const std::string>(json.text()));
  }
  const auto since = now - job.kept_at;
  const bool is_kept = has_moved && is_progress_worth_keeping(report.counts, job.kept_done, since);
  if (!is_kept && since < settings_.lease / 3) {
    return;
  }
  job.kept_at = now;
  job.kept_done = report.counts.done();
  const std::int64_t lease_until = store_.clock().wall_ms() + settings_.lease.count();
  bool is_ours = true;
  try {
    is_ours = store_.write([&](JobTable& jobs) {
      return note_progress(jobs, job.id, job.epoch, lease_until, report.counts, is_kept);
    });
  } catch (const Error& error) {
    log_warning("{}: its progress is not kept: {}", job.id, error.message());
  }
  if (!is_ours) {
    log_error("{}: {} has lost it", job.id, post.process.name());
    post.process.kill();
    post.is_gone = true;
    leave_job(post);
  }
}

void Scheduler::take(Post& post, const EndReport& report) {
  if (!is_about(report, post.job)) {
    return;
  }
  if (report.ending.fault && report.ending.fault->code == "storage_full") {
    wait_for_space();
  }
  crash_point(CrashPoint::end_received);
  save([id = post.job->id,
        report,
        texts = take_texts(post),
        worker = post.process.name(),
        backoff = settings_.backoff](JobTable& jobs) {
    note_texts(jobs, worker, texts);
    if (const auto job = end_run(jobs, id, report.epoch, report.ending, backoff)) {
      log_info("{} is {}{}{}",
               id,
               job_state_name(job->view.state),
               job->view.reason.empty() ? "" : ": ",
               job->view.reason);
    }
  });
  leave_job(post);
}

void Scheduler::take(Post& post, const TextReport& report) {
  if (!is_about(report, post.job)) {
    return;
  }
  Post::Assignment& job = *post.job;
  if (job.texts.empty()) {
    job.texts_due = steady_clock::now() + k_texts_wait;
  }
  job.texts.push_back(report);
}

// What workers said and nothing came to take along.
void Scheduler::save_texts(Time now) {
  for (const auto& post : posts_) {
    if (post->job && !post->job->texts.empty() && now >= post->job->texts_due) {
      save([texts = take_texts(*post), worker = post->process.name()](JobTable& jobs) {
        note_texts(jobs, worker, texts);
      });
    }
  }
}

void Scheduler::leave_job(Post& post) {
  post.job.reset();
  post.idle_since = steady_clock::now();
  --running_count_;
  deal_lanes();
}

void Scheduler::lose(Post& post, std::string_view reason) {
  save([id = post.job->id,
        epoch = post.job->epoch,
        reason = std::string(reason),
        texts = take_texts(post),
        worker = post.process.name(),
        backoff = settings_.backoff](JobTable& jobs) {
    note_texts(jobs, worker, texts);
    rescue_job(jobs, id, epoch, reason, backoff);
  });
  leave_job(post);
}

// A worker that is silent is ended before its job goes elsewhere: it must not write any more.
void Scheduler::check_leases(Time now) {
  for (const auto& post : posts_) {
    if (!post->job || now < post->job->lease_until) {
      continue;
    }
    // What it said while this process stood still counts.
    take_reports(*post);
    if (!post->job || now < post->job->lease_until) {
      continue;
    }
    log_error("{}: {} has said nothing for too long", post->job->id, post->process.name());
    post->process.kill();
    post->is_gone = true;
    lose(*post, "lease_lost");
  }
}

void Scheduler::close_idle_workers(Time now) {
  for (const auto& post : posts_) {
    if (!post->job && !post->is_leaving && now >= post->idle_since + settings_.idle_worker) {
      post->is_leaving = true;
      post->process.dismiss();
    }
  }
}

void Scheduler::stop_everything(Time now) {
  if (!drain_until_) {
    drain_until_ = now + std::chrono::milliseconds(patience_ms_);
  }
  for (const auto& post : posts_) {
    if (post->job && !post->job->is_stopping) {
      post->job->is_stopping = true;
      post->process.send(StopOrder{RunEnding::Why::shut_down});
    } else if (!post->job && !post->is_leaving) {
      post->is_leaving = true;
      post->process.dismiss();
    }
    if (now >= *drain_until_ && !post->is_gone) {
      post->process.kill();
      post->is_gone = true;
      if (post->job) {
        lose(*post, "daemon_stopped");
      }
    }
  }
  if (now >= *drain_until_) {
    unsaved_.clear();  // the next daemon finds those jobs running, and takes them up
  }
}

}  // namespace batchllm::daemon

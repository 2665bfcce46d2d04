// SPDX-License-Identifier: Apache-2.0
#include "core/lane.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace batchllm {
namespace {

constexpr double k_slow_down_factor = 0.7;
// A wave of refusals is one piece of news, not hundreds.
constexpr Milliseconds k_slow_down_pause{1000};

// Nothing succeeds any more: so many failed requests in a row, over so long a time. A provider that
// never answered well is given up sooner than one that did.
constexpr std::uint64_t k_failures_before_giving_up = 20;
constexpr std::uint64_t k_failures_before_giving_up_at_start = 5;
constexpr Milliseconds k_patience{120'000};
constexpr Milliseconds k_patience_at_start{10'000};
// Told to wait is no failure, but not for ever.
constexpr Milliseconds k_patience_with_refusals{900'000};
constexpr Milliseconds k_patience_with_refusals_at_start{120'000};
// Rows refused one after the other (bad request, …) without a single good one.
constexpr std::uint64_t k_refused_rows_at_start = 100;

// For std::push_heap: the earliest on top.
constexpr auto k_later = [](const auto& a, const auto& b) { return a.at > b.at; };

}  // namespace

Lane::Lane(const LaneSettings& settings)
    : policy_(settings.max_attempts),
      requests_(settings.requests_per_minute),
      tokens_(settings.tokens_per_minute),
      random_(settings.seed),
      most_concurrency_(std::max(settings.concurrency, settings.most_concurrency)),
      concurrency_limit_(static_cast<double>(settings.concurrency)),
      concurrency_(static_cast<double>(settings.concurrency)) {}

void Lane::limit_concurrency(std::int64_t rows) noexcept {
  const bool is_slowed = concurrency_ < concurrency_limit_;
  concurrency_limit_ = static_cast<double>(std::clamp<std::int64_t>(rows, 1, most_concurrency_));
  concurrency_ = is_slowed ? std::min(concurrency_, concurrency_limit_) : concurrency_limit_;
}

std::int64_t Lane::free_places() const noexcept {
  return static_cast<std::int64_t>(concurrency_) - in_flight_;
}

std::unique_ptr<RowTask> Lane::take(TimePoint now) {
  if (free_places() <= 0 || now < paused_until_) {
    return nullptr;
  }
  const bool from_waiting = !waiting_.empty() && waiting_.front().at <= now;
  if (!from_waiting && ready_.empty()) {
    return nullptr;
  }
  const RowTask& next = from_waiting ? *waiting_.front().task : *ready_.front();
  const std::int64_t tokens = next.estimated_tokens;
  if (!requests_.try_take(1, now)) {
    return nullptr;
  }
  if (!tokens_.try_take(tokens, now)) {
    requests_.give_back(1);
    return nullptr;
  }
  std::unique_ptr<RowTask> task;
  if (from_waiting) {
    std::pop_heap(waiting_.begin(), waiting_.end(), k_later);
    task = std::move(waiting_.back().task);
    waiting_.pop_back();
  } else {
    task = std::move(ready_.front());
    ready_.pop_front();
  }
  ++in_flight_;
  task->sent_at = now;
  task->requests_sent_before = ++requests_sent_;
  task->tokens_sent_before = tokens_sent_ += tokens;
  return task;
}

void Lane::put_back(std::unique_ptr<RowTask> task) {
  --in_flight_;
  --requests_sent_;
  tokens_sent_ -= task->estimated_tokens;
  requests_.give_back(1);
  tokens_.give_back(task->estimated_tokens);
  ready_.push_front(std::move(task));
}

std::unique_ptr<RowTask> Lane::take_first() {
  std::unique_ptr<RowTask> task = std::move(ready_.front());
  ready_.pop_front();
  return task;
}

std::optional<TimePoint> Lane::next_wake(TimePoint now) const {
  if (free_places() <= 0 || (ready_.empty() && waiting_.empty())) {
    return std::nullopt;
  }
  TimePoint at = ready_.empty() ? waiting_.front().at : now;
  const RowTask& next = !waiting_.empty() && (ready_.empty() || waiting_.front().at <= now)
                            ? *waiting_.front().task
                            : *ready_.front();
  at = std::max({at,
                 paused_until_,
                 requests_.available_at(1, now),
                 tokens_.available_at(next.estimated_tokens, now)});
  return at;
}

void Lane::observe(const RowTask& task, const HttpResponse& response, TimePoint now) {
  if (response.limit_requests && response.remaining_requests) {
    requests_.observe(*response.limit_requests,
                      *response.remaining_requests,
                      requests_sent_ - task.requests_sent_before,
                      task.sent_at,
                      now,
                      response.reset_requests_ms);
  }
  if (response.limit_tokens && response.remaining_tokens) {
    tokens_.observe(*response.limit_tokens,
                    *response.remaining_tokens,
                    tokens_sent_ - task.tokens_sent_before,
                    task.sent_at,
                    now,
                    response.reset_tokens_ms);
  }
}

void Lane::succeeded(TimePoint now) {
  (void)now;
  --in_flight_;
  ever_succeeded_ = true;
  failures_in_row_ = 0;
  refusals_in_row_ = 0;
  final_failures_in_row_ = 0;
  if (concurrency_ < concurrency_limit_) {
    // One more place for every full round of answers, but back at the limit within a hundred
    // rounds.
    const double step = std::max(1.0, concurrency_limit_ / 100) / concurrency_;
    concurrency_ = std::min(concurrency_limit_, concurrency_ + step);
  }
}

void Lane::failed_for_good(RowFailure failure, TimePoint now) {
  --in_flight_;
  last_failure_ = failure;
  if (!RetryPolicy::is_transient(failure)) {
    // The provider did answer: it is not down.
    failures_in_row_ = 0;
    refusals_in_row_ = 0;
    ++final_failures_in_row_;
  }
  (void)now;
}

bool Lane::retry(std::unique_ptr<RowTask>& task,
                 RowFailure failure,
                 std::optional<std::int64_t> retry_after_ms,
                 TimePoint now) {
  last_failure_ = failure;
  if (failure == RowFailure::rate_limited || failure == RowFailure::overloaded) {
    slow_down(now, retry_after_ms);
  }
  if (failures_in_row_ == 0 && refusals_in_row_ == 0) {
    first_failure_at_ = now;
  }
  ++(failure == RowFailure::rate_limited ? refusals_in_row_ : failures_in_row_);
  task->free_attempts += RetryPolicy::is_free(failure) ? 1 : 0;
  if (!policy_.allows_another(failure, task->attempts, task->free_attempts)) {
    return false;
  }
  --in_flight_;
  const std::uint32_t exponent =
      RetryPolicy::is_free(failure) ? task->free_attempts : task->attempts - task->free_attempts;
  const Milliseconds delay = RetryPolicy::delay(exponent, retry_after_ms, chance());
  waiting_.push_back({now + delay, std::move(task)});
  std::push_heap(waiting_.begin(), waiting_.end(), k_later);
  return true;
}

std::optional<RowFailure> Lane::verdict(TimePoint now) const {
  const std::uint64_t failures =
      ever_succeeded_ ? k_failures_before_giving_up : k_failures_before_giving_up_at_start;
  const Milliseconds patience = ever_succeeded_ ? k_patience : k_patience_at_start;
  if (failures_in_row_ >= failures && now - first_failure_at_ >= patience) {
    return last_failure_;
  }
  const Milliseconds refusal_patience =
      ever_succeeded_ ? k_patience_with_refusals : k_patience_with_refusals_at_start;
  if (refusals_in_row_ >= k_failures_before_giving_up &&
      now - first_failure_at_ >= refusal_patience) {
    return last_failure_;
  }
  if (!ever_succeeded_ && final_failures_in_row_ >= k_refused_rows_at_start) {
    return last_failure_;
  }
  return std::nullopt;
}

std::int64_t Lane::paused_ms(TimePoint now) const {
  return paused_until_ <= now
             ? 0
             : std::chrono::duration_cast<Milliseconds>(paused_until_ - now).count();
}

void Lane::clear() {
  ready_.clear();
  waiting_.clear();
}

std::vector<std::unique_ptr<RowTask>> Lane::start_anew() {
  std::vector<std::unique_ptr<RowTask>> rows;
  rows.reserve(ready_.size() + waiting_.size());
  std::move(ready_.begin(), ready_.end(), std::back_inserter(rows));
  for (Waiting& waiting : waiting_) {
    rows.push_back(std::move(waiting.task));
  }
  clear();
  ever_succeeded_ = false;
  failures_in_row_ = 0;
  refusals_in_row_ = 0;
  final_failures_in_row_ = 0;
  return rows;
}

void Lane::slow_down(TimePoint now, std::optional<std::int64_t> retry_after_ms) {
  if (retry_after_ms && *retry_after_ms > 0) {
    const auto asked =
        std::min<std::int64_t>(*retry_after_ms, RetryPolicy::k_longest_wait_asked.count());
    paused_until_ = std::max(paused_until_, now + Milliseconds(asked));
  }
  if (now - slowed_at_ >= k_slow_down_pause || slowed_at_ == TimePoint{}) {
    slowed_at_ = now;
    concurrency_ = std::max(1.0, concurrency_ * k_slow_down_factor);
  }
}

double Lane::chance() {
  return std::uniform_real_distribution<double>(0.0, 1.0)(random_);
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "core/dispatcher.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace batchllm {
namespace {

constexpr std::uint64_t k_rows_before_share_counts = 100;
// A stop is noticed at the latest after this long, whatever else happens.
constexpr Milliseconds k_longest_wait{250};
constexpr std::size_t k_rows_kept_ready = 128;
constexpr std::size_t k_bundles_kept_ready = 2;
// A lane of later steps that is slower than the first must not fill the memory with its rows. So
// many may wait before no new ones begin: a provider that asks for a pause does not stop the rows
// that do without it.
constexpr std::size_t k_rows_parked = 8192;

std::string unanswered_text(std::int64_t micro_usd) {
  return micro_usd == 0
             ? std::string()
             : fmt::format("requests without an answer may have cost {}, ", usd_text(micro_usd));
}

// Writes the request of a bundle. What it holds twice while it is in flight, it holds once before.
void join_parts(const Provider& provider, RowTask& bundle) {
  std::vector<std::string_view> parts;
  parts.reserve(bundle.rows.size());
  for (const auto& row : bundle.rows) {
    parts.emplace_back(row->body);
  }
  provider.join(parts, bundle.body);
}

}  // namespace

Dispatcher::Dispatcher(Transport& transport,
                       Provider& provider,
                       LaneSet& lanes,
                       Budget& budget,
                       Ledger& ledger,
                       TaskQueue& queue,
                       JobCounters& counters,
                       StopReason& stop,
                       const Clock& clock,
                       DispatcherSettings settings)
    : transport_(transport),
      provider_(provider),
      lanes_(lanes),
      budget_(budget),
      ledger_(ledger),
      queue_(queue),
      counters_(counters),
      stop_(stop),
      clock_(clock),
      settings_(std::move(settings)) {
  if (settings_.bundle) {
    bundler_.emplace(*settings_.bundle);
  }
}

std::optional<TimePoint> Dispatcher::on_turn(TimePoint now) {
  give_up_rows();
  check_limits(now);
  const bool stopping = stop_.token().stop_requested();
  if (stopping && !stopping_since_) {
    stopping_since_ = now;
    lanes_.clear();
    if (bundler_) {
      bundler_->clear();
    }
  }
  if (!stopping) {
    follow_concurrency();
    fill_lanes(now);
    choose_rows(now);
  }
  commit();
  send_rows();
  update_counters(now);
  finishing_ = lanes_.ready_count() == 0 && lanes_.waiting_count() == 0 && queue_.is_drained() &&
               !(bundler_ && bundler_->due());
  if (stopping) {
    const bool patience_is_over =
        now - *stopping_since_ >= settings_.drain || storage_failed_ || stop_.abandons_answers();
    if (lanes_.in_flight() == 0 || patience_is_over) {
      transport_.abandon_all();
      commit();
      finished_ = true;
    }
  } else if (finishing_ && lanes_.in_flight() == 0) {
    finished_ = true;
  }
  return next_wake(now);
}

void Dispatcher::follow_concurrency() {
  const std::int64_t rows = concurrency_ == nullptr ? 0 : concurrency_->rows();
  if (rows != 0) {
    lanes_.limit_concurrency(rows);
  }
}

void Dispatcher::fill_lanes(TimePoint now) {
  Lane& first = lanes_.at(0);
  const auto wanted = static_cast<std::size_t>(std::max<std::int64_t>(first.free_places(), 0)) +
                      (bundler_ ? k_bundles_kept_ready : k_rows_kept_ready);
  while (first.ready_count() < wanted && lanes_.parked_count() < k_rows_parked) {
    TaskBatch batch = queue_.try_pop();
    if (batch.empty()) {
      // Rows wait for others to share a request with, but not for long.
      if (bundler_ && bundler_->due() && (*bundler_->due() <= now || queue_.is_drained())) {
        first.add(bundler_->take());
      }
      return;
    }
    for (auto& task : batch) {
      if (go_on_with_answers(*task)) {
        line_up(std::move(task), now);
      } else {
        settle_known(std::move(task));
      }
    }
  }
}

void Dispatcher::choose_rows(TimePoint now) {
  budget_is_full_ = false;
  if (may_go_on_ && !may_go_on_()) {
    return;
  }
  // Those of later steps first: what has begun goes before what has not.
  for (std::size_t lane = lanes_.size(); lane-- > 0 && !budget_is_full_;) {
    choose_rows_of(lane, now);
  }
}

void Dispatcher::choose_rows_of(std::size_t number, TimePoint now) {
  Lane& lane = lanes_.at(number);
  const std::size_t capacity = transport_.capacity(number);
  while (static_cast<std::size_t>(lane.in_flight()) < capacity) {
    std::unique_ptr<RowTask> task = lane.take(now);
    if (task == nullptr) {
      return;
    }
    if (!reserve(*task)) {
      if (halve_for_budget(task)) {
        continue;
      }
      lane.put_back(std::move(task));
      return;
    }
    note_attempt(*task);
    chosen_.push_back(std::move(task));
  }
}

bool Dispatcher::reserve(RowTask& task) {
  task.reserved_micro_usd = worst_case(task);
  if (budget_.reserve(task.reserved_micro_usd)) {
    return true;
  }
  budget_is_full_ = true;
  if (budget_.holds_nothing() && task.rows.size() < 2) {
    stop_.stop(Error(
        ErrorCode::cost_limit,
        fmt::format("the cost limit is reached: {} spent, {}and the next row may cost up to {}",
                    usd_text(budget_.spent()),
                    unanswered_text(budget_.unanswered()),
                    usd_text(task.reserved_micro_usd)),
        "go on with a higher --max-cost, or hold less back for each row with --max-tokens"));
  }
  return false;
}

void Dispatcher::commit() {
  try {
    ledger_.commit(clock_.wall_ms());
    hand_over_done();
  } catch (const Error& error) {
    storage_failed_ = stop_.token().stop_requested();
    // Nothing of what was chosen may leave: the ledger does not know of it.
    for (auto& task : chosen_) {
      budget_.settle(task->reserved_micro_usd, 0);
      take_back_attempt(*task);
      lane_of(*task).put_back(std::move(task));
    }
    chosen_.clear();
    stop_.stop(error);
  }
}

void Dispatcher::hand_over_done() {
  for (Done& done : done_) {
    if (listener_) {
      listener_(done.task, done.outcome);
    }
    queue_.recycle(std::move(done.task));
  }
  done_.clear();
}

void Dispatcher::send_rows() {
  for (auto& task : chosen_) {
    std::size_t slot = flying_.size();
    if (free_slots_.empty()) {
      flying_.emplace_back();
    } else {
      slot = free_slots_.back();
      free_slots_.pop_back();
    }
    if (!task->rows.empty()) {
      join_parts(provider_, *task);
    }
    const std::string& body = task->body;
    const std::size_t endpoint = lane_number_of(task->step);
    flying_[slot] = std::move(task);
    counters_.requests.fetch_add(1, std::memory_order_relaxed);
    // A slot number as token: it stays valid whatever the vector does.
    transport_.post(
        endpoint, body, settings_.request_timeout, reinterpret_cast<void*>(slot));  // NOLINT
  }
  chosen_.clear();
}

// The row has its outcome without being asked.
void Dispatcher::settle_known(std::unique_ptr<RowTask> task) {
  Outcome outcome;
  outcome.row_index = task->place.row_index;
  outcome.row_id = task->row_id;
  outcome.attempts = task->earlier_attempts;
  if (task->known_failure != RowFailure::none) {
    outcome.status = task->known_status;
    outcome.failure = task->known_failure;
    outcome.message = task->problem;
  } else {
    outcome.output = task->steps.at(task->step).outcome.output;
  }
  if (settings_.steps != nullptr) {
    settings_.steps->complete(*task, outcome);
  }
  finish_row(std::move(task), std::move(outcome));
}

Outcome Dispatcher::start_outcome(const RowTask& task, const HttpResponse& response) const {
  Outcome outcome;
  outcome.row_index = task.place.row_index;
  outcome.row_id = task.row_id;
  outcome.attempts = task.earlier_attempts + task.attempts;
  outcome.http_status = response.status;
  outcome.latency_ms = response.latency_ms;
  outcome.request_id = response.request_id;
  return outcome;
}

void Dispatcher::finish_row(std::unique_ptr<RowTask> task, Outcome outcome) {
  outcome.usage.input_tokens += task->spent.input_tokens;
  outcome.usage.output_tokens += task->spent.output_tokens;
  outcome.usage.cached_tokens += task->spent.cached_tokens;
  if (task->spent_micro_usd) {
    outcome.cost_micro_usd = outcome.cost_micro_usd.value_or(0) + *task->spent_micro_usd;
  }
  ledger_.append(outcome);
  auto& counter = outcome.status == RowStatus::ok       ? counters_.ok
                  : outcome.status == RowStatus::failed ? counters_.failed
                                                        : counters_.skipped;
  counter.fetch_add(1, std::memory_order_relaxed);
  counters_.cost_micro_usd.fetch_add(outcome.cost_micro_usd.value_or(0) - task->shown_micro_usd,
                                     std::memory_order_relaxed);
  counters_.input_tokens.fetch_add(outcome.usage.input_tokens, std::memory_order_relaxed);
  counters_.output_tokens.fetch_add(outcome.usage.output_tokens, std::memory_order_relaxed);
  ++finished_rows_;
  if (!listener_) {
    outcome = Outcome{};
  }
  done_.push_back({std::move(task), std::move(outcome)});
}

std::size_t Dispatcher::lane_number_of(std::uint32_t step) const {
  return settings_.steps == nullptr ? 0 : settings_.steps->at(step).lane;
}

Lane& Dispatcher::lane_of(const RowTask& task) {
  return lanes_.at(lane_number_of(task.step));
}

const std::string& Dispatcher::endpoint_of(std::uint32_t step) const {
  return settings_.steps == nullptr ? settings_.endpoint : settings_.steps->at(step).endpoint;
}

const std::string& Dispatcher::provider_name_of(std::uint32_t step) const {
  return settings_.steps == nullptr ? settings_.provider_name
                                    : settings_.steps->at(step).provider_name;
}

Provider& Dispatcher::provider_of(const RowTask& task) const {
  return settings_.steps == nullptr ? provider_ : *settings_.steps->at(task.step).provider;
}

AnswerCheck* Dispatcher::check_of(const RowTask& task) const {
  return settings_.steps == nullptr ? settings_.check : settings_.steps->at(task.step).check;
}

std::optional<std::int64_t> Dispatcher::cost_of(const RowTask& task, const Usage& usage) const {
  const auto& price =
      settings_.steps == nullptr ? settings_.price : settings_.steps->at(task.step).price;
  return price ? std::optional(cost_micro_usd(*price, usage)) : std::nullopt;
}

std::int64_t Dispatcher::worst_case(const RowTask& task) const {
  Usage usage;
  usage.input_tokens = task.estimated_tokens;
  usage.output_tokens = settings_.steps == nullptr
                            ? settings_.worst_case_output_tokens
                            : settings_.steps->at(task.step).worst_case_output_tokens;
  return cost_of(task, usage).value_or(0);
}

void Dispatcher::check_limits(TimePoint now) {
  if (settings_.deadline && now >= *settings_.deadline) {
    stop_.stop(
        Error(ErrorCode::deadline, "the deadline has passed", "go on with a later --deadline"));
  }
  const std::uint64_t failed = counters_.failed.load(std::memory_order_relaxed);
  const bool too_many =
      settings_.max_failures && failed > static_cast<std::uint64_t>(*settings_.max_failures);
  const bool too_large_share =
      settings_.max_failures_share && finished_rows_ >= k_rows_before_share_counts &&
      static_cast<double>(failed) >
          *settings_.max_failures_share * static_cast<double>(finished_rows_);
  if (too_many || too_large_share) {
    stop_.stop(
        Error(ErrorCode::failure_limit,
              fmt::format("{} failed: more than --max-failures allows", count_noun(failed, "row")),
              "see why with: batchllm results errors"));
  }
}

// Nothing succeeds any more where `step` is asked: then no row can be answered, unless rows can do
// without it.
void Dispatcher::check_verdict(std::uint32_t step, TimePoint now, std::string_view message) {
  const auto failure = lanes_.at(lane_number_of(step)).verdict(now);
  if (!failure || stop_.token().stop_requested()) {
    return;
  }
  const bool is_unreachable = *failure == RowFailure::connection_failed;
  const std::string what = is_unreachable
                               ? fmt::format("{} cannot be reached: {}", endpoint_of(step), message)
                               : fmt::format("nothing succeeds any more at {}: {}: {}",
                                             endpoint_of(step),
                                             failure_name(*failure),
                                             message);
  if (settings_.steps != nullptr && settings_.steps->can_do_without(lane_number_of(step))) {
    const std::size_t number = lane_number_of(step);
    if (std::none_of(given_up_.begin(), given_up_.end(), [number](const GivenUp& given_up) {
          return given_up.lane == number;
        })) {
      given_up_.push_back({number, *failure, what});
    }
    return;
  }
  if (is_unreachable) {
    stop_.stop(Error(ErrorCode::provider_unreachable,
                     what,
                     "check the address (--base-url) and that the server runs"));
    return;
  }
  stop_.stop(
      Error(ErrorCode::provider_failing,
            what,
            RetryPolicy::is_transient(*failure)
                ? "go on when the provider is well again"
                : "change what is asked (model, --max-tokens, --param, prompt) in a new run"));
}

// The rows that wait for such a lane fail; the others go on.
void Dispatcher::give_up_rows() {
  if (given_up_.empty()) {
    return;
  }
  commit();  // how their last attempts ended stands before what became of them
  if (stop_.token().stop_requested()) {
    return;  // they are asked again when the job is resumed
  }
  for (const GivenUp& given_up : std::exchange(given_up_, {})) {
    for (auto& task : lanes_.at(given_up.lane).start_anew()) {
      Outcome outcome = start_outcome(*task, {});
      outcome.status = RowStatus::failed;
      outcome.failure = given_up.failure;
      outcome.message = given_up.message;
      end_step(std::move(task), std::move(outcome));
    }
  }
}

void Dispatcher::update_counters(TimePoint now) {
  counters_.in_flight.store(
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, lanes_.in_flight())),
      std::memory_order_relaxed);
  counters_.waiting.store(lanes_.waiting_count(), std::memory_order_relaxed);
  counters_.paused_ms.store(lanes_.paused_ms(now), std::memory_order_relaxed);
}

std::optional<TimePoint> Dispatcher::next_wake(TimePoint now) const {
  std::optional<TimePoint> wake;
  const auto earlier = [&wake](TimePoint at) { wake = wake ? std::min(*wake, at) : at; };
  if (stopping_since_) {
    earlier(now + k_longest_wait);
    return wake;
  }
  if (settings_.deadline) {
    earlier(*settings_.deadline);
  }
  if (may_go_on_) {
    earlier(now + k_longest_wait);
  }
  if (bundler_ && bundler_->due()) {
    earlier(std::max(*bundler_->due(), now));
  }
  for (std::size_t i = 0; i < lanes_.size() && !budget_is_full_; ++i) {
    const Lane& lane = lanes_.at(i);
    const bool full = static_cast<std::size_t>(lane.in_flight()) >= transport_.capacity(i);
    const auto at = full ? std::nullopt : lane.next_wake(now);
    if (at) {
      earlier(std::max(*at, now));
    }
  }
  return wake;
}

}  // namespace batchllm

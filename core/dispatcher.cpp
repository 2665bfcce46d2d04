// SPDX-License-Identifier: Apache-2.0
#include "core/dispatcher.h"

#include "core/text.h"
#include "core/token_estimate.h"

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

RowFailure failure_of(TransportFailure failure) noexcept {
  switch (failure) {
    case TransportFailure::timeout:
      return RowFailure::timeout;
    case TransportFailure::broken:
    case TransportFailure::too_large:
      return RowFailure::protocol_error;
    default:
      return RowFailure::connection_failed;
  }
}

// A provider may bill a request whose answer got lost.
bool may_have_arrived(TransportFailure failure) noexcept {
  return failure == TransportFailure::timeout || failure == TransportFailure::broken ||
         failure == TransportFailure::too_large;
}

std::string unanswered_text(std::int64_t micro_usd) {
  return micro_usd == 0
             ? std::string()
             : fmt::format("requests without an answer may have cost {}, ", usd_text(micro_usd));
}

}  // namespace

Dispatcher::Dispatcher(Transport& transport,
                       Provider& provider,
                       Lane& lane,
                       Budget& budget,
                       Ledger& ledger,
                       TaskQueue& queue,
                       JobCounters& counters,
                       StopReason& stop,
                       const Clock& clock,
                       DispatcherSettings settings)
    : transport_(transport),
      provider_(provider),
      lane_(lane),
      budget_(budget),
      ledger_(ledger),
      queue_(queue),
      counters_(counters),
      stop_(stop),
      clock_(clock),
      settings_(std::move(settings)) {}

std::optional<TimePoint> Dispatcher::on_turn(TimePoint now) {
  check_limits(now);
  const bool stopping = stop_.token().stop_requested();
  if (stopping && !stopping_since_) {
    stopping_since_ = now;
    lane_.clear();
  }
  if (!stopping) {
    follow_concurrency();
    fill_lane();
    choose_rows(now);
  }
  commit();
  send_rows();
  update_counters(now);
  finishing_ = lane_.ready_count() == 0 && lane_.waiting_count() == 0 && queue_.is_drained();
  if (stopping) {
    const bool patience_is_over =
        now - *stopping_since_ >= settings_.drain || storage_failed_ || stop_.abandons_answers();
    if (lane_.in_flight() == 0 || patience_is_over) {
      transport_.abandon_all();
      commit();
      finished_ = true;
    }
  } else if (finishing_ && lane_.in_flight() == 0) {
    finished_ = true;
  }
  return next_wake(now);
}

void Dispatcher::follow_concurrency() {
  const std::int64_t rows = concurrency_ == nullptr ? 0 : concurrency_->rows();
  if (rows != 0) {
    lane_.limit_concurrency(rows);
  }
}

void Dispatcher::fill_lane() {
  const auto wanted =
      static_cast<std::size_t>(std::max<std::int64_t>(lane_.free_places(), 0)) + k_rows_kept_ready;
  while (lane_.ready_count() < wanted) {
    TaskBatch batch = queue_.try_pop();
    if (batch.empty()) {
      return;
    }
    for (auto& task : batch) {
      if (task->known_failure != RowFailure::none) {
        settle_known(std::move(task));
      } else {
        go_on_with_answers(*task);
        lane_.add(std::move(task));
      }
    }
  }
}

void Dispatcher::choose_rows(TimePoint now) {
  budget_is_full_ = false;
  if (may_go_on_ && !may_go_on_()) {
    return;
  }
  const std::size_t capacity = transport_.capacity();
  while (static_cast<std::size_t>(lane_.in_flight()) < capacity) {
    std::unique_ptr<RowTask> task = lane_.take(now);
    if (task == nullptr) {
      return;
    }
    if (!reserve(*task)) {
      lane_.put_back(std::move(task));
      return;
    }
    ++task->attempts;
    ledger_.note_sent(
        {task->place.row_index, task->earlier_attempts + task->attempts, task->reserved_micro_usd});
    chosen_.push_back(std::move(task));
  }
}

bool Dispatcher::reserve(RowTask& task) {
  task.reserved_micro_usd = worst_case(task);
  if (budget_.reserve(task.reserved_micro_usd)) {
    return true;
  }
  budget_is_full_ = true;
  if (budget_.holds_nothing()) {
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
      --task->attempts;
      lane_.put_back(std::move(task));
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
    const std::string& body = task->body;
    flying_[slot] = std::move(task);
    counters_.requests.fetch_add(1, std::memory_order_relaxed);
    // A slot number as token: it stays valid whatever the vector does.
    transport_.post(body, settings_.request_timeout, reinterpret_cast<void*>(slot));  // NOLINT
  }
  chosen_.clear();
}

void Dispatcher::on_response(void* token, HttpResponse& response) {
  const auto slot = reinterpret_cast<std::size_t>(token);  // NOLINT
  std::unique_ptr<RowTask> task = std::move(flying_[slot]);
  free_slots_.push_back(slot);
  const TimePoint now = clock_.now();
  if (response.failure != TransportFailure::none) {
    if (response.failure == TransportFailure::tls) {
      stop_.stop(
          Error(ErrorCode::provider_unreachable,
                fmt::format("{} cannot be trusted: {}", settings_.endpoint, response.failure_text),
                "give the authority's certificate by --ca-file when the server uses its own"));
    }
    take_failure(
        std::move(task), response, failure_of(response.failure), response.failure_text, {}, {});
    return;
  }
  lane_.observe(*task, response, now);
  const Answer answer = provider_.decode(response);
  if (answer.retry_after_ms && !response.retry_after_ms) {
    response.retry_after_ms = answer.retry_after_ms;
  }
  if (answer.stops_run) {
    stop_run(response, answer.failure, answer.message);
  }
  if (answer.failure == RowFailure::none) {
    CheckedAnswer checked{true, answer.text, {}, {}};
    if (settings_.check != nullptr) {
      checked = settings_.check->check(answer.text);
    }
    if (checked.is_valid) {
      take_answer(std::move(task), response, answer, checked.text);
    } else {
      take_invalid(std::move(task), response, answer, std::move(checked));
    }
  } else {
    take_failure(
        std::move(task), response, answer.failure, answer.message, answer.usage, answer.text);
  }
}

void Dispatcher::take_answer(std::unique_ptr<RowTask> task,
                             HttpResponse& response,
                             const Answer& answer,
                             std::string_view text) {
  lane_.succeeded(clock_.now());
  Outcome outcome = start_outcome(*task, response);
  outcome.status = RowStatus::ok;
  outcome.output = text;
  outcome.usage = answer.usage;
  outcome.cost_micro_usd = cost_of(answer.usage);
  budget_.settle(task->reserved_micro_usd, outcome.cost_micro_usd.value_or(0));
  finish_row(std::move(task), std::move(outcome));
}

// The provider did its part: what is wrong is said to the model, as often as it may be.
void Dispatcher::take_invalid(std::unique_ptr<RowTask> task,
                              HttpResponse& response,
                              const Answer& answer,
                              CheckedAnswer checked) {
  lane_.succeeded(clock_.now());
  const std::optional<std::int64_t> cost = cost_of(answer.usage);
  budget_.settle(task->reserved_micro_usd, cost.value_or(0));
  if (task->reasked == settings_.reasks) {
    Outcome outcome = start_outcome(*task, response);
    outcome.status = RowStatus::failed;
    outcome.failure = RowFailure::invalid_answer;
    outcome.message = std::move(checked.problem);
    outcome.output = answer.text;
    outcome.usage = answer.usage;
    outcome.cost_micro_usd = cost;
    finish_row(std::move(task), std::move(outcome));
    return;
  }
  StepAnswer kept;
  kept.row_index = task->place.row_index;
  kept.attempt = task->earlier_attempts + task->attempts;
  kept.failure = RowFailure::invalid_answer;
  kept.text = answer.text;
  kept.usage = answer.usage;
  kept.cost_micro_usd = cost;
  ledger_.append(kept);
  spend(*task, answer.usage);
  task->shown_micro_usd += cost.value_or(0);
  counters_.cost_micro_usd.fetch_add(cost.value_or(0), std::memory_order_relaxed);
  ask_again(*task, answer.text, checked.request);
  if (stop_.token().stop_requested()) {
    queue_.recycle(std::move(task));  // the ledger has what it needs to go on
    return;
  }
  task->free_attempts = task->attempts;  // tries of the next request are counted anew
  lane_.add_first(std::move(task));
}

void Dispatcher::ask_again(RowTask& task, std::string_view answer, std::string_view request) {
  provider_.append_turns(task.body, answer, request);
  task.estimated_tokens += estimate_tokens(answer).upper + estimate_tokens(request).upper;
  ++task.reasked;
}

// Takes a row up where an earlier run left it.
void Dispatcher::go_on_with_answers(RowTask& task) {
  for (const StepAnswer& answer : task.answers) {
    const CheckedAnswer checked = settings_.check == nullptr
                                      ? CheckedAnswer{}
                                      : settings_.check->check(answer.text);
    if (!checked.is_valid && task.reasked < settings_.reasks) {
      ask_again(task, answer.text, checked.request);
    }
    spend(task, answer.usage);
  }
  task.answers.clear();
}

void Dispatcher::spend(RowTask& task, const Usage& usage) {
  task.spent.input_tokens += usage.input_tokens;
  task.spent.output_tokens += usage.output_tokens;
  task.spent.cached_tokens += usage.cached_tokens;
  if (const auto cost = cost_of(usage)) {
    task.spent_micro_usd = task.spent_micro_usd.value_or(0) + *cost;
  }
}

void Dispatcher::take_failure(std::unique_ptr<RowTask> task,
                              HttpResponse& response,
                              RowFailure failure,
                              std::string message,
                              const Usage& usage,
                              std::string_view partial) {
  const TimePoint now = clock_.now();
  const bool stops = failure == RowFailure::auth_refused || failure == RowFailure::quota_exhausted;
  const bool is_final =
      response.should_retry == false || response.failure == TransportFailure::too_large;
  const std::int64_t cost = cost_of(usage).value_or(0);
  if (may_have_arrived(response.failure)) {
    budget_.settle_unanswered(task->reserved_micro_usd);
  } else {
    budget_.settle(task->reserved_micro_usd, cost);
  }
  counters_.cost_micro_usd.fetch_add(cost, std::memory_order_relaxed);
  if (stops || stop_.token().stop_requested()) {
    // The row is not to blame: it is asked again when the job is resumed.
    if (stops || RetryPolicy::is_transient(failure)) {
      ledger_.note_ended({task->place.row_index, task->earlier_attempts + task->attempts, failure});
      lane_.failed_for_good(failure, now);
      queue_.recycle(std::move(task));
      return;
    }
  } else if (!is_final) {
    const EndedRecord ended{
        task->place.row_index, task->earlier_attempts + task->attempts, failure};
    if (RetryPolicy::is_transient(failure) &&
        lane_.retry(task, failure, response.retry_after_ms, now)) {
      ledger_.note_ended(ended);
      check_verdict(now, message);
      return;
    }
  }
  lane_.failed_for_good(failure, now);
  check_verdict(now, message);
  Outcome outcome = start_outcome(*task, response);
  outcome.status = RowStatus::failed;
  outcome.failure = failure;
  outcome.message = std::move(message);
  outcome.output = partial;
  outcome.usage = usage;
  outcome.cost_micro_usd = cost_of(usage);
  counters_.cost_micro_usd.fetch_sub(cost, std::memory_order_relaxed);
  finish_row(std::move(task), std::move(outcome));
}

void Dispatcher::settle_known(std::unique_ptr<RowTask> task) {
  Outcome outcome;
  outcome.row_index = task->place.row_index;
  outcome.row_id = task->row_id;
  outcome.attempts = task->earlier_attempts;
  outcome.status = task->known_status;
  outcome.failure = task->known_failure;
  outcome.message = task->problem;
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

std::optional<std::int64_t> Dispatcher::cost_of(const Usage& usage) const {
  return settings_.price ? std::optional(cost_micro_usd(*settings_.price, usage)) : std::nullopt;
}

std::int64_t Dispatcher::worst_case(const RowTask& task) const {
  Usage usage;
  usage.input_tokens = task.estimated_tokens;
  usage.output_tokens = settings_.worst_case_output_tokens;
  return cost_of(usage).value_or(0);
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

void Dispatcher::check_verdict(TimePoint now, std::string_view message) {
  const auto failure = lane_.verdict(now);
  if (!failure) {
    return;
  }
  if (*failure == RowFailure::connection_failed) {
    stop_.stop(Error(ErrorCode::provider_unreachable,
                     fmt::format("{} cannot be reached: {}", settings_.endpoint, message),
                     "check the address (--base-url) and that the server runs"));
    return;
  }
  stop_.stop(
      Error(ErrorCode::provider_failing,
            fmt::format("nothing succeeds any more at {}: {}: {}",
                        settings_.endpoint,
                        failure_name(*failure),
                        message),
            RetryPolicy::is_transient(*failure)
                ? "go on when the provider is well again"
                : "change what is asked (model, --max-tokens, --param, prompt) in a new run"));
}

void Dispatcher::stop_run(const HttpResponse& response,
                          RowFailure failure,
                          const std::string& message) {
  (void)response;
  if (failure == RowFailure::auth_refused) {
    stop_.stop(Error(ErrorCode::key_refused,
                     fmt::format("{} refuses the API key: {}", settings_.provider_name, message),
                     "check the key (environment variable, --key-env, --key-file), then resume"));
  } else {
    stop_.stop(
        Error(ErrorCode::quota_exhausted,
              fmt::format("the quota at {} is used up: {}", settings_.provider_name, message),
              "add credit or raise the limit at the provider, then resume"));
  }
}

void Dispatcher::update_counters(TimePoint now) {
  counters_.in_flight.store(
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, lane_.in_flight())),
      std::memory_order_relaxed);
  counters_.waiting.store(lane_.waiting_count(), std::memory_order_relaxed);
  counters_.paused_ms.store(lane_.paused_ms(now), std::memory_order_relaxed);
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
  const bool full = static_cast<std::size_t>(lane_.in_flight()) >= transport_.capacity();
  if (!budget_is_full_ && !full) {
    if (const auto at = lane_.next_wake(now)) {
      earlier(std::max(*at, now));
    }
  }
  return wake;
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/answer_check.h"
#include "core/budget.h"
#include "core/clock.h"
#include "core/concurrency_limit.h"
#include "core/job_progress.h"
#include "core/lane_set.h"
#include "core/ledger.h"
#include "core/price_table.h"
#include "core/provider.h"
#include "core/row_bundle.h"
#include "core/step_chain.h"
#include "core/task_queue.h"
#include "core/transport.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace batchllm {

struct DispatcherSettings {
  Milliseconds request_timeout{120'000};
  std::optional<Price> price;                      // nullopt: not known
  std::int64_t worst_case_output_tokens = 16'384;  // held back for a row when max_tokens is not set
  std::optional<TimePoint> deadline;
  std::optional<std::int64_t> max_failures;
  std::optional<double> max_failures_share;
  AnswerCheck* check = nullptr;  // of the answers' form; null: any will do
  // Not null: rows go through several steps, which have their own provider, price and check.
  StepChain* steps = nullptr;
  std::uint32_t reasks = 0;  // how often a row is asked again whose answer has not that form
  std::optional<BundleLimits> bundle;  // many rows are asked by one request
  Milliseconds drain{30'000};          // how long answers in flight are waited for after a stop
  std::string provider_name;           // for messages
  std::string endpoint;                // the same
};

// Takes the row in completion order, with its outcome; network thread.
using OutcomeListener = std::function<void(std::unique_ptr<RowTask>&, const Outcome&)>;

// The network thread's work: sends rows as their lanes allow, notes every attempt in the ledger
// before it is sent, decodes answers, puts outcomes into the ledger, decides on retries and on
// stopping.
class Dispatcher final : public TransportUser {
 public:
  Dispatcher(Transport& transport,
             Provider& provider,
             LaneSet& lanes,
             Budget& budget,
             Ledger& ledger,
             TaskQueue& queue,
             JobCounters& counters,
             StopReason& stop,
             const Clock& clock,
             DispatcherSettings settings);

  // Called for every outcome, after it is in the ledger; for results in completion order.
  void on_outcome(OutcomeListener listener) { listener_ = std::move(listener); }

  // False while whoever listens cannot take more.
  void pace_with(std::function<bool()> may_go_on) { may_go_on_ = std::move(may_go_on); }

  // The lanes follow what is set there, each of them, looked at once a turn.
  void follow(const ConcurrencyLimit& limit) { concurrency_ = &limit; }

  void on_response(void* token, HttpResponse& response) override;
  std::optional<TimePoint> on_turn(TimePoint now) override;

  bool is_finished() const override { return finished_; }

  bool is_finishing() const override { return finishing_; }

 private:
  struct Done {
    std::unique_ptr<RowTask> task;
    Outcome outcome;
  };

  // Where nothing succeeds any more, and what its rows fail with.
  struct GivenUp {
    std::size_t lane = 0;
    RowFailure failure = RowFailure::none;
    std::string message;
  };

  void follow_concurrency();
  void fill_lanes(TimePoint now);
  void line_up(std::unique_ptr<RowTask> task, TimePoint now);
  void choose_rows(TimePoint now);
  void choose_rows_of(std::size_t lane, TimePoint now);
  bool reserve(RowTask& task);
  bool halve_for_budget(std::unique_ptr<RowTask>& task);
  void note_attempt(RowTask& task);
  static void take_back_attempt(RowTask& task);
  void note_ended(const RowTask& task, RowFailure failure);
  void recycle(std::unique_ptr<RowTask> task);
  void send_rows();
  void commit();
  void hand_over_done();
  void settle_known(std::unique_ptr<RowTask> task);
  void take_answer(std::unique_ptr<RowTask> task,
                   HttpResponse& response,
                   const Answer& answer,
                   std::string_view text);
  void take_answers(std::unique_ptr<RowTask> bundle, HttpResponse& response, const Answer& answer);
  void split(std::unique_ptr<RowTask> bundle);
  void finish_failed(std::unique_ptr<RowTask> task, const Outcome& failed);
  void take_invalid(std::unique_ptr<RowTask> task,
                    HttpResponse& response,
                    const Answer& answer,
                    CheckedAnswer checked);
  void ask_again(RowTask& task, std::string_view answer, std::string_view request);
  bool go_on_with_answers(RowTask& task);
  bool take_next_step(RowTask& task);
  void end_step(std::unique_ptr<RowTask> task, Outcome outcome);
  void keep(RowTask& task, const StepAnswer& kept);
  void line_up_again(std::unique_ptr<RowTask> task);
  static void spend(RowTask& task, const Usage& usage, std::optional<std::int64_t> cost);
  void take_failure(std::unique_ptr<RowTask> task,
                    HttpResponse& response,
                    RowFailure failure,
                    std::string message,
                    const Usage& usage,
                    std::string_view partial);
  Outcome start_outcome(const RowTask& task, const HttpResponse& response) const;
  void finish_row(std::unique_ptr<RowTask> task, Outcome outcome);
  std::size_t lane_number_of(std::uint32_t step) const;
  Lane& lane_of(const RowTask& task);
  Provider& provider_of(const RowTask& task) const;
  AnswerCheck* check_of(const RowTask& task) const;
  std::optional<std::int64_t> cost_of(const RowTask& task, const Usage& usage) const;
  std::int64_t worst_case(const RowTask& task) const;
  void check_limits(TimePoint now);
  const std::string& endpoint_of(std::uint32_t step) const;
  const std::string& provider_name_of(std::uint32_t step) const;
  void check_verdict(std::uint32_t step, TimePoint now, std::string_view message);
  void give_up_rows();
  void stop_run(const RowTask& task, RowFailure failure, const std::string& message);
  void update_counters(TimePoint now);
  std::optional<TimePoint> next_wake(TimePoint now) const;

  Transport& transport_;
  Provider& provider_;
  LaneSet& lanes_;
  Budget& budget_;
  Ledger& ledger_;
  TaskQueue& queue_;
  JobCounters& counters_;
  StopReason& stop_;
  const Clock& clock_;
  DispatcherSettings settings_;
  const ConcurrencyLimit* concurrency_ = nullptr;
  OutcomeListener listener_;
  std::function<bool()> may_go_on_;

  std::optional<RowBundler> bundler_;
  std::vector<std::unique_ptr<RowTask>> chosen_;  // noted with the next commit, then sent
  std::vector<std::unique_ptr<RowTask>> flying_;  // indexed by the row's slot
  std::vector<std::size_t> free_slots_;
  std::vector<Done> done_;         // in the ledger with the next commit
  std::vector<GivenUp> given_up_;  // since the last turn
  bool budget_is_full_ = false;
  bool storage_failed_ = false;
  bool finished_ = false;
  bool finishing_ = false;  // nothing but what is in flight is left
  std::optional<TimePoint> stopping_since_;
  std::uint64_t finished_rows_ = 0;
};

}  // namespace batchllm

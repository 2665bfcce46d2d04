// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace batchllm {

// How a queued job stands. Names are an interface (API, events, `jobs list`): never renamed.
enum class JobState : std::uint8_t {
  queued,         // waits for its turn, for a time or for another job
  running,        // a worker has it, under a lease
  paused,         // stands still until somebody or something goes on with it
  interrupted,    // its worker is gone; goes back to the queue by itself
  waiting_input,  // asks a person; goes on with the answer
  succeeded,      // ended from here on: nothing changes any more
  partial,
  failed,
  cancelled,
};

std::string_view job_state_name(JobState state) noexcept;
std::optional<JobState> job_state_from_name(std::string_view name) noexcept;

constexpr bool has_ended(JobState state) noexcept {
  return state >= JobState::succeeded;
}

// What somebody wants of a job. The owner of a running job moves its state, everybody else only
// says what is wanted: so a cancel and a finish never race.
enum class JobWish : std::uint8_t { run, pause, cancel };

std::string_view job_wish_name(JobWish wish) noexcept;
std::optional<JobWish> job_wish_from_name(std::string_view name) noexcept;

// Who moves a job.
enum class JobActor : std::uint8_t {
  user,       // through the API
  scheduler,  // gives queued jobs to workers, holds and releases
  owner,      // the worker that has the lease
  rescuer,    // takes the lease of a worker that is gone, also at the start of the daemon
};

// The transition table: every move that is not in it is refused. From the same state to itself
// nothing moves (a heartbeat, a change of the reason).
bool may_move(JobState from, JobState to, JobActor actor) noexcept;

}  // namespace batchllm

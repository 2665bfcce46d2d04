// SPDX-License-Identifier: Apache-2.0
#include "core/job_state.h"

#include <algorithm>
#include <array>

namespace batchllm {
namespace {

using enum JobState;
using enum JobActor;

constexpr std::array<std::string_view, 9> k_state_names = {"queued",
                                                           "running",
                                                           "paused",
                                                           "interrupted",
                                                           "waiting_input",
                                                           "succeeded",
                                                           "partial",
                                                           "failed",
                                                           "cancelled"};

constexpr std::array<std::string_view, 3> k_wish_names = {"run", "pause", "cancel"};

struct Move {
  JobState from;
  JobState to;
  JobActor actor;
};

constexpr std::array k_moves = {
    Move{queued, running, scheduler},        // claim
    Move{queued, paused, user},              // pause before it began
    Move{queued, paused, scheduler},         // the disk is full, what it needs is gone
    Move{queued, waiting_input, scheduler},  // asks before it begins
    Move{queued, cancelled, user},           // nobody has it: at once
    Move{queued, cancelled, scheduler},      // a job it waits for did not end as it must
    Move{queued, failed, scheduler},         // cannot begin: its input is gone
    Move{running, queued, owner},            // a fault that may pass: again after a while
    Move{running, paused, owner},            // asked to, or a limit was reached
    Move{running, waiting_input, owner},     // a limit was reached and the person is asked
    Move{running, succeeded, owner},
    Move{running, partial, owner},
    Move{running, failed, owner},
    Move{running, cancelled, owner},
    Move{running, interrupted, owner},    // the daemon stops
    Move{running, interrupted, rescuer},  // the lease ran out, or found so at the start
    Move{interrupted, queued, rescuer},
    Move{interrupted, paused, rescuer},  // crashed too often
    Move{interrupted, paused, user},
    Move{interrupted, cancelled, user},
    Move{paused, queued, user},
    Move{paused, queued, scheduler},  // what held it is over (disk, time)
    Move{paused, cancelled, user},
    Move{waiting_input, queued, user},  // answered
    Move{waiting_input, paused, user},
    Move{waiting_input, failed, user},  // answered with "stop"
    Move{waiting_input, cancelled, user},
};

template <typename Enum, std::size_t count>
std::optional<Enum> by_name(const std::array<std::string_view, count>& names,
                            std::string_view name) noexcept {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? std::nullopt
                              : std::optional(static_cast<Enum>(found - names.begin()));
}

}  // namespace

std::string_view job_state_name(JobState state) noexcept {
  return k_state_names.at(static_cast<std::size_t>(state));
}

std::optional<JobState> job_state_from_name(std::string_view name) noexcept {
  return by_name<JobState>(k_state_names, name);
}

std::string_view job_wish_name(JobWish wish) noexcept {
  return k_wish_names.at(static_cast<std::size_t>(wish));
}

std::optional<JobWish> job_wish_from_name(std::string_view name) noexcept {
  return by_name<JobWish>(k_wish_names, name);
}

bool may_move(JobState from, JobState to, JobActor actor) noexcept {
  return std::any_of(k_moves.begin(), k_moves.end(), [&](const Move& move) {
    return move.from == from && move.to == to && move.actor == actor;
  });
}

}  // namespace batchllm

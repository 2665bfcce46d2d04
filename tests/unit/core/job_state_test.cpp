// SPDX-License-Identifier: Apache-2.0
#include "core/job_state.h"

#include "tests/support/catch.h"

#include <array>
#include <set>
#include <string>
#include <tuple>

using namespace batchllm;

namespace {

using enum JobState;

constexpr std::array k_states = {
    queued, running, paused, interrupted, waiting_input, succeeded, partial, failed, cancelled};
constexpr std::array k_actors = {
    JobActor::user, JobActor::scheduler, JobActor::owner, JobActor::rescuer};

// Who may do what, once more and in another order than in the program: by actor.
bool may(JobActor actor, JobState from, JobState to) {
  using Moves = std::set<std::pair<JobState, JobState>>;
  static const Moves user = {{queued, paused},
                             {queued, cancelled},
                             {paused, queued},
                             {paused, cancelled},
                             {interrupted, paused},
                             {interrupted, cancelled},
                             {waiting_input, queued},
                             {waiting_input, paused},
                             {waiting_input, failed},
                             {waiting_input, cancelled}};
  static const Moves scheduler = {{queued, running},
                                  {queued, paused},
                                  {queued, waiting_input},
                                  {queued, failed},
                                  {queued, cancelled},
                                  {paused, queued}};
  static const Moves owner = {{running, queued},
                              {running, paused},
                              {running, waiting_input},
                              {running, interrupted},
                              {running, succeeded},
                              {running, partial},
                              {running, failed},
                              {running, cancelled}};
  static const Moves rescuer = {
      {running, interrupted}, {interrupted, queued}, {interrupted, paused}};
  switch (actor) {
    case JobActor::user:
      return user.contains({from, to});
    case JobActor::scheduler:
      return scheduler.contains({from, to});
    case JobActor::owner:
      return owner.contains({from, to});
    default:
      return rescuer.contains({from, to});
  }
}

TEST_CASE("every move of every actor is allowed or refused as the table says", "[job_state]") {
  for (const JobActor actor : k_actors) {
    for (const JobState from : k_states) {
      for (const JobState to : k_states) {
        CAPTURE(static_cast<int>(actor), job_state_name(from), job_state_name(to));
        CHECK(may_move(from, to, actor) == may(actor, from, to));
      }
    }
  }
}

TEST_CASE("nothing leaves a state that is an end", "[job_state]") {
  const std::set<JobState> ends = {succeeded, partial, failed, cancelled};
  for (const JobState from : k_states) {
    CHECK(has_ended(from) == ends.contains(from));
    for (const JobState to : k_states) {
      for (const JobActor actor : k_actors) {
        CHECK_FALSE((has_ended(from) && may_move(from, to, actor)));
      }
    }
  }
}

TEST_CASE("only the scheduler starts a job, and only a queued one", "[job_state]") {
  for (const JobState from : k_states) {
    for (const JobActor actor : k_actors) {
      CHECK(may_move(from, running, actor) == (from == queued && actor == JobActor::scheduler));
    }
  }
}

TEST_CASE("states and wishes are found by their names, which never change", "[job_state]") {
  const std::array<std::string_view, 9> names = {"queued",
                                                 "running",
                                                 "paused",
                                                 "interrupted",
                                                 "waiting_input",
                                                 "succeeded",
                                                 "partial",
                                                 "failed",
                                                 "cancelled"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    CHECK(job_state_name(k_states.at(i)) == names.at(i));
    CHECK(job_state_from_name(names.at(i)) == k_states.at(i));
  }
  CHECK_FALSE(job_state_from_name("Queued"));
  CHECK_FALSE(job_state_from_name(""));
  for (const JobWish wish : {JobWish::run, JobWish::pause, JobWish::cancel}) {
    CHECK(job_wish_from_name(job_wish_name(wish)) == wish);
  }
  CHECK_FALSE(job_wish_from_name("stop"));
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/transport.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace batchllm {

// What a scripted server says to one request. `after` is when, in rounds of events.
struct ScriptedAnswer {
  int status = 200;
  std::string body;
  TransportFailure failure = TransportFailure::none;
  std::optional<std::int64_t> retry_after_ms;
  int after = 0;
};

// A transport without a network: every request is answered by a function, on the thread that calls
// run(), in the order of posting. What was sent is kept.
class ScriptedTransport final : public Transport {
 public:
  using Script = std::function<ScriptedAnswer(const std::string& body, std::size_t number)>;

  explicit ScriptedTransport(Script script, std::size_t capacity = 1000)
      : script_(std::move(script)),
        capacity_(capacity) {}

  void post(std::size_t endpoint,
            std::string_view body,
            Milliseconds /*timeout*/,
            void* token) override {
    sent.emplace_back(body);
    sent_to.push_back(endpoint);
    flying_.push_back({token, endpoint, script_(sent.back(), sent.size())});
    in_flight_with.push_back(flying_.size());
    most_in_flight = std::max(most_in_flight, flying_.size());
    std::size_t& most_there = most_in_flight_to[endpoint];
    most_there = std::max(most_there, in_flight_to(endpoint));
  }

  std::size_t capacity(std::size_t /*endpoint*/) const override { return capacity_; }

  void abandon_all() override {
    abandoned += flying_.size();
    flying_.clear();
  }

  void run(TransportUser& user) override {
    while (true) {
      const auto wake_at = user.on_turn(std::chrono::steady_clock::now());
      if (user.is_finished()) {
        return;
      }
      if (!answer_due(user) && flying_.empty()) {
        wait(wake_at);
      }
    }
  }

  void wake() noexcept override {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    changed_.notify_one();
  }

  std::vector<std::string> sent;
  std::vector<std::size_t> sent_to;         // the endpoint of each
  std::vector<std::size_t> in_flight_with;  // how many there were with each request
  std::size_t most_in_flight = 0;
  std::map<std::size_t, std::size_t> most_in_flight_to;  // by endpoint
  std::size_t abandoned = 0;

 private:
  struct Flying {
    void* token;
    std::size_t endpoint;
    ScriptedAnswer answer;
  };

  std::size_t in_flight_to(std::size_t endpoint) const {
    return static_cast<std::size_t>(
        std::count_if(flying_.begin(), flying_.end(), [endpoint](const Flying& flying) {
          return flying.endpoint == endpoint;
        }));
  }

  bool answer_due(TransportUser& user) {
    std::deque<Flying> due;
    std::deque<Flying> later;
    for (auto& flying : flying_) {
      (flying.answer.after-- <= 0 ? due : later).push_back(std::move(flying));
    }
    flying_ = std::move(later);
    for (auto& flying : due) {
      std::vector<char> body(flying.answer.body.begin(), flying.answer.body.end());
      body.resize(body.size() + 64);
      HttpResponse response;
      response.failure = flying.answer.failure;
      response.failure_text = "scripted";
      response.status = flying.answer.failure == TransportFailure::none ? flying.answer.status : 0;
      response.body = body.data();
      response.body_size = flying.answer.body.size();
      response.retry_after_ms = flying.answer.retry_after_ms;
      user.on_response(flying.token, response);
    }
    return !due.empty();
  }

  void wait(std::optional<TimePoint> wake_at) {
    std::unique_lock lock(mutex_);
    const auto at = wake_at.value_or(std::chrono::steady_clock::now() + std::chrono::seconds(10));
    changed_.wait_until(lock, at, [this] { return woken_; });
    woken_ = false;
  }

  Script script_;
  const std::size_t capacity_;
  std::deque<Flying> flying_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
};

}  // namespace batchllm

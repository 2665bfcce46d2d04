// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/simulator/chat_request.h"
#include "adapters/simulator/dialect.h"
#include "adapters/simulator/rate_limit.h"
#include "adapters/simulator/reply_text.h"
#include "adapters/simulator/request_log.h"
#include "adapters/simulator/script.h"
#include "adapters/simulator/seen_table.h"
#include "adapters/simulator/simulated_exchange.h"
#include "adapters/simulator/simulator.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm::simulator {

// Decides what the simulator answers: all of it but the network. Time comes in as a value. Not
// thread-safe.
class SimulatorService {
 public:
  // Reads the script and opens the log; throws as they do.
  explicit SimulatorService(SimulatorSettings settings);
  ~SimulatorService();
  SimulatorService(const SimulatorService&) = delete;
  SimulatorService& operator=(const SimulatorService&) = delete;

  // Fills `reply` (cleared first) and adds a line to the log.
  void decide(const SimulatedRequest& request, const RequestTime& now, SimulatedReply& reply);

  std::uint64_t request_count() const noexcept { return ordinal_; }

  // nullptr: no log was asked for.
  RequestLog* log() noexcept { return log_.get(); }

 private:
  struct Facts;  // what is known about the request at hand

  void answer(const SimulatedRequest& request, Facts& facts, SimulatedReply& reply);
  bool refuse_request(const SimulatedRequest& request, Facts& facts, SimulatedReply& reply);
  void chat(const SimulatedRequest& request, Facts& facts, SimulatedReply& reply);
  void embeddings(const SimulatedRequest& request, Facts& facts, SimulatedReply& reply);
  bool let_through(std::int64_t tokens,
                   std::uint64_t identity,
                   Facts& facts,
                   SimulatedReply& reply);
  bool apply_http_fault(const FaultRule& rule, const Facts& facts, SimulatedReply& reply);
  void make_content(const ChatRequest& request);
  Completion make_completion(const FaultRule* fault, const ScriptedAnswer* scripted);
  void write_log(const SimulatedRequest& request,
                 const RequestTime& now,
                 const Facts& facts,
                 const SimulatedReply& reply);

  SimulatorSettings settings_;
  Script script_;
  std::unique_ptr<RequestLog> log_;
  RateLimits limits_;
  SeenTable seen_;
  std::unique_ptr<RequestReader> reader_;
  ChatRequest chat_;
  EmbeddingsRequest embeddings_;
  std::string path_model_;
  std::string content_;
  std::string sentence_;
  std::uint64_t ordinal_ = 0;
};

}  // namespace batchllm::simulator

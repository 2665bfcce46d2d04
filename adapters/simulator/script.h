// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/simulator/fault.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm::simulator {

// What a line of a script wants to happen. What is absent stays as it would have been.
struct ScriptedAnswer {
  std::optional<std::string> content;
  std::optional<std::string> refusal;
  std::optional<std::string> finish_reason;
  std::optional<std::int64_t> prompt_tokens;
  std::optional<std::int64_t> completion_tokens;
  std::optional<int> status;
  std::optional<std::string> body;   // sent as it is
  std::optional<std::string> error;  // in the words of the dialect
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<std::int64_t> delay_ms;
  std::optional<FaultRule> fault;
};

// Answers given beforehand, one JSON object a line:
//   {"match":"refund","content":"complaint","times":2}
//   {"match_regex":"^Translate","status":500,"error":"broken","delay":"2s"}
// `match` is a part of the last user message, `match_regex` a POSIX extended expression for it;
// with neither, the line fits every request. `model` narrows it to requests for that model. Then
// any of: content, refusal, finish_reason, usage ({"prompt_tokens":N,"completion_tokens":N}),
// status with error (text, or the object of OpenAI's error) or body (text or any JSON), headers
// (object of texts), delay (duration), fault (KIND as in --fault), times (how often the line is
// used; default: always). The first line that fits and is not used up decides. Empty lines are
// passed over. Not thread-safe.
class Script {
 public:
  // An empty script, which fits nothing.
  Script();
  ~Script();
  Script(Script&&) noexcept;
  Script& operator=(Script&&) noexcept;

  // Throws Error(input_missing | input_unreadable | input_malformed) naming file and line.
  static Script read_file(const std::string& path);
  static Script parse(std::string_view text, std::string_view name);

  bool empty() const noexcept { return lines_.empty(); }

  // The answer for a request, used once more by this call; nullptr: no line fits. Lives as long as
  // the script.
  const ScriptedAnswer* find(std::string_view user_text, std::string_view model = {});

 private:
  struct Line;
  std::vector<Line> lines_;
};

}  // namespace batchllm::simulator

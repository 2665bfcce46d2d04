// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/json/json_window.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace batchllm::json {

// How records follow one another in a file.
enum class Framing {
  lines,         // one value a line (JSONL, NDJSON)
  array,         // [ value, value, … ]
  concatenated,  // values one after the other, over lines as they like
};

std::string_view framing_name(Framing framing) noexcept;

// Finds out the framing from a file's first bytes (white space before the first value skipped).
// `whole` says that there is no more than `head`.
Framing detect_framing(std::string_view head, bool whole);

// One record, as found in the window; its views die when the window moves.
struct JsonRecord {
  std::string_view text;     // without white space around it
  std::uint64_t offset = 0;  // decoded offset of its first byte
  std::uint64_t line = 1;    // physical line of its first byte
  std::uint64_t length = 0;  // bytes of the record, also of those that are not in `text`
  std::string_view problem;  // why it is no record: "too_long", "not_json"; empty: it may be one
  std::string_view message;  // the same for a person
};

enum class FrameResult { record, need_more, end };

// Cuts a window into records. Whether a record is valid JSON is its caller's question. Not
// thread-safe.
class JsonFramer {
 public:
  virtual ~JsonFramer() = default;

  // Finds the next record in what the window holds and consumes it; never fetches, so that records
  // found before stay where they are. `need_more` asks for window.fill() and another call.
  virtual FrameResult next(JsonRecord& record) = 0;

  // Called with a record that turned out not to be JSON: it may have swallowed its neighbours. Cuts
  // it before the first of them that can be told, and goes on there.
  virtual void cut(JsonRecord& record) = 0;

  // Called with a good record, from which `cut` learns what neighbours look like.
  virtual void learn(const JsonRecord& record) = 0;

  // Goes on at the start of a record; the window has been moved there.
  virtual void restart(std::uint64_t line) = 0;
};

// `window` must outlive the framer. For `array`, the window stands behind the opening bracket; with
// `ignore_rest`, what follows the closing one is nobody's business (--json-path).
std::unique_ptr<JsonFramer> make_value_framer(JsonWindow& window,
                                              std::size_t max_row_bytes,
                                              bool in_array,
                                              bool ignore_rest);

}  // namespace batchllm::json

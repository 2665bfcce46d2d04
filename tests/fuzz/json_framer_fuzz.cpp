// SPDX-License-Identifier: Apache-2.0
// Any bytes: both scanners see the same text, and the row source gives the same rows however the input
// is cut.
#include "adapters/json/json_scan.h"
#include "core/error.h"
#include "tests/support/json_rows.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

struct Outcome {
  batchllm::ReadRows rows;
  std::string error;
};

Outcome read(const std::string& text, const batchllm::InputSettings& settings, std::size_t read_bytes) {
  Outcome outcome;
  try {
    outcome.rows = batchllm::read_rows(*batchllm::json_source(text, settings, read_bytes));
  } catch (const batchllm::Error& error) {
    outcome.error = error.message();
  }
  return outcome;
}

// The scanner from every bracket on, in one go and in pieces, against its definition.
void require_same_scan(const std::string& text, std::size_t piece) {
  using namespace batchllm::json;
  const auto start = text.find_first_of("[{");
  if (start == std::string::npos) {
    return;
  }
  const std::string_view bytes = std::string_view(text).substr(start);
  BracketScan plain;
  const auto expected = scan_brackets_scalar(bytes, plain);
  BracketScan fast;
  require(scan_brackets(bytes, fast) == expected && fast == plain);
  BracketScan cut;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const auto found = scan_brackets(bytes.substr(at, piece), cut);
    if (found) {
      require(expected && at + *found == *expected);
      return;
    }
  }
  require(!expected);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  const std::string text(reinterpret_cast<const char*>(bytes) + 2, size - 2);
  batchllm::InputSettings settings;
  settings.max_row_bytes = 1 + bytes[0];
  if (bytes[1] % 8 == 0) {
    settings.json_path = "a.b";
  }
  require_same_scan(text, 1 + bytes[1] % 100);
  const Outcome whole = read(text, settings, std::string::npos);
  const Outcome pieces = read(text, settings, 1 + bytes[1] % 100);
  require(whole.error == pieces.error);
  require(whole.rows.rows == pieces.rows.rows);
  require(whole.rows.records == pieces.rows.records);
  require(whole.rows.bad_rows.size() == pieces.rows.bad_rows.size());
  for (std::size_t i = 0; i < whole.rows.bad_rows.size(); ++i) {
    require(whole.rows.bad_rows[i].place.byte_offset == pieces.rows.bad_rows[i].place.byte_offset);
    require(whole.rows.bad_rows[i].reason == pieces.rows.bad_rows[i].reason);
  }
  return 0;
}

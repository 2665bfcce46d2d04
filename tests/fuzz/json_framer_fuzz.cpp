// SPDX-License-Identifier: Apache-2.0
// Any bytes through the JSON reader, in pieces of any size: nothing may crash, the fast bracket
// scan must agree with the plain one, and the pieces must not change the rows.
#include "adapters/json/json_row_source.h"
#include "adapters/json/json_scan.h"
#include "core/error.h"
#include "tests/support/memory_byte_stream.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace batchllm;

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

// Every row's place and cells, and every bad row's place.
std::string read_all(const std::string& text, const InputSettings& settings, std::size_t piece) {
  std::string seen;
  try {
    const auto source = open_json(std::make_unique<MemoryByteStream>(text, piece), settings);
    RowBatch batch;
    while (source->next_batch(batch)) {
      for (std::size_t row = 0; row < batch.row_count(); ++row) {
        const RowPlace& place = batch.places[row];
        require(text.compare(place.byte_offset, place.byte_length, batch.records[row]) == 0);
        seen += std::to_string(place.line) + "@" + std::to_string(place.byte_offset) + " ";
        for (const auto& cell : batch.row_cells(row)) {
          seen += std::string(cell) + "\x1f";
        }
      }
      for (const auto& bad : batch.bad_rows) {
        seen += "!" + bad.reason + " ";
      }
    }
  } catch (const Error& error) {
    seen += error.name();
  }
  return seen;
}

void compare_scans(std::string_view text, std::size_t piece) {
  json::BracketScan fast;
  json::BracketScan plain;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    const std::string_view part = text.substr(at, piece);
    const auto end = json::scan_brackets(part, fast);
    require(end == json::scan_brackets_scalar(part, plain));
    require(fast == plain);
    if (end) {
      return;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  const std::size_t piece = 1 + bytes[0] % 100;
  const std::string text(reinterpret_cast<const char*>(bytes) + 2, size - 2);
  compare_scans(text, piece);
  InputSettings settings;
  settings.json_path = (bytes[1] & 1U) != 0 ? "/a" : "";
  settings.max_row_bytes = (bytes[1] & 2U) != 0 ? 64 : InputSettings::k_default_max_row_bytes;
  const std::string whole = read_all(text, settings, std::string::npos);
  // With a small limit, where a runaway row is given up depends on how much had come in.
  require((bytes[1] & 2U) != 0 || read_all(text, settings, piece) == whole);
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/stream/byte_stream.h"
#include "core/input_settings.h"
#include "core/row_source.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace batchllm {

// Rows out of JSON: one value a line (JSONL), one array of any size, values one after another, or
// the array at --json-path. Every record is checked in full (RFC 8259, UTF-8).
//
// A record that is an object is a row. A string, number, boolean or null is a row with the one
// column `value`. An array is a bad row (`not_object`); what is no JSON is `not_json`, what is no
// UTF-8 `not_utf8`, what exceeds max_row_bytes `too_long`. In JSONL a bad line never touches the
// next one. Elsewhere the reader goes on at the next place that looks like a row of this file.
//
// Columns are the members of the first rows (1000 rows or 1 MiB) in the order in which they were
// first seen. Strings are unescaped; numbers, booleans, objects and arrays keep their spelling
// (CellKind::json); null and missing members are null cells. Of members with the same name the
// first one counts. `batch.records` holds each row's own text.
//
// Memory: one record at most and one block, or the 1 MiB of the first rows. Not thread-safe.
class JsonRowSource : public RowSource {
 public:
  // {"format", …}, {"compression", …}, … for people.
  virtual std::vector<std::pair<std::string, std::string>> facts() const = 0;
  virtual std::vector<std::string> warnings() const = 0;
  virtual std::optional<PrefixDigest> prefix_digest() const = 0;
};

// Throws Error(input_malformed | input_unreadable | usage).
std::unique_ptr<JsonRowSource> open_json(std::unique_ptr<ByteStream> stream,
                                         const InputSettings& settings);

}  // namespace batchllm

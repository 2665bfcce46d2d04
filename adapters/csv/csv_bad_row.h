// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/csv/csv_record_reader.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace batchllm {

// What is wrong with a record, said to a person.

// `raw` is the record, which is not UTF-8, and `offset` its place in the input.
std::string csv_not_utf8_message(std::string_view raw, std::uint64_t offset);

// `line` is the line on which the record begins, `limit` the bytes that a row may take.
std::string csv_runaway_message(const CsvRunaway& runaway, std::uint64_t line, std::size_t limit);

}  // namespace batchllm

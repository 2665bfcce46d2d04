// SPDX-License-Identifier: Apache-2.0
#include "adapters/json/json_columns.h"

#include "core/error.h"

#include <simdjson.h>

#include <unordered_set>

namespace batchllm {

std::vector<std::string> collect_columns(RowSource& source) {
  constexpr std::size_t k_most_columns = 10'000;
  std::vector<std::string> names = source.columns();
  std::unordered_set<std::string> known(names.begin(), names.end());
  source.select({});
  simdjson::dom::parser parser;
  RowBatch batch;
  std::string key;
  while (source.next_batch(batch)) {
    for (std::size_t row = 0; row < batch.row_count(); ++row) {
      const std::string_view record = batch.record(row);
      simdjson::dom::object object;
      if (parser.parse(record.data(), record.size()).get(object) != simdjson::SUCCESS) {
        continue;
      }
      for (const auto field : object) {
        key.assign(field.key);
        if (known.insert(key).second) {
          names.push_back(key);
        }
      }
    }
    if (names.size() > k_most_columns) {
      throw Error(ErrorCode::input_malformed,
                  "the rows have more than 10,000 different columns: no table can hold them",
                  "write JSON (-o FILE.jsonl), or choose columns with --columns");
    }
  }
  return names;
}

}  // namespace batchllm

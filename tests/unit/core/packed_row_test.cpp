// SPDX-License-Identifier: Apache-2.0
#include "core/packed_row.h"

#include "tests/support/catch.h"
#include "tests/support/test_rows.h"

using namespace batchllm;

TEST_CASE("a packed row comes back with its cells, kinds and place", "[packed_row]") {
  const TestRows rows({{"a", "", std::nullopt},
                       {TestCell::json("12"), std::string("x\0y", 3), TestCell::json("[]")}});
  for (std::size_t row = 0; row < 2; ++row) {
    std::string packed;
    pack_row(rows.batch(), row, packed);
    RowBatch batch;
    unpack_row(packed, RowPlace{7, 8, 9, 10, 1}, batch);
    REQUIRE(batch.row_count() == 1);
    CHECK(batch.places[0].row_index == 7);
    CHECK(batch.column_count == 3);
    for (std::size_t column = 0; column < 3; ++column) {
      const std::string_view before = rows.batch().row_cells(row)[column];
      const std::string_view after = batch.row_cells(0)[column];
      CHECK(after == before);
      CHECK((after.data() == nullptr) == (before.data() == nullptr));
      CHECK(batch.cell_kind(0, column) == rows.batch().cell_kind(row, column));
    }
    CHECK(batch.record(0).empty());
  }
}

TEST_CASE("the record of a JSON row is kept", "[packed_row]") {
  RowBatch before;
  before.column_count = 0;
  before.places.push_back({});
  before.records.emplace_back(R"({"a": 1})");
  std::string packed;
  pack_row(before, 0, packed);
  RowBatch after;
  unpack_row(packed, {}, after);
  CHECK(after.record(0) == R"({"a": 1})");
  CHECK(after.kinds.empty());
}

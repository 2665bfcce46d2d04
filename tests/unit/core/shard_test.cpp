// SPDX-License-Identifier: Apache-2.0
#include "core/shard.h"

#include "tests/support/catch.h"

using namespace batchllm;

TEST_CASE("a row's state keeps status and offset in eight bytes", "[shard]") {
  CHECK(RowState().kind() == RowState::Kind::unknown);
  CHECK(RowState::excluded().kind() == RowState::Kind::excluded);
  for (const RowStatus status : {RowStatus::ok, RowStatus::failed, RowStatus::skipped}) {
    for (const std::uint64_t offset :
         {std::uint64_t{0}, std::uint64_t{1} << 40, (std::uint64_t{1} << 60) - 1}) {
      const RowState state(RowState::settled(status, offset).bits());
      CHECK(state.kind() == RowState::Kind::settled);
      CHECK(state.status() == status);
      CHECK(state.ledger_offset() == offset);
    }
  }
}

TEST_CASE("a shard is complete when it was read to its end and every row is accounted for",
          "[shard]") {
  Shard shard(2);
  const std::uint64_t first = shard.first_row();
  CHECK(first == 2 * k_rows_per_shard);
  CHECK_FALSE(shard.is_complete());
  CHECK(shard.exclude(first));
  CHECK_FALSE(shard.exclude(first));  // counted once
  shard.settle(first + 1, RowStatus::failed, 100);
  shard.settle(first + 1, RowStatus::ok, 200);  // counted once
  CHECK(shard.state(first + 1).ledger_offset() == 200);
  shard.set_end(3, 2, std::nullopt);
  CHECK_FALSE(shard.is_complete());
  shard.settle(first + 2, RowStatus::ok, 0);
  CHECK(shard.is_complete());
  shard.reopen(first + 2);
  CHECK_FALSE(shard.is_complete());
  shard.reopen(first + 2);
  shard.settle(first + 2, RowStatus::ok, 300);
  CHECK(shard.is_complete());
}

TEST_CASE("a row with an outcome cannot be excluded any more", "[shard]") {
  Shard shard(0);
  shard.settle(0, RowStatus::ok, 7);
  CHECK_FALSE(shard.exclude(0));
  CHECK(shard.state(0).kind() == RowState::Kind::settled);
}

TEST_CASE("a shard without rows is complete at once", "[shard]") {
  Shard shard(0);
  CHECK_FALSE(shard.has_end());
  shard.set_end(0, 0, std::nullopt);
  CHECK(shard.is_complete());
}

// SPDX-License-Identifier: Apache-2.0
#include "core/manifest.h"

#include "tests/support/catch.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <filesystem>

using namespace batchllm;

namespace {

SealedShard sealed(std::uint64_t number) {
  SealedShard shard;
  shard.number = number;
  shard.rows = k_rows_per_shard;
  shard.matched = 60'000;
  shard.next_place = RowPlace{(number + 1) * k_rows_per_shard, 70'000, 1'234'567, 0, 3};
  shard.totals = {50'000, 9'000, 1'000, 5'536, 77, 88, 99};
  return shard;
}

}  // namespace

TEST_CASE("sealed shards and digests come back", "[manifest]") {
  const ScratchFolder folder;
  {
    Manifest manifest(folder.path("m"));
    manifest.seal(sealed(0));
    SealedShard last = sealed(1);
    last.next_place.reset();
    manifest.seal(last);
    manifest.set_digest(0, {10, 0xFFFF'FFFF'FFFF'FFFFU});
    manifest.set_digest(0, {20, 5});
  }
  const Manifest manifest(folder.path("m"), Manifest::Access::read_only);
  REQUIRE(manifest.shards().size() == 2);
  const SealedShard& shard = manifest.shards().at(0);
  CHECK(shard.rows == k_rows_per_shard);
  CHECK(shard.matched == 60'000);
  REQUIRE(shard.next_place);
  CHECK(shard.next_place->row_index == k_rows_per_shard);
  CHECK(shard.next_place->line == 70'000);
  CHECK(shard.next_place->byte_offset == 1'234'567);
  CHECK(shard.next_place->input == 3);
  CHECK_FALSE(manifest.shards().at(1).next_place);
  const ShardTotals totals = manifest.totals();
  CHECK(totals.ok == 100'000);
  CHECK(totals.failed == 18'000);
  CHECK(totals.skipped == 2'000);
  CHECK(totals.excluded == 11'072);
  CHECK(totals.cost_micro_usd == 154);
  CHECK(totals.input_tokens == 176);
  CHECK(totals.output_tokens == 198);
  CHECK(manifest.digests().at(0).bytes == 20);
  CHECK(manifest.digests().at(0).xxh3 == 5);
}

TEST_CASE("a reopened shard is forgotten until it is sealed again", "[manifest]") {
  const ScratchFolder folder;
  {
    Manifest manifest(folder.path("m"));
    manifest.seal(sealed(0));
    manifest.seal(sealed(1));
    manifest.reopen(0);
    manifest.reopen(7);  // never sealed
  }
  {
    Manifest manifest(folder.path("m"));
    CHECK_FALSE(manifest.shards().contains(0));
    CHECK(manifest.shards().contains(1));
    manifest.seal(sealed(0));
  }
  CHECK(Manifest(folder.path("m")).shards().contains(0));
}

TEST_CASE("a torn or damaged line costs what it said only", "[manifest]") {
  const ScratchFolder folder;
  {
    Manifest manifest(folder.path("m"));
    manifest.seal(sealed(0));
    manifest.seal(sealed(1));
  }
  const std::string whole = folder.read("m");
  const std::size_t second = whole.find('\n') + 1;
  for (std::size_t size = second; size < whole.size(); ++size) {
    folder.write("m", whole.substr(0, size));
    {
      Manifest manifest(folder.path("m"));
      CHECK(manifest.shards().contains(0));
      CHECK(manifest.shards().contains(1) == (size + 1 == whole.size()));
      manifest.seal(sealed(2));
    }
    const Manifest again(folder.path("m"), Manifest::Access::read_only);
    CAPTURE(size);
    CHECK(again.shards().contains(0));
    CHECK(again.shards().contains(2));
  }
  for (std::size_t at = 0; at + 1 < second; ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    folder.write("m", damaged);
    CHECK(Manifest(folder.path("m"), Manifest::Access::read_only).shards().contains(1));
  }
}

TEST_CASE("a full disk leaves no half line before the next one", "[manifest]") {
  const ScratchFolder folder;
  Manifest manifest(folder.path("m"));
  manifest.seal(sealed(0));
  const auto size = std::filesystem::file_size(folder.path("m"));
  {
    const FileSizeLimit full(size + 20);
    CHECK(thrown_error([&] { manifest.seal(sealed(1)); })->code() == ErrorCode::storage_full);
  }
  CHECK(std::filesystem::file_size(folder.path("m")) == size);
  manifest.seal(sealed(2));
  CHECK(Manifest(folder.path("m"), Manifest::Access::read_only).shards().size() == 2);
}

TEST_CASE("a reader without the job's lock writes nothing", "[manifest]") {
  const ScratchFolder folder;
  const Manifest none(folder.path("m"), Manifest::Access::read_only);
  CHECK(none.shards().empty());
  CHECK_FALSE(std::filesystem::exists(folder.path("m")));
  folder.write("m", "torn");
  const Manifest torn(folder.path("m"), Manifest::Access::read_only);
  CHECK(folder.read("m") == "torn");
}

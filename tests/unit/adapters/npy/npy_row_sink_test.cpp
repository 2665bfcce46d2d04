// SPDX-License-Identifier: Apache-2.0
#include "adapters/npy/npy_row_sink.h"

#include "core/error.h"
#include "core/float_vector.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"

#include <cmath>
#include <cstring>
#include <optional>

using namespace batchllm;
using batchllm::test::ScratchFolder;

namespace {

using Vector = std::optional<std::vector<float>>;

std::string written(const std::vector<Vector>& rows) {
  const ScratchFolder folder;
  const auto sink = open_npy_row_sink(folder.path("m.npy"));
  sink->begin({"text"}, {"embedding"});
  RowBatch batch;
  for (const Vector& row : rows) {
    batch.clear();
    batch.places.push_back({.row_index = 4});
    std::string base64;
    if (row) {
      append_vector(base64, *row);
    }
    const std::vector<NewCell> cells = {row ? NewCell{base64, CellKind::text} : NewCell{},
                                        {"more", CellKind::text}};
    sink->write(batch, 0, cells);
  }
  sink->finish();
  return folder.read("m.npy");
}

std::vector<float> numbers(const std::string& file) {
  std::vector<float> found((file.size() - 128) / sizeof(float));
  std::memcpy(found.data(), file.data() + 128, found.size() * sizeof(float));
  return found;
}

}  // namespace

TEST_CASE("a matrix is written as NumPy reads it", "[npy]") {
  const std::string file = written({{{1.0F, 2.0F}}, {{-3.0F, 0.5F}}, {{0.0F, 1e-3F}}});
  CHECK(file.starts_with(std::string("\x93NUMPY\x01\x00\x76\x00", 10)));
  CHECK(file.substr(10).starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }"));
  CHECK(file[127] == '\n');
  CHECK(numbers(file) == std::vector<float>{1.0F, 2.0F, -3.0F, 0.5F, 0.0F, 1e-3F});
}

TEST_CASE("a row without a vector is NaN, wherever it stands", "[npy]") {
  const std::string file = written({std::nullopt, {{1.0F, 2.0F}}, std::nullopt});
  CHECK_THAT(file, ContainsSubstring("(3, 2)"));
  const auto found = numbers(file);
  REQUIRE(found.size() == 6);
  CHECK(std::isnan(found[0]));
  CHECK(std::isnan(found[1]));
  CHECK(found[3] == 2.0F);
  CHECK(std::isnan(found[5]));
}

TEST_CASE("a matrix without vectors has no columns", "[npy]") {
  CHECK_THAT(written({std::nullopt, std::nullopt}), ContainsSubstring("(2, 0)"));
  CHECK_THAT(written({}), ContainsSubstring("(0, 0)"));
}

TEST_CASE("vectors of different lengths are no matrix", "[npy]") {
  CHECK_THROWS_AS(written({{{1.0F}}, {{1.0F, 2.0F}}}), Error);
}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace batchllm {

// Column names that are unique and never empty: a second `a` becomes `a_2`, a name without
// characters `colN` (N counts columns from 1). `renames` says what was changed ("column 3: \"a\" is
// now \"a_2\"").
struct CsvColumnNames {
  std::vector<std::string> names;
  std::vector<std::string> renames;
};

CsvColumnNames unique_column_names(const std::vector<std::string>& header);

// Names of the columns of a file without a header: those given, then col1, col2, … up to `count`.
std::vector<std::string> headerless_column_names(const std::vector<std::string>& given,
                                                 std::size_t count);

}  // namespace batchllm

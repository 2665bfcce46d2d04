// SPDX-License-Identifier: Apache-2.0
#include "adapters/csv/csv_header.h"

#include "core/text.h"

#include <fmt/format.h>

#include <unordered_map>
#include <unordered_set>

namespace batchllm {
namespace {

constexpr std::size_t k_shown_name_characters = 60;

}  // namespace

CsvColumnNames unique_column_names(const std::vector<std::string>& header) {
  CsvColumnNames result;
  // A made name must not take one that stands in the header itself.
  std::unordered_set<std::string> taken(header.begin(), header.end());
  std::unordered_set<std::string> seen;
  std::unordered_map<std::string, std::size_t> next_number;
  for (std::size_t i = 0; i < header.size(); ++i) {
    std::string name = header[i];
    if (!name.empty() && seen.insert(name).second) {
      result.names.push_back(std::move(name));
      continue;
    }
    const bool was_empty = name.empty();
    const std::string stem = was_empty ? fmt::format("col{}", i + 1) : name;
    name = stem;
    if (!was_empty || taken.count(name) != 0) {
      std::size_t& number = next_number.try_emplace(stem, 2).first->second;
      do {
        name = fmt::format("{}_{}", stem, number++);
      } while (taken.count(name) != 0);
    }
    taken.insert(name);
    seen.insert(name);
    result.renames.push_back(
        was_empty ? fmt::format("column {} has no name: it is now \"{}\"", i + 1, name)
                  : fmt::format("column {}: the second \"{}\" is now \"{}\"",
                                i + 1,
                                one_line(header[i], k_shown_name_characters),
                                one_line(name, k_shown_name_characters)));
    result.names.push_back(std::move(name));
  }
  return result;
}

std::vector<std::string> headerless_column_names(const std::vector<std::string>& given,
                                                 std::size_t count) {
  std::vector<std::string> names = given;
  while (names.size() < count) {
    names.push_back(fmt::format("col{}", names.size() + 1));
  }
  return names;
}

}  // namespace batchllm

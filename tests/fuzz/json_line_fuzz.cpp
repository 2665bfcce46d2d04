// SPDX-License-Identifier: Apache-2.0
// Any lines through the quick reader of JSONL: what it takes for a row must be one, with the cells
// that the plain walk finds.
#include "tests/support/json_line_check.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  for (const auto& columns :
       std::vector<std::vector<std::string>>{{"a", "b", "name"}, {"b", "b"}, {}}) {
    const std::string mistake = batchllm::line_reader_mistake(text, columns, false);
    if (!mistake.empty()) {
      std::fprintf(stderr, "%s\n", mistake.c_str());
      std::abort();
    }
  }
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// Any text as a prompt template and as a --where expression: compiled against fixed columns, then
// rendered for fixed rows. Only Error may come out of it.
#include "core/error.h"
#include "core/prompt_template.h"
#include "core/row_filter.h"
#include "core/text.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace batchllm;

TemplateNames fixed_names(bool open_ended) {
  TemplateNames names;
  names.columns = {"text", "id", "a", "a.b", "First Name", "größe", "Price (USD)", "{odd}"};
  names.open_ended = open_ended;
  names.variables = {{"v", "x"}, {"json", R"({"k": [1, "two"]})"}};
  return names;
}

RowBatch fixed_rows(std::size_t columns) {
  RowBatch batch;
  batch.column_count = columns;
  batch.places.resize(2);
  batch.cells.resize(2 * columns);
  batch.kinds.resize(2 * columns, CellKind::text);
  batch.cells[0] = "some text\nwith \xC3\xBCml\xC3\xA4uts";
  batch.cells[1] = R"({"b": {"c": [1, 2.50, null, "x"]}})";
  batch.cells[columns] = "12";
  batch.kinds[columns] = CellKind::json;
  return batch;
}

void render_all(std::string_view text, const TemplateNames& names) {
  PromptTemplate prompt = PromptTemplate::compile(text, names, {"fuzz"});
  if (prompt.columns().size() < 2) {
    return;
  }
  prompt.bind(prompt.columns());
  const RowBatch batch = fixed_rows(prompt.columns().size());
  for (std::size_t row = 0; row < batch.row_count(); ++row) {
    std::string out;
    prompt.render(batch, row, out);
    if (!is_utf8(out)) {
      std::abort();  // a provider would refuse the request
    }
  }
}

void filter_all(std::string_view text, const TemplateNames& names) {
  RowFilter filter = RowFilter::compile(text, names);
  filter.bind(filter.columns());
  if (filter.columns().size() < 2) {
    return;
  }
  const RowBatch batch = fixed_rows(filter.columns().size());
  for (std::size_t row = 0; row < batch.row_count(); ++row) {
    (void)filter.matches(batch, row);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const TemplateNames names = fixed_names((data[0] & 1U) != 0);
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  try {
    render_all(text, names);
  } catch (const Error&) {
    // refused, as it should be
  }
  try {
    filter_all(text, names);
  } catch (const Error&) {
    // refused, as it should be
  }
  return 0;
}

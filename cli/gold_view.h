// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/job/gold_report.h"
#include "core/json_text.h"

#include <cstddef>
#include <string>

namespace batchllm {

// Accuracy, a table of the classes and one of what was answered for what, in lines of `width`
// characters at most where the numbers let them; the last line has no end.
std::string gold_text(const GoldReport& report, std::size_t width);

// The value of the member "gold".
void write_gold(JsonWriter& json, const GoldReport& report);

}  // namespace batchllm

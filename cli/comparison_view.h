// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/job/model_comparison.h"
#include "core/json_text.h"

#include <cstddef>
#include <string>

namespace batchllm {

// A table of the models that a job compares and how often they agree, in lines of `width`
// characters at most where the numbers let them; the last line has no end.
std::string comparison_text(const ModelComparison& comparison, std::size_t width);

// The value of the member "comparison".
void write_comparison(JsonWriter& json, const ModelComparison& comparison);

}  // namespace batchllm

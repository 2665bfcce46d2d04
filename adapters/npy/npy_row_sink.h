// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/row_sink.h"

#include <memory>
#include <string>

namespace batchllm {

// Writes vectors as a matrix in NumPy's format (.npy, version 1.0, '<f4', C order): row i of the
// matrix is the i-th row written. Nothing of the input goes into it; the first added cell is the
// vector in base64 (core/float_vector.h), and a row without one becomes NaN. Not compressed, not
// appended to: the header, which says how many rows there are, is written at the end.
//
// Throws Error(usage) at a row whose vector has another length than those before. Source: NumPy
// documentation, "numpy.lib.format".
std::unique_ptr<RowSink> open_npy_row_sink(const std::string& path);

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// A row's vector of 32 bit floating point numbers. It stands in ledgers, and comes from some
// providers, as base64 of its numbers' bytes, least significant first.

// Appends the vector in base64.
void append_vector(std::string& out, std::span<const float> vector);

// Replaces `vector` with what `base64` stands for. False when it is no vector: no base64, no
// numbers at all, or one that is none (NaN, infinite). `bytes` is memory to work in.
bool read_vector(std::string_view base64, std::vector<float>& vector, std::string& bytes);

// Appends the numbers as a JSON array, each as short as gives the same number again.
void append_vector_json(std::string& out, std::span<const float> vector);

}  // namespace batchllm

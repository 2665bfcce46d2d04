// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace batchllm {

// "job_20261121_074800_k3fz": the time (UTC) and four random base32 letters.
std::string make_job_id(std::int64_t wall_ms, std::uint64_t random);

bool is_job_id(std::string_view text) noexcept;

}  // namespace batchllm

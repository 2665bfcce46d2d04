// SPDX-License-Identifier: Apache-2.0
// Pieces of help texts that come from the table of options, for every program that has one.
#pragma once

#include "core/config_keys.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// How an option is written: "-c, --concurrency N", "    --order input|completion".
std::string option_usage(const OptionKey& option);

// What help says about it: the help text, choices that the usage does not show, the default.
std::string option_description(const OptionKey& option);

// One line in bold when `color`.
std::string heading(std::string_view text, bool color);

// `left` and `right` in two columns, the right one from `column` on; it wraps under itself.
std::string two_columns(const std::string& left, const std::string& right, std::size_t column);

// One option a line; and the same under the headings of their groups.
std::string option_lines(const std::vector<const OptionKey*>& options);
std::string grouped_options(const std::vector<const OptionKey*>& options, bool color);

}  // namespace batchllm

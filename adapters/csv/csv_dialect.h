// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/input_settings.h"

#include <cstddef>
#include <string_view>

namespace batchllm {

// How fields are told apart. `quote` is '\0' when no character quotes.
struct CsvDialect {
  char delimiter = ',';
  char quote = '"';

  bool has_quote() const noexcept { return quote != '\0'; }

  friend bool operator==(const CsvDialect&, const CsvDialect&) = default;
};

// So much of an input's beginning decides about its dialect.
inline constexpr std::size_t k_dialect_sample_bytes = std::size_t{64} << 10;

// Finds the dialect from the beginning of an input; what `settings` say is taken as it is.
//
// The delimiter is the one of `, TAB ; |` that gives the most rows the same number of fields (more
// than one); ties go to the first of them, and so does an input with a single column. With
// `tab_separated` it is TAB. The quote is `"`, or `'` when fields are wrapped in it and none in
// `"`. `whole_input` says that the sample is all there is; otherwise its last, cut off record is
// not looked at.
//
// Throws Error(usage) when a setting cannot work: a quote equal to the delimiter, a line break, a
// byte outside of ASCII.
CsvDialect detect_csv_dialect(std::string_view sample,
                              bool whole_input,
                              const InputSettings& settings,
                              bool tab_separated);

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.h"

#include <string>
#include <string_view>

namespace batchllm {

// A regular expression of ECMA-262 (with the u flag, as JSON Schema 2020-12 core, 6.4 asks for) in
// the words of PCRE2, for those places where the same text means something else to the two: what
// white space \s and a line's end for . is, \v, the long names of \p{…}, [: inside a class. What
// PCRE2 knows and ECMA-262 does not (inline flags, possessive and atomic parts, recursion, \A, \Q,
// …) is refused, so that no expression means more here than elsewhere. `text` must be UTF-8. The
// failure names the character. Whatever else is wrong with the expression, PCRE2 says.
Result<std::string> translate_ecma_pattern(std::string_view text);

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
// The test framework under one name, whatever its major version.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>  // IWYU pragma: export
using Catch::Matchers::ContainsSubstring;
#else
#include <catch2/catch.hpp>  // IWYU pragma: export

inline auto ContainsSubstring(const std::string& text) {
  return Catch::Matchers::Contains(text);
}
#endif

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <version>

#if defined(__cpp_lib_expected) && __cpp_lib_expected >= 202202L
#include <expected>
#else
#include <tl/expected.hpp>
#endif

namespace batchllm {

#if defined(__cpp_lib_expected) && __cpp_lib_expected >= 202202L
namespace expected_ns = std;
#else
namespace expected_ns = tl;
#endif

// Why a function could not give its result: a phrase that continues a sentence ("expected a
// number").
struct Failure {
  std::string message;
};

// A value, or the reason why there is none, for failures that the direct caller decides about.
template <typename T>
class [[nodiscard]] Result : public expected_ns::expected<T, Failure> {
 public:
  using Base = expected_ns::expected<T, Failure>;
  using Base::Base;

  Result(Base base) : Base(std::move(base)) {}  // NOLINT(google-explicit-constructor)

  Result(T value) : Base(std::move(value)) {}  // NOLINT(google-explicit-constructor)

  Result(Failure failure)  // NOLINT(google-explicit-constructor)
      : Base(expected_ns::unexpected<Failure>(std::move(failure))) {}
};

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "core/secret.h"

#include "tests/support/catch.h"

#include <fmt/format.h>

#include <concepts>
#include <ostream>
#include <type_traits>
#include <utility>

using namespace batchllm;

namespace {

template <typename T>
concept Streamable = requires(std::ostream& out, const T& value) {
  out << value;
};

}  // namespace

TEST_CASE("a secret cannot be copied, printed or formatted", "[secret]") {
  STATIC_REQUIRE(!std::is_copy_constructible_v<Secret>);
  STATIC_REQUIRE(!std::is_copy_assignable_v<Secret>);
  STATIC_REQUIRE(!std::is_convertible_v<Secret, std::string_view>);
  STATIC_REQUIRE(!std::is_convertible_v<Secret, std::string>);
  STATIC_REQUIRE(!std::is_convertible_v<std::string_view, Secret>);
  STATIC_REQUIRE(!Streamable<Secret>);
  STATIC_REQUIRE(Streamable<std::string_view>);
  STATIC_REQUIRE(!fmt::is_formattable<Secret>::value);
}

TEST_CASE("a moved secret leaves nothing behind", "[secret]") {
  Secret first("sk-short");
  CHECK(first.reveal() == "sk-short");
  Secret second(std::move(first));
  CHECK(second.reveal() == "sk-short");
  CHECK(first.empty());  // NOLINT(bugprone-use-after-move)
  CHECK(first.reveal().empty());

  Secret third("another");
  third = std::move(second);
  CHECK(third.reveal() == "sk-short");
  CHECK(second.empty());  // NOLINT(bugprone-use-after-move)
  third.clear();
  CHECK(third.empty());
  CHECK(Secret("").empty());
}

TEST_CASE("a wiped text holds zeros where its letters were", "[secret]") {
  std::string text = "sk-a-key-that-is-longer-than-any-short-string";
  const char* bytes = text.data();
  const std::size_t size = text.size();
  wipe(text);
  CHECK(text.empty());
  // The buffer still belongs to the string.
  CHECK(text.data() == bytes);
  CHECK(std::string_view(bytes, size) == std::string(size, '\0'));
}

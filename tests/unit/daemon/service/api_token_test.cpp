// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/api_token.h"

#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <sys/stat.h>

using namespace batchllm;
using namespace batchllm::daemon;

TEST_CASE("a missing token is made for its owner only, and found again", "[token]") {
  const ScratchFolder folder;
  const std::string file = folder.path("daemon/token");
  const std::string token = load_api_token(file);
  CHECK(token.size() == 64);
  CHECK(token.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(load_api_token(file) == token);
  CHECK(load_api_token(folder.path("other")) != token);

  struct stat found {};

  REQUIRE(stat(file.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777U) == 0600U);
}

TEST_CASE("a token that protects nothing is refused", "[token]") {
  const ScratchFolder folder;
  const std::string file = folder.write("token", "long-enough-to-be-one\nsecond line\n");
  REQUIRE(chmod(file.c_str(), 0640) == 0);
  CHECK_THAT(thrown_error([&] { load_api_token(file); })->message(),
             ContainsSubstring("can be read by others"));
  REQUIRE(chmod(file.c_str(), 0400) == 0);
  CHECK(load_api_token(file) == "long-enough-to-be-one");

  const auto text = GENERATE(as<std::string>{}, "", "short\n", "long enough but spaced", "\n\n");
  const std::string wrong = folder.write("wrong", text);
  REQUIRE(chmod(wrong.c_str(), 0600) == 0);
  const auto error = thrown_error([&] { load_api_token(wrong); });
  REQUIRE(error);
  CHECK(error->exit_code() == 2);
  CHECK_THAT(error->message(), ContainsSubstring("holds no token"));
}

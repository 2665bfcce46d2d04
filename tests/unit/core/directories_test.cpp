// SPDX-License-Identifier: Apache-2.0
#include "core/directories.h"

#include "core/error.h"
#include "tests/support/catch.h"

#include <map>

using namespace batchllm;

namespace {

EnvironmentLookup lookup(const std::map<std::string, std::string>& variables) {
  return [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

Directories with(const std::map<std::string, std::string>& variables) {
  return find_directories(lookup(variables));
}

}  // namespace

TEST_CASE("folders follow the XDG variables", "[directories]") {
  const Directories found = with({{"HOME", "/home/u"},
                                  {"XDG_CONFIG_HOME", "/c"},
                                  {"XDG_STATE_HOME", "/s"},
                                  {"XDG_DATA_HOME", "/d"},
                                  {"XDG_CACHE_HOME", "/k"},
                                  {"XDG_RUNTIME_DIR", "/r"}});
  CHECK(found.config == "/c/batchllm");
  CHECK(found.state == "/s/batchllm");
  CHECK(found.data == "/d/batchllm");
  CHECK(found.cache == "/k/batchllm");
  CHECK(found.runtime == "/r/batchllm");
}

TEST_CASE("relative XDG values are ignored", "[directories]") {
  const Directories found = with({{"HOME", "/home/u"}, {"XDG_STATE_HOME", "s"}});
  CHECK(found.state == "/home/u/.local/state/batchllm");
  CHECK(found.config == "/home/u/.config/batchllm");
  CHECK(found.runtime == "/home/u/.local/state/batchllm/run");
}

TEST_CASE("the daemon's socket is in the runtime folder, else below the state folder",
          "[directories]") {
  struct Case {
    std::string host;
    std::string state;
    std::map<std::string, std::string> variables;
    std::string address;
  };

  const auto& c = GENERATE(values<Case>({
      {"", "", {{"XDG_RUNTIME_DIR", "/r"}, {"HOME", "/h"}}, "unix:/r/batchllm/daemon.sock"},
      {"", "/s", {{"XDG_RUNTIME_DIR", "/r"}}, "unix:/r/batchllm/daemon.sock"},
      {"", "", {{"XDG_STATE_HOME", "/s"}}, "unix:/s/batchllm/run/daemon.sock"},
      {"", "/chosen", {{"XDG_STATE_HOME", "/s"}}, "unix:/chosen/run/daemon.sock"},
      {"",
       "",
       {{"XDG_RUNTIME_DIR", "r"}, {"HOME", "/h"}},
       "unix:/h/.local/state/batchllm/run/daemon.sock"},
      {"http://h:1", "", {{"XDG_RUNTIME_DIR", "/r"}}, "http://h:1"},
  }));
  CAPTURE(c.address);
  CHECK(daemon_address(c.host, c.state, lookup(c.variables)) == c.address);
  CHECK_THROWS_AS(daemon_address("", "", lookup({})), Error);
}

TEST_CASE("without HOME the state folder must be said", "[directories]") {
  const Directories found = with({});
  CHECK(found.state.empty());
  CHECK(state_directory("/chosen", found) == "/chosen");
  CHECK_THROWS_AS(state_directory("", found), Error);
}

// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/daemon_settings.h"

#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <map>

using namespace batchllm;
using namespace batchllm::daemon;

namespace {

using Words = std::vector<std::string>;
using Variables = std::map<std::string, std::string>;

// The settings of a call in a folder that holds the user's config and state.
DaemonSettings settings_of(const ScratchFolder& folder,
                           const Words& words = {},
                           Variables variables = {}) {
  variables.insert({{"XDG_CONFIG_HOME", folder.path()}, {"XDG_STATE_HOME", folder.path("state")}});
  return load_daemon_settings(parse_daemon_call(words).flags, [&](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

std::string refusal_of(const ScratchFolder& folder,
                       const Words& words = {},
                       const Variables& variables = {}) {
  const auto error = thrown_error([&] { settings_of(folder, words, variables); });
  REQUIRE(error);
  CHECK(error->exit_code() == 2);
  return error->message();
}

}  // namespace

TEST_CASE("a service without configuration has the defaults of the table", "[settings]") {
  const ScratchFolder folder;
  const DaemonSettings settings = settings_of(folder);
  const std::string state = folder.path("state/batchllm");
  CHECK(settings.state_dir == state);
  CHECK(settings.socket == state + "/run/daemon.sock");
  CHECK(settings.token_file == state + "/daemon/token");
  CHECK_FALSE(settings.listen);
  CHECK_FALSE(settings.max_upload_bytes);
  CHECK_FALSE(settings.requests_per_minute);
  CHECK(settings.max_running_jobs == 8);
  CHECK(settings.concurrency == 256);
  CHECK(settings.lease_ms == 30'000);
  CHECK(settings.drain_timeout_ms == 30'000);
  CHECK(settings.retention_ms == 30LL * 24 * 3600 * 1000);
  CHECK(settings.backup_every_ms == 24LL * 3600 * 1000);
  CHECK(settings.log.level == LogLevel::info);
  CHECK(settings.log.format == LogFormat::text);
  CHECK(settings.log.file_bytes == 10U << 20U);
}

TEST_CASE("a flag is stronger than a variable, a variable than the file", "[settings]") {
  const ScratchFolder folder;
  folder.write("batchllm/config.toml",
               "[daemon]\nmax_running_jobs = 1\nconcurrency = 1\nrpm = 1\nretention = \"none\"\n");
  const DaemonSettings settings =
      settings_of(folder,
                  {"--concurrency=3"},
                  {{"BATCHLLM_DAEMON_RPM", "2"}, {"BATCHLLM_DAEMON_CONCURRENCY", "2"}});
  CHECK(settings.max_running_jobs == 1);
  CHECK(settings.requests_per_minute == 2);
  CHECK(settings.concurrency == 3);
  CHECK_FALSE(settings.retention_ms);
}

TEST_CASE("the model of tasks and the variables of keys come from the file", "[settings]") {
  const ScratchFolder folder;
  CHECK(settings_of(folder).task_model.empty());
  CHECK(settings_of(folder).key_variables.empty());
  folder.write("batchllm/config.toml",
               "[daemon]\ntask_model = \"groq/any\"\nkey_env = [\"TEAM_KEY\", \"OTHER_KEY\"]\n");
  const DaemonSettings settings = settings_of(folder);
  CHECK(settings.task_model == "groq/any");
  CHECK(settings.key_variables == Words{"TEAM_KEY", "OTHER_KEY"});
}

TEST_CASE("the runtime folder, another state folder and a credential move what lies there",
          "[settings]") {
  const ScratchFolder folder;
  folder.write("credentials/token", "secret");
  const DaemonSettings settings = settings_of(
      folder,
      {"--state-dir", folder.path("other")},
      {{"XDG_RUNTIME_DIR", "/run/user/7"}, {"CREDENTIALS_DIRECTORY", folder.path("credentials")}});
  CHECK(settings.state_dir == folder.path("other"));
  CHECK(settings.socket == "/run/user/7/batchllm/daemon.sock");
  CHECK(settings.token_file == folder.path("credentials/token"));
  CHECK(settings_of(folder, {"--state-dir", folder.path("other")}).socket ==
        folder.path("other/run/daemon.sock"));
}

TEST_CASE("only addresses of this machine can be listened on", "[settings]") {
  const ScratchFolder folder;
  const auto listen = [&](const std::string& text) {
    return settings_of(folder, {"--listen", text}).listen;
  };
  CHECK(listen("127.0.0.1:8420")->port == 8420);
  CHECK(listen("localhost:0")->host == "127.0.0.1");
  CHECK(listen("[::1]:9")->host == "::1");
  CHECK_FALSE(listen("none"));
  const auto wrong = GENERATE(as<std::string>{},
                              "8420",
                              "127.0.0.1",
                              "127.0.0.1:x",
                              ":1",
                              "127.0.0.1:65536",
                              "0.0.0.0:1",
                              "[::]:1",
                              "example.org:1",
                              "");
  CAPTURE(wrong);
  CHECK_THAT(refusal_of(folder, {"--listen", wrong}), ContainsSubstring("--listen "));
}

TEST_CASE("a wrong setting is refused with its place", "[settings]") {
  const ScratchFolder folder;
  CHECK(refusal_of(folder, {"--max-running-jobs", "0"}) ==
        "--max-running-jobs 0: must be between 1 and 1000");
  CHECK(refusal_of(folder, {}, {{"BATCHLLM_DAEMON_LEASE", "soon"}}) ==
        "BATCHLLM_DAEMON_LEASE=soon: expected a time, as 250ms, 30s, 5m or 2h");
  CHECK(refusal_of(folder, {}, {{"BATCHLLM_DAEMON_LISTEN", "here"}}) ==
        "BATCHLLM_DAEMON_LISTEN=here: expected ADDRESS:PORT");
  const std::string file = folder.path("batchllm/config.toml");
  folder.write("batchllm/config.toml", "[daemon]\nlog_level = \"loud\"\n");
  CHECK(refusal_of(folder) == file + ":2: log_level = loud: must be debug, info, warning or error");
  folder.write("batchllm/config.toml", "[daemon]\n\nlisten = \"0.0.0.0:80\"\n");
  CHECK(refusal_of(folder) ==
        file + ":3: listen = 0.0.0.0:80: not an address of the loopback interface");
  folder.write("batchllm/config.toml", "[daemon]\nlissten = \"none\"\n");
  CHECK(refusal_of(folder) == file + ":2: unknown key daemon.lissten");
}

TEST_CASE("a word that the service does not know is refused with the nearest one", "[settings]") {
  struct Case {
    Words words;
    std::string message;
    std::string hint;
  };

  const auto& c = GENERATE(values<Case>({
      {{"--lisen", "x"}, "unknown option --lisen", "did you mean --listen?  see: batchllmd --help"},
      {{"--worker", "1"}, "unknown option --worker", "see: batchllmd --help"},
      {{"-x"}, "unknown option -x", "see: batchllmd --help"},
      {{"start"}, "batchllmd takes no argument: start", "see: batchllmd --help"},
      {{"--socket"},
       "--socket needs a value",
       "--socket PATH: socket of the API [default: $XDG_RUNTIME_DIR/batchllm/daemon.sock]"},
      {{"--repair=perhaps"},
       "--repair perhaps: expected true or false",
       "--repair: rebuild the queue from its backup and the jobs' ledgers, and leave"},
  }));
  const auto error = thrown_error([&] { parse_daemon_call(c.words); });
  REQUIRE(error);
  CHECK(error->exit_code() == 2);
  CHECK(error->message() == c.message);
  CHECK(error->hint() == c.hint);
}

TEST_CASE("acts are told apart from settings", "[settings]") {
  CHECK(parse_daemon_call({"-h"}).help);
  CHECK(parse_daemon_call({"--version"}).version);
  CHECK(parse_daemon_call({"--repair"}).repair);
  const DaemonCall call = parse_daemon_call({"--foreground", "--rpm", "3", "--rpm", "4"});
  CHECK(call.flags.size() == 1);
  CHECK(call.flags.at("daemon.rpm").texts == Words{"4"});
}

TEST_CASE("every option of the service is in its help", "[settings]") {
  const std::string help = daemon_help();
  for (const OptionKey& option : option_table()) {
    if (option.commands.contains(Command::batchllmd) && section_of(option) == "daemon") {
      CHECK_THAT(
          help,
          ContainsSubstring(flag_of(option) + " ") || ContainsSubstring(flag_of(option) + "\n"));
      CHECK(option.set_by <= SetBy::user);  // never a project's file
    }
  }
}

TEST_CASE("a reload takes over what a running service can change and names the rest",
          "[settings]") {
  const ScratchFolder folder;
  const DaemonSettings before = settings_of(folder);
  CHECK(changes_between(before, before).empty());

  const DaemonSettings after = settings_of(
      folder, {"--listen", "127.0.0.1:1", "--rpm", "60", "--log-level", "debug", "--lease", "9s"});
  const auto changes = changes_between(before, after);
  REQUIRE(changes.size() == 4);
  CHECK(changes[0].key == "daemon.listen");
  CHECK(changes[0].from == "none");
  CHECK(changes[0].to == "127.0.0.1:1");
  CHECK(changes[0].needs_restart);
  CHECK(changes[1].key == "daemon.rpm");
  CHECK_FALSE(changes[1].needs_restart);
  CHECK(changes[2].key == "daemon.lease");
  CHECK(changes[2].needs_restart);
  CHECK(changes[3].key == "daemon.log_level");

  const DaemonSettings now = reloaded(before, after);
  CHECK(now.requests_per_minute == 60);
  CHECK(now.log.level == LogLevel::debug);
  CHECK_FALSE(now.listen);
  for (const SettingChange& left : changes_between(now, after)) {
    CHECK(left.needs_restart);
  }
}

TEST_CASE("a reload looks at every setting of the service", "[settings]") {
  const ScratchFolder folder;
  const DaemonSettings before = settings_of(folder);
  for (const OptionKey& option : option_table()) {
    if (!option.commands.contains(Command::batchllmd) || section_of(option) != "daemon" ||
        option.set_by == SetBy::flag) {
      continue;
    }
    const Variables others = {{"daemon.listen", "127.0.0.1:1"},
                              {"daemon.log_level", "error"},
                              {"daemon.log_format", "json"}};
    const auto other = others.find(std::string(option.key));
    const std::string value = other == others.end()
                                  ? option.key == "daemon.max_running_jobs" ? "500" : "5000"
                                  : other->second;
    CAPTURE(option.key);
    const auto changes =
        changes_between(before, settings_of(folder, {flag_of(option) + "=" + value}));
    REQUIRE(changes.size() == 1);
    CHECK(changes[0].key == option.key);
  }
}

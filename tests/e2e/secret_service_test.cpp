// SPDX-License-Identifier: Apache-2.0
// Keys in the keyring of a desktop: a real session bus, and GNOME Keyring on it.
#include "tests/support/catch.h"
#include "tests/support/daemon_process.h"
#include "tests/support/eventually.h"
#include "tests/support/job.h"

#include <csignal>
#include <filesystem>
#include <memory>

using namespace batchllm::test;

namespace {

constexpr const char* k_key = "sk-keyring-0123456789abcdef";
constexpr const char* k_another = "sk-another-0123456789fedcba";

bool are_tools_there() {
  for (const char* program : {"dbus-daemon", "dbus-send", "gnome-keyring-daemon"}) {
    if (run_process({.argv = {program, "--version"}}).exit_code == 127) {
      WARN("skipped: needs " << program << " (packaging/dependencies test)");
      return false;
    }
  }
  return true;
}

// A session bus that starts nobody by itself, and an open keyring on it.
class Desktop {
 public:
  Desktop()
      : bus_({.argv = {"dbus-daemon", "--nofork", "--print-address", "--config-file", config()}}) {
    REQUIRE(bus_.wait_for_output("\n"));
    std::filesystem::create_directory(folder_.path("run"));
    std::filesystem::permissions(folder_.path("run"), std::filesystem::perms::owner_all);
    keyring_ = std::make_unique<Process>(ProcessOptions{
        .argv = {"gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"},
        .environment = {{"DBUS_SESSION_BUS_ADDRESS", address()},
                        {"HOME", folder_.path()},
                        {"XDG_DATA_HOME", folder_.path("data")},
                        {"XDG_RUNTIME_DIR", folder_.path("run")}},
        .input = "correct horse"});
    REQUIRE(batchllm::eventually([&] {
      keyring_->exchange();
      return ask("org.freedesktop.DBus",
                 "/org/freedesktop/DBus",
                 "org.freedesktop.DBus.NameHasOwner",
                 "string:org.freedesktop.secrets")
                 .find("boolean true") != std::string::npos;
    }));
  }

  std::string address() const { return "unix:path=" + folder_.path("bus"); }

  void lock() const {
    CHECK_THAT(ask("org.freedesktop.secrets",
                   "/org/freedesktop/secrets",
                   "org.freedesktop.Secret.Service.Lock",
                   "array:objpath:/org/freedesktop/secrets/collection/login"),
               ContainsSubstring("collection/login"));
  }

  const Process& bus() const { return bus_; }

  const Process& keyring() const { return *keyring_; }

 private:
  std::string config() const {
    return folder_.write(
        "bus.conf",
        "<busconfig><type>session</type><listen>" + address() +
            "</listen><policy context=\"default\"><allow send_destination=\"*\"/>"
            "<allow receive_sender=\"*\"/><allow own=\"*\"/></policy></busconfig>");
  }

  std::string ask(const std::string& who,
                  const std::string& object,
                  const std::string& method,
                  const std::string& argument) const {
    const auto result = run_process({.argv = {"dbus-send",
                                              "--bus=" + address(),
                                              "--print-reply",
                                              "--dest=" + who,
                                              object,
                                              method,
                                              argument}});
    return result.output_text + result.error_text;
  }

  batchllm::ScratchFolder folder_;
  Process bus_;
  std::unique_ptr<Process> keyring_;
};

// A user at that desktop without keys in the environment, and a provider that takes one key.
struct DesktopUser {
  Desktop desktop;
  SimulatorProcess simulator{BATCHLLM_PROGRAM, {"--require-key", k_key}};
  Workspace workspace{BATCHLLM_PROGRAM};
  std::map<std::string, std::string> more;

  ProcessResult call(const Words& words, const std::string& input = {}) const {
    ProcessOptions command = workspace.command(words);
    command.environment.erase("OPENAI_API_KEY");
    command.environment["OPENAI_BASE_URL"] = simulator.base_url();
    command.environment["XDG_DATA_HOME"] = workspace.path("data");
    command.environment["DBUS_SESSION_BUS_ADDRESS"] = desktop.address();
    for (const auto& [name, value] : more) {
      command.environment[name] = value;
    }
    command.input = input;
    ProcessResult result = run_process(command);
    CHECK_THAT(result.output_text + result.error_text, !ContainsSubstring(k_key));
    return result;
  }

  ProcessResult set(const std::string& provider, const Words& options = {}) const {
    Words words = {"keys", "set", provider, "--stdin", "--json"};
    words.insert(words.end(), options.begin(), options.end());
    return call(words, k_key);
  }

  ProcessResult run() const {
    workspace.write("rows.csv", csv_of_rows(2));
    return call({"run",
                 "rows.csv",
                 "-m",
                 "openai/gpt-4o-mini",
                 "-p",
                 "{text}",
                 "-o",
                 "out.csv",
                 "--overwrite"});
  }

  bool has_file() const { return workspace.has("data/batchllm/keys.json"); }

  // "PLACE PLACE …" of the provider's keys, the one that is used first; "-PLACE" for the others.
  std::string places(const std::string& provider = "openai") const {
    const auto list = call({"keys", "list", "--json"});
    CHECK(list.exit_code == 0);
    std::string found;
    const auto document = batchllm::parse_json_document(list.output_text);
    REQUIRE(document);
    for (const auto& key : document->find("keys")->items()) {
      if (key.find_string("provider") == provider) {
        found += found.empty() ? "" : " ";
        found += *key.find("is_used")->boolean() ? "" : "-";
        found += key.find_string("place").value_or("");
      }
    }
    return found;
  }
};

}  // namespace

TEST_CASE("a key goes into the keyring and comes back from it", "[e2e][secret_service]") {
  if (!are_tools_there()) {
    return;
  }
  const DesktopUser user;
  CHECK(user.run().exit_code == 6);
  const auto set = user.set("openai");
  CAPTURE(set.error_text);
  REQUIRE(set.exit_code == 0);
  CHECK(json_at(set.output_text, ".keys[0].place") == "secret_service");
  CHECK_FALSE(user.has_file());

  const auto list = user.call({"keys", "list", "--json"});
  CHECK(json_at(list.output_text, ".keys[0].masked") == "sk-…cdef");
  CHECK(user.places() == "secret_service");
  CHECK(user.call({"keys", "test"}).exit_code == 0);
  CHECK(user.run().exit_code == 0);

  CHECK(user.call({"keys", "set", "openai", "--stdin"}, k_another).exit_code == 0);
  CHECK(user.call({"keys", "test", "openai"}).exit_code == 6);  // there is one key, the new one
  CHECK(user.call({"keys", "rm", "opnai"}).exit_code == 9);
  CHECK(user.call({"keys", "rm", "openai"}).exit_code == 0);
  CHECK(user.call({"keys", "rm", "openai"}).exit_code == 9);
  CHECK(user.run().exit_code == 6);
}

TEST_CASE("a key is kept where it is, or where the user says", "[e2e][secret_service]") {
  if (!are_tools_there()) {
    return;
  }
  DesktopUser user;
  CHECK(user.set("openai", {"--store", "file"}).exit_code == 0);
  CHECK(user.places() == "key_store");
  CHECK(json_at(user.set("openai").output_text, ".keys[0].place") == "key_store");
  CHECK(user.run().exit_code == 0);

  CHECK(user.set("openai", {"--store", "secret-service"}).exit_code == 0);
  CHECK(user.places() == "secret_service -key_store");
  const auto hidden = user.set("openai", {"--store", "file"});
  CHECK_THAT(hidden.error_text, ContainsSubstring("comes first"));
  user.more["OPENAI_API_KEY"] = k_another;
  CHECK(user.places() == "environment -secret_service -key_store");
  user.more.clear();
  CHECK(user.call({"keys", "rm", "openai"}).exit_code == 0);
  CHECK(user.places().empty());
  const auto both = user.set("openai", {"--store", "secret-service", "--passphrase"});
  CHECK(both.exit_code == 2);
}

TEST_CASE("a locked keyring is told, never asked for", "[e2e][secret_service]") {
  if (!are_tools_there()) {
    return;
  }
  DesktopUser user;
  REQUIRE(user.set("openai").exit_code == 0);
  user.desktop.lock();
  const auto run = user.run();
  CHECK(run.exit_code == 6);
  CHECK_THAT(run.error_text, ContainsSubstring("locked") && ContainsSubstring("unlock"));
  const auto test = user.call({"keys", "test", "openai", "--json"});
  CHECK(test.exit_code == 6);
  const auto list = user.call({"keys", "list", "--json"});
  CHECK(list.exit_code == 0);
  CHECK(json_at(list.output_text, ".keys[0].masked") == "locked");
  CHECK(user.places() == "secret_service");
  CHECK(user.set("openai").exit_code == 6);
  CHECK(user.call({"keys", "rm", "openai"}).exit_code == 6);

  const auto other = user.set("groq");
  CHECK(json_at(other.output_text, ".keys[0].place") == "key_store");
  CHECK_THAT(other.error_text, ContainsSubstring("locked"));
  CHECK_THAT(user.call({"doctor"}).output_text,
             ContainsSubstring("Secret Service") && ContainsSubstring("locked"));
  user.more["OPENAI_API_KEY"] = k_key;
  CHECK(user.run().exit_code == 0);
}

TEST_CASE("a keyring or a bus that hangs keeps nobody waiting", "[e2e][secret_service]") {
  if (!are_tools_there()) {
    return;
  }
  DesktopUser user;
  const bool bus_hangs = GENERATE(false, true);
  CAPTURE(bus_hangs);
  REQUIRE(user.set("openai", {"--store", "file"}).exit_code == 0);
  (bus_hangs ? user.desktop.bus() : user.desktop.keyring()).send_signal(SIGSTOP);
  CHECK(user.run().exit_code == 0);
  const auto list = user.call({"keys", "list", "--json"});
  CHECK(list.exit_code == 0);
  CHECK_THAT(list.error_text, ContainsSubstring("does not answer"));
  CHECK(json_at(list.output_text, ".keys[0].place") == "key_store");
  CHECK(user.set("groq", {"--store", "secret-service"}).exit_code == 11);
  CHECK(user.call({"keys", "rm", "openai"}).exit_code == 0);
  const auto without = user.run();
  CHECK(without.exit_code == 6);
  CHECK_THAT(without.error_text, ContainsSubstring("does not answer"));
  (bus_hangs ? user.desktop.bus() : user.desktop.keyring()).send_signal(SIGCONT);
}

TEST_CASE("a job of the daemon takes its key from the keyring", "[e2e][secret_service]") {
  if (!are_tools_there()) {
    return;
  }
  DesktopUser user;
  REQUIRE(user.set("deepseek").exit_code == 0);
  DaemonProcess daemon({.program = BATCHLLM_DAEMON, .batchllm = BATCHLLM_PROGRAM, .starts = false});
  daemon.folder().write("in.csv", csv_of_rows(2));
  REQUIRE(daemon.try_start({{"DBUS_SESSION_BUS_ADDRESS", user.desktop.address()},
                            {"DEEPSEEK_BASE_URL", user.simulator.base_url()}}));
  ProcessOptions submit = daemon.command(
      {"submit", "in.csv", "-m", "deepseek/any", "-p", "{text}", "-o", "out.csv", "--wait"});
  submit.folder = daemon.folder().path();
  const auto result = run_process(submit);
  CAPTURE(result.error_text);
  CHECK(result.exit_code == 0);
}

TEST_CASE("without a session bus keys are kept in the file", "[e2e][secret_service]") {
  const Workspace workspace{BATCHLLM_PROGRAM};
  const std::string address = GENERATE("", "unix:path=/nowhere/bus", "nonsense");
  CAPTURE(address);
  const auto call = [&](const Words& words) {
    ProcessOptions command = workspace.command(words);
    command.environment["XDG_DATA_HOME"] = workspace.path("data");
    command.environment["DBUS_SESSION_BUS_ADDRESS"] = address;
    command.input = k_key;
    return run_process(command);
  };
  const auto set = call({"keys", "set", "groq", "--stdin", "--json"});
  CHECK(set.exit_code == 0);
  CHECK(json_at(set.output_text, ".keys[0].place") == "key_store");
  const auto forced = call({"keys", "set", "openai", "--stdin", "--store", "secret-service"});
  CHECK(forced.exit_code == 11);
  CHECK_THAT(forced.error_text, ContainsSubstring("Secret Service cannot be used"));
  CHECK(call({"keys", "rm", "groq"}).exit_code == 0);
}

// SPDX-License-Identifier: Apache-2.0
#include "cli/keys_command.h"

#include "adapters/job/api_key.h"
#include "adapters/job/provider_poll.h"
#include "adapters/secrets/kept_keys.h"
#include "cli/provider_name.h"
#include "cli/secret_input.h"
#include "cli/stop_signals.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/redaction.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace batchllm {
namespace {

constexpr std::string_view k_schema = "batchllm.keys/1";
constexpr std::string_view k_locked = "locked";

// A key as it may be shown.
struct ListedKey {
  std::string provider;
  std::string place;
  std::string origin;
  std::string masked;
  bool is_used = true;  // false: another place comes first
};

class KeysCommand {
 public:
  explicit KeysCommand(const CommandCall& call) : call_(call), surroundings_(call.surroundings()) {}

  int set() {
    const ProviderEntry& entry = named();
    Secret key = entered_key(entry);
    const std::string clean = checked_key(key.reveal(), "what was entered");
    remember_secret(clean);
    secrets::KeyStore store = open_store(true);
    store.put(entry.name, Secret(clean), call_.reader().flag("keys.passphrase"));
    const std::string masked = secrets::masked_key(clean);
    call_.ui.messages().note(fmt::format("The key of {} is stored ({})", entry.name, masked));
    warn_if_hidden(entry, KeyPlace::store);
    answer(
        {{entry.name, std::string(key_place_name(KeyPlace::store)), store.file(), masked, true}});
    return 0;
  }

  int list() {
    const std::vector<ListedKey> keys = listed();
    if (call_.ui.json()) {
      answer(keys);
      return 0;
    }
    constexpr std::string_view k_line = "{:<20} {:<12} {}\n";
    std::string out = fmt::format(k_line, "PROVIDER", "KEY", "FROM");
    for (const ListedKey& key : keys) {
      out += fmt::format(k_line,
                         one_line(key.provider, 20),
                         key.masked,
                         printable(key.origin) + (key.is_used ? "" : " (another comes first)"));
    }
    call_.ui.out(out);
    if (keys.empty()) {
      call_.ui.messages().note("No provider has a key: batchllm keys set PROVIDER");
    }
    return 0;
  }

  int remove() {
    const std::string& name = call_.line.arguments.front();
    secrets::KeyStore store = open_store(false);
    if (!store.remove(name)) {
      const auto names = store.providers();
      const auto near = nearest_name(name, names);
      throw Error(ErrorCode::key_not_found,
                  fmt::format("the key store has no key of {}", one_line(name, 60)),
                  near ? fmt::format("did you mean {}?", *near)
                       : "batchllm keys list shows where keys come from");
    }
    call_.ui.messages().note(fmt::format("The key of {} is removed", one_line(name, 60)));
    if (const ProviderEntry* entry = surroundings_.models.find_provider(name)) {
      warn_if_hidden(*entry, std::nullopt);
    }
    answer({});
    return 0;
  }

  int test() {
    std::stop_source stop;
    const StopSignals signals(stop);
    ProviderPollSettings settings;
    settings.ca_file = call_.reader().text("run.ca_file");
    settings.only_checks_key = true;
    settings.stop = stop.get_token();
    const auto polled = poll_providers(tested_providers(), surroundings_, settings);
    if (stop.stop_requested()) {
      throw Error(signals.error_code(), "interrupted");
    }
    int code = 0;
    for (const PolledProvider& provider : polled) {
      // What is refused outweighs what may pass.
      const int its = exit_code_of(provider);
      code = code == 0 ? its : its == 0 ? code : std::min(code, its);
    }
    tell(polled, code);
    return code;
  }

 private:
  const ProviderEntry& named() const {
    return provider_named(surroundings_.models, call_.line.arguments.front());
  }

  secrets::KeyStore open_store(bool asks) const {
    return secrets::open_key_store(
        call_.ui.directories(),
        call_.environment,
        asks ? passphrase_from_terminal(call_.line, call_.environment) : secrets::AskPassphrase());
  }

  Secret entered_key(const ProviderEntry& entry) const {
    if (call_.reader().flag("keys.stdin")) {
      return read_secret_from_stdin();
    }
    std::optional<Secret> key;
    if (!call_.ui.options().no_input && call_.ui.terminal().input_is_terminal) {
      key = ask_secret(fmt::format("API key of {} (not shown):", entry.title));
    }
    if (!key) {
      throw Error(ErrorCode::declined,
                  fmt::format("nobody can be asked for the key of {}", entry.title),
                  fmt::format("pipe it in: batchllm keys set {} --stdin < FILE", entry.name));
    }
    return *std::move(key);
  }

  // What a run would use; a locked store is not opened for it.
  std::optional<FoundKey> used_key(const ProviderEntry& entry) const {
    std::vector<std::string> looked_in;
    const auto kept = secrets::kept_keys(call_.ui.directories(), call_.environment, {});
    return look_for_key(entry, {}, call_.environment, kept, looked_in);
  }

  void warn_if_hidden(const ProviderEntry& entry, std::optional<KeyPlace> place) const {
    try {
      const auto used = used_key(entry);
      if (used && used->place != place) {
        call_.ui.messages().warning(
            fmt::format("{} has a key of this provider too, and comes first", used->origin));
      }
    } catch (const Error&) {  // a run says what is wrong there
    }
  }

  ListedKey listed_key(const ProviderEntry& entry, const secrets::KeyStore& store) const {
    const std::string in_store(key_place_name(KeyPlace::store));
    try {
      if (const auto used = used_key(entry)) {
        return {entry.name,
                std::string(key_place_name(used->place)),
                used->origin,
                secrets::masked_key(used->key),
                true};
      }
    } catch (const Error& error) {
      const bool is_locked = error.code() == ErrorCode::vault_unreadable && store.has(entry.name);
      return {entry.name,
              is_locked ? in_store : "",
              is_locked && store.has_passphrase() ? "the key store" : error.message(),
              std::string(is_locked && store.has_passphrase() ? k_locked : "unusable"),
              true};
    }
    return {};
  }

  std::vector<ListedKey> listed() const {
    const secrets::KeyStore store = open_store(false);
    const std::string in_store(key_place_name(KeyPlace::store));
    std::vector<ListedKey> keys;
    for (const ProviderEntry& entry : surroundings_.models.providers()) {
      ListedKey key = listed_key(entry, store);
      const bool has_other = !key.provider.empty() && key.place != in_store;
      if (!key.provider.empty()) {
        keys.push_back(std::move(key));
      }
      if (has_other && store.has(entry.name)) {
        keys.push_back({entry.name, in_store, "the key store", "…", false});
      }
    }
    for (const std::string& provider : store.providers()) {
      if (surroundings_.models.find_provider(provider) == nullptr) {
        keys.push_back({provider, in_store, "the key store", "…", false});
      }
    }
    return keys;
  }

  // Without a name: every one that has a key.
  std::vector<const ProviderEntry*> tested_providers() const {
    if (!call_.line.arguments.empty()) {
      const ProviderEntry& entry = named();
      // A server on this machine needs none; asked for by name it is asked all the same.
      return {&entry};
    }
    std::vector<const ProviderEntry*> providers;
    for (const ProviderEntry& entry : surroundings_.models.providers()) {
      std::vector<std::string> looked_in;
      if (look_for_key(entry, {}, surroundings_.environment, surroundings_.kept_keys, looked_in)) {
        providers.push_back(&entry);
      }
    }
    if (providers.empty()) {
      throw Error(
          ErrorCode::key_missing, "no provider has a key", "batchllm keys set PROVIDER stores one");
    }
    return providers;
  }

  static int exit_code_of(const PolledProvider& provider) {
    if (provider.state != PollState::asked) {
      return error_kind(provider.state == PollState::no_key ? ErrorCode::key_missing
                                                            : ErrorCode::usage)
          .exit_code;
    }
    switch (provider.listing.end) {
      case ListingEnd::ok:
      case ListingEnd::no_list:
        return 0;
      case ListingEnd::refused:
        return error_kind(ErrorCode::key_refused).exit_code;
      default:
        return error_kind(ErrorCode::provider_unreachable).exit_code;
    }
  }

  static std::string_view state_of(const PolledProvider& provider) {
    if (provider.state != PollState::asked) {
      return provider.state == PollState::no_key ? "no_key" : "no_address";
    }
    switch (provider.listing.end) {
      case ListingEnd::ok:
        return "ok";
      case ListingEnd::no_list:
        return "not_tested";
      case ListingEnd::refused:
        return "refused";
      default:
        return "unreachable";
    }
  }

  void tell(const std::vector<PolledProvider>& polled, int code) const {
    JsonWriter json;
    json.begin_object().key("schema").string(k_schema).key("tested").begin_array();
    std::string out;
    for (const PolledProvider& provider : polled) {
      const std::string& why =
          provider.state == PollState::asked ? provider.listing.message : provider.why;
      json.begin_object().key("provider").string(provider.entry->name);
      json.key("state").string(state_of(provider));
      json.key("latency_ms").number(provider.listing.latency_ms);
      json.key("message").string(as_utf8(redacted(why))).end_object();
      out += fmt::format("{:<20} {:<12} {}\n",
                         one_line(provider.entry->name, 20),
                         state_of(provider),
                         why.empty() ? fmt::format("{} ms", provider.listing.latency_ms)
                                     : one_line(redacted(why), 200));
    }
    json.end_array().key("exit_code").number(code).end_object();
    call_.ui.out(call_.ui.json() ? json.text() + "\n" : out);
  }

  void answer(const std::vector<ListedKey>& keys) const {
    if (!call_.ui.json()) {
      return;
    }
    JsonWriter json;
    json.begin_object().key("schema").string(k_schema).key("keys").begin_array();
    for (const ListedKey& key : keys) {
      json.begin_object().key("provider").string(as_utf8(key.provider));
      json.key("place").string(key.place).key("origin").string(as_utf8(key.origin));
      json.key("masked").string(key.masked).key("is_used").boolean(key.is_used).end_object();
    }
    call_.ui.out(json.end_array().end_object().text() + "\n");
  }

  const CommandCall& call_;
  JobSurroundings surroundings_;
};

}  // namespace

int keys_command(const CommandCall& call) {
  KeysCommand command(call);
  switch (call.command()) {
    case Command::keys_set:
      return command.set();
    case Command::keys_rm:
      return command.remove();
    case Command::keys_test:
      return command.test();
    default:
      return command.list();
  }
}

}  // namespace batchllm

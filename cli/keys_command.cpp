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
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace batchllm {
namespace {

using secrets::KeptIn;

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
  explicit KeysCommand(const CommandCall& call)
      : call_(call),
        surroundings_(call.surroundings()),
        service_(std::make_shared<secrets::SecretService>(call.environment)),
        kept_(secrets::kept_keys(call.ui.directories(), call.environment, {}, service_)) {}

  int set() {
    const ProviderEntry& entry = named();
    const KeptIn place = place_for(entry.name);
    Secret key = entered_key(entry);
    const std::string clean = checked_key(key.reveal(), "what was entered");
    remember_secret(clean);
    const std::string origin = put(entry.name, Secret(clean), place);
    const std::string masked = secrets::masked_key(clean);
    call_.ui.messages().note(fmt::format(
        "The key of {} is stored in {} ({})", entry.name, secrets::kept_in_name(place), masked));
    warn_if_hidden(entry, key_place_of(place));
    answer({{entry.name, document_name(place), origin, masked, true}});
    return 0;
  }

  int list() {
    const std::vector<ListedKey> keys = listed();
    const auto health = service_->health();
    if (health.state == secrets::ServiceState::failing) {
      call_.ui.messages().warning(health.why);
    }
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
    if (!remove_everywhere(name, store)) {
      auto names = store.providers();
      const auto more = providers_of_service();
      names.insert(names.end(), more.begin(), more.end());
      const auto near = nearest_name(name, names);
      throw Error(ErrorCode::key_not_found,
                  fmt::format("no key of {} is stored", one_line(name, 60)),
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

  // Where a new key goes: where an option says, else where the provider's key is now, else into a
  // keyring that takes it.
  KeptIn place_for(const std::string& provider) const {
    const std::string wanted = call_.reader().text("keys.store");
    const bool with_passphrase = call_.reader().flag("keys.passphrase");
    if (wanted == "secret-service" && with_passphrase) {
      throw Error(ErrorCode::usage,
                  "--passphrase seals the key store, not the Secret Service",
                  "leave out --passphrase, or say --store file");
    }
    if (wanted == "file" || with_passphrase) {
      return KeptIn::key_store;
    }
    if (wanted == "secret-service") {
      return KeptIn::secret_service;
    }
    const auto health = service_->health();
    if (health.state != secrets::ServiceState::failing && service_->has(provider)) {
      return KeptIn::secret_service;
    }
    if (health.state == secrets::ServiceState::usable && !open_store(false).has(provider)) {
      return KeptIn::secret_service;
    }
    if (health.state == secrets::ServiceState::locked ||
        health.state == secrets::ServiceState::failing) {
      call_.ui.messages().note(fmt::format("The Secret Service is not used: {}", health.why));
    }
    return KeptIn::key_store;
  }

  // Returns where exactly it is now.
  std::string put(const std::string& provider, const Secret& key, KeptIn place) const {
    if (place == KeptIn::secret_service) {
      service_->put(provider, key);
      return std::string(secrets::kept_in_name(place));
    }
    secrets::KeyStore store = open_store(true);
    store.put(provider, key, call_.reader().flag("keys.passphrase"));
    return store.file();
  }

  bool remove_everywhere(const std::string& provider, secrets::KeyStore& store) const {
    std::optional<Error> failure;
    bool is_removed = false;
    try {
      is_removed = service_->remove(provider);
    } catch (const Error& error) {
      failure = error;
    }
    is_removed = store.remove(provider) || is_removed;
    if (failure && !is_removed) {
      throw Error(*failure);
    }
    if (failure) {
      call_.ui.messages().warning(failure->message());
    }
    return is_removed;
  }

  // What a run would use; a locked store is not opened for it.
  std::optional<FoundKey> used_key(const ProviderEntry& entry) const {
    std::vector<std::string> looked_in;
    return look_for_key(entry, {}, call_.environment, kept_, looked_in);
  }

  static std::string document_name(KeptIn place) {
    return std::string(key_place_name(key_place_of(place)));
  }

  // As if it were absent when it fails: who lists keys is told that once.
  std::vector<std::string> providers_of_service() const {
    try {
      return service_->providers();
    } catch (const Error&) {
      return {};
    }
  }

  bool is_kept(const std::string& provider, KeptIn place, const secrets::KeyStore& store) const {
    try {
      return place == KeptIn::key_store ? store.has(provider) : service_->has(provider);
    } catch (const Error&) {
      return false;
    }
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
    try {
      if (const auto used = used_key(entry)) {
        return {entry.name,
                std::string(key_place_name(used->place)),
                used->origin,
                secrets::masked_key(used->key),
                true};
      }
    } catch (const Error& error) {
      const KeptIn place = is_kept(entry.name, KeptIn::secret_service, store)
                               ? KeptIn::secret_service
                               : KeptIn::key_store;
      if (error.code() == ErrorCode::key_store_locked) {
        return {entry.name,
                document_name(place),
                std::string(secrets::kept_in_name(place)),
                std::string(k_locked),
                true};
      }
      return {entry.name,
              error.code() == ErrorCode::vault_unreadable ? document_name(KeptIn::key_store) : "",
              error.message(),
              "unusable",
              true};
    }
    return {};
  }

  // One that a run does not use.
  static ListedKey idle_key(const std::string& provider, KeptIn place) {
    return {provider, document_name(place), std::string(secrets::kept_in_name(place)), "…", false};
  }

  std::vector<ListedKey> listed() const {
    const secrets::KeyStore store = open_store(false);
    std::vector<ListedKey> keys;
    for (const ProviderEntry& entry : surroundings_.models.providers()) {
      const ListedKey key = listed_key(entry, store);
      if (key.provider.empty()) {
        continue;
      }
      keys.push_back(key);
      for (const KeptIn place : {KeptIn::secret_service, KeptIn::key_store}) {
        if (key.place != document_name(place) && is_kept(entry.name, place, store)) {
          keys.push_back(idle_key(entry.name, place));
        }
      }
    }
    const auto add_unknown = [&](const std::vector<std::string>& names, KeptIn place) {
      for (const std::string& provider : names) {
        if (surroundings_.models.find_provider(provider) == nullptr) {
          keys.push_back(idle_key(provider, place));
        }
      }
    };
    add_unknown(providers_of_service(), KeptIn::secret_service);
    add_unknown(store.providers(), KeptIn::key_store);
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
      return error_kind(provider.state == PollState::no_key ? provider.code : ErrorCode::usage)
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
  std::shared_ptr<secrets::SecretService> service_;  // with `kept_`: see kept_keys
  secrets::FindKeptKey kept_;
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

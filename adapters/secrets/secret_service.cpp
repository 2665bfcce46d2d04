// SPDX-License-Identifier: Apache-2.0
#include "adapters/secrets/secret_service.h"

#include "adapters/secrets/session_bus.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>

namespace batchllm::secrets {
namespace {

constexpr const char* k_name = "org.freedesktop.secrets";
constexpr const char* k_path = "/org/freedesktop/secrets";
constexpr const char* k_service = "org.freedesktop.Secret.Service";
constexpr const char* k_collection = "org.freedesktop.Secret.Collection";
constexpr const char* k_item = "org.freedesktop.Secret.Item";
constexpr const char* k_label_property = "org.freedesktop.Secret.Item.Label";
constexpr const char* k_attributes_property = "org.freedesktop.Secret.Item.Attributes";
constexpr const char* k_nothing = "/";  // the path that stands for none

// The attributes of an item.
constexpr const char* k_application = "application";
constexpr const char* k_batchllm = "batchllm";
constexpr const char* k_provider = "provider";

constexpr std::size_t k_most_items = 1000;
constexpr std::size_t k_longest_secret = std::size_t{64} << 10;

constexpr std::string_view k_how_to_unlock =
    "unlock the keyring (log in to the desktop, or open it in its program)";

// Empty: there is no bus.
std::string bus_address(const EnvironmentLookup& environment) {
  if (const auto address = environment("DBUS_SESSION_BUS_ADDRESS"); address && !address->empty()) {
    return *address;
  }
  const std::string socket = environment("XDG_RUNTIME_DIR").value_or("") + "/bus";
  std::error_code error;
  return socket != "/bus" && std::filesystem::is_socket(socket, error)
             ? "unix:path=" + percent_encoded(socket)
             : std::string();
}

std::string path_in(const BusMessage& message) {
  const char* path = nullptr;
  checked_message(sd_bus_library()->message_read(message.get(), "o", &path));
  return path == nullptr ? k_nothing : path;
}

std::vector<std::string> paths_in(const BusMessage& message) {
  const SdBusLibrary& sd = *sd_bus_library();
  std::vector<std::string> paths;
  checked_message(sd.message_enter_container(message.get(), 'a', "o"));
  const char* path = nullptr;
  while (checked_message(sd.message_read(message.get(), "o", &path)) > 0) {
    if (paths.size() < k_most_items) {
      paths.emplace_back(path);
    }
  }
  checked_message(sd.message_exit_container(message.get()));
  return paths;
}

// The items of a search.
struct FoundItems {
  std::vector<std::string> open;
  std::vector<std::string> locked;
};

}  // namespace

// What is asked of a service that is there.
class SecretService::Session {
 public:
  explicit Session(SessionBus bus) : bus_(std::move(bus)) {}

  // Without a provider: those of all.
  FoundItems search(const std::string* provider) {
    const BusMessage request = bus_.request(k_path, k_service, "SearchItems");
    checked_message(provider == nullptr
                        ? sd_.message_append(request.get(), "a{ss}", 1, k_application, k_batchllm)
                        : sd_.message_append(request.get(),
                                             "a{ss}",
                                             2,
                                             k_application,
                                             k_batchllm,
                                             k_provider,
                                             provider->c_str()));
    const BusMessage reply = bus_.call(request);
    FoundItems found;
    found.open = paths_in(reply);
    found.locked = paths_in(reply);
    return found;
  }

  std::string provider_of(const std::string& item) {
    const BusMessage reply = property(item, k_item, "Attributes");
    checked_message(sd_.message_enter_container(reply.get(), 'v', "a{ss}"));
    checked_message(sd_.message_enter_container(reply.get(), 'a', "{ss}"));
    std::string provider;
    while (checked_message(sd_.message_enter_container(reply.get(), 'e', "ss")) > 0) {
      const char* name = nullptr;
      const char* value = nullptr;
      checked_message(sd_.message_read(reply.get(), "ss", &name, &value));
      if (std::string_view(name) == k_provider) {
        provider = value;
      }
      checked_message(sd_.message_exit_container(reply.get()));
    }
    return provider;
  }

  Secret secret_of(const std::string& item) {
    const BusMessage request = bus_.request(item, k_item, "GetSecret");
    checked_message(sd_.message_append(request.get(), "o", opened_session().c_str()));
    const BusMessage reply = bus_.call(request);
    checked_message(sd_.message_sensitive(reply.get()));
    checked_message(sd_.message_enter_container(reply.get(), 'r', "oayays"));
    checked_message(sd_.message_skip(reply.get(), "oay"));
    const void* bytes = nullptr;
    std::size_t size = 0;
    checked_message(sd_.message_read_array(reply.get(), 'y', &bytes, &size));
    if (size > k_longest_secret) {
      throw Error(ErrorCode::vault_unreadable,
                  "the Secret Service holds what is too long for a key");
    }
    return Secret({static_cast<const char*>(bytes), size});
  }

  void change(const std::string& item, const Secret& key) {
    const BusMessage request = bus_.request(item, k_item, "SetSecret");
    append_secret(request, key);
    bus_.call(request);
  }

  void create(const std::string& provider, const Secret& key) {
    const std::string collection = default_collection();
    if (collection.empty()) {
      throw Error(ErrorCode::key_store_locked,
                  "the Secret Service has no keyring to put keys into");
    }
    const BusMessage request = bus_.request(collection, k_collection, "CreateItem");
    checked_message(sd_.message_append(request.get(),
                                       "a{sv}",
                                       2,
                                       k_label_property,
                                       "s",
                                       fmt::format("API key of {} (batchllm)", provider).c_str(),
                                       k_attributes_property,
                                       "a{ss}",
                                       2,
                                       k_application,
                                       k_batchllm,
                                       k_provider,
                                       provider.c_str()));
    append_secret(request, key);
    checked_message(sd_.message_append(request.get(), "b", 1));  // replaces one that came meanwhile
    const BusMessage reply = bus_.call(request);
    static_cast<void>(path_in(reply));
    refuse_prompt(path_in(reply));
  }

  void erase(const std::string& item) {
    const BusMessage reply = bus_.call(bus_.request(item, k_item, "Delete"));
    refuse_prompt(path_in(reply));
  }

  // Empty: there is none.
  std::string default_collection() {
    const BusMessage request = bus_.request(k_path, k_service, "ReadAlias");
    checked_message(sd_.message_append(request.get(), "s", "default"));
    const std::string path = path_in(bus_.call(request));
    return path == k_nothing ? std::string() : path;
  }

  bool is_locked(const std::string& collection) {
    const BusMessage reply = property(collection, k_collection, "Locked");
    checked_message(sd_.message_enter_container(reply.get(), 'v', "b"));
    int locked = 0;
    checked_message(sd_.message_read(reply.get(), "b", &locked));
    return locked != 0;
  }

 private:
  BusMessage property(const std::string& object, const char* interface, const char* name) {
    const BusMessage request = bus_.request(object, "org.freedesktop.DBus.Properties", "Get");
    checked_message(sd_.message_append(request.get(), "ss", interface, name));
    return bus_.call(request);
  }

  // Secrets go over the user's own socket as they are: who can listen there can ask for them too.
  const std::string& opened_session() {
    if (session_.empty()) {
      const BusMessage request = bus_.request(k_path, k_service, "OpenSession");
      checked_message(sd_.message_append(request.get(), "sv", "plain", "s", ""));
      const BusMessage reply = bus_.call(request);
      checked_message(sd_.message_skip(reply.get(), "v"));
      session_ = path_in(reply);
    }
    return session_;
  }

  void append_secret(const BusMessage& request, const Secret& key) {
    const std::string& session = opened_session();
    const std::string_view bytes = key.reveal();
    checked_message(sd_.message_sensitive(request.get()));
    checked_message(sd_.message_open_container(request.get(), 'r', "oayays"));
    checked_message(sd_.message_append(request.get(), "o", session.c_str()));
    checked_message(sd_.message_append_array(request.get(), 'y', nullptr, 0));
    checked_message(sd_.message_append_array(request.get(), 'y', bytes.data(), bytes.size()));
    checked_message(sd_.message_append(request.get(), "s", "text/plain"));
    checked_message(sd_.message_close_container(request.get()));
  }

  void refuse_prompt(const std::string& prompt) {
    if (prompt != k_nothing) {
      bus_.call(bus_.request(prompt, "org.freedesktop.Secret.Prompt", "Dismiss"));
      throw Error(ErrorCode::key_store_locked,
                  "the Secret Service wants to ask its user first",
                  "do it in the keyring's own program");
    }
  }

  const SdBusLibrary& sd_ = *sd_bus_library();
  SessionBus bus_;
  std::string session_;
};

SecretService::SecretService(EnvironmentLookup environment)
    : environment_(std::move(environment)) {}

SecretService::~SecretService() = default;

SecretService::Session* SecretService::session() {
  if (silence_) {
    throw Error(*silence_);
  }
  if (session_ != nullptr || !why_absent_.empty()) {
    return session_.get();
  }
  const std::string address = bus_address(environment_);
  if (address.empty()) {
    why_absent_ = "no session bus here";
  } else if (sd_bus_library() == nullptr) {
    why_absent_ = "this machine has no libsystemd, which speaks to the session bus";
  } else {
    try {
      auto bus = SessionBus::connect(address, k_name);
      if (bus) {
        session_ = std::make_unique<Session>(*std::move(bus));
      } else {
        why_absent_ = bus.error().message;
      }
    } catch (const Error& error) {
      silence_ = error;
      throw;
    }
  }
  return session_.get();
}

ServiceHealth SecretService::health() {
  try {
    Session* there = session();
    if (there == nullptr) {
      return {ServiceState::absent, why_absent_, {}};
    }
    const std::string collection = there->default_collection();
    if (collection.empty()) {
      return {
          ServiceState::locked, "it has no default keyring", "make one in the keyring's program"};
    }
    if (there->is_locked(collection)) {
      return {ServiceState::locked, "its default keyring is locked", std::string(k_how_to_unlock)};
    }
    return {};
  } catch (const Error& error) {
    return {ServiceState::failing, error.message(), error.hint()};
  }
}

std::vector<std::string> SecretService::providers() {
  std::vector<std::string> names;
  if (Session* there = session(); there != nullptr) {
    for (const std::string& item : there->search(nullptr).open) {
      if (std::string name = there->provider_of(item); !name.empty()) {
        names.push_back(std::move(name));
      }
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::optional<std::string> SecretService::item_of(const std::string& provider) {
  Session* there = is_utf8(provider) ? session() : nullptr;
  if (there == nullptr) {
    return std::nullopt;
  }
  const FoundItems found = there->search(&provider);
  if (!found.open.empty()) {
    return found.open.front();
  }
  if (found.locked.empty()) {
    return std::nullopt;
  }
  throw Error(ErrorCode::key_store_locked,
              fmt::format("the key of {} is in the Secret Service, which is locked",
                          one_line(provider, 60)),
              std::string(k_how_to_unlock));
}

bool SecretService::has(const std::string& provider) {
  try {
    return item_of(provider).has_value();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::key_store_locked) {
      throw;
    }
    return true;
  }
}

std::optional<Secret> SecretService::find(const std::string& provider) {
  const auto item = item_of(provider);
  return item ? std::optional(session_->secret_of(*item)) : std::nullopt;
}

void SecretService::put(const std::string& provider, const Secret& key) {
  if (session() == nullptr) {
    throw Error(ErrorCode::vault_unreadable,
                fmt::format("the Secret Service cannot be used: {}", why_absent_),
                "batchllm keys set PROVIDER --store file keeps keys in a file of its own");
  }
  if (const auto item = item_of(provider)) {
    session_->change(*item, key);
  } else {
    session_->create(provider, key);
  }
}

bool SecretService::remove(const std::string& provider) {
  if (!item_of(provider)) {
    return false;
  }
  // Somebody else may have stored another one under the same attributes.
  for (const std::string& item : session_->search(&provider).open) {
    session_->erase(item);
  }
  return true;
}

}  // namespace batchllm::secrets

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/config_layers.h"
#include "core/error.h"
#include "core/secret.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace batchllm::secrets {

enum class ServiceState : std::uint8_t {
  usable,
  absent,   // no session bus, or nobody there who keeps secrets
  locked,   // it is there, but takes no key before its user opens it
  failing,  // it does not answer, or not as it should
};

struct ServiceHealth {
  ServiceState state = ServiceState::usable;
  std::string why;   // for people; empty when usable
  std::string hint;  // what helps; may be empty
};

// The keys of providers that the user's keyring keeps (GNOME Keyring, KWallet, KeePassXC): items
// with the attributes application=batchllm and provider=NAME, by the D-Bus API of
// specifications.freedesktop.org/secret-service. It is never asked to prompt: what is locked stays
// so. Nothing is sent before the first question; each call waits for a few seconds at most, and
// who was silent once is not asked again. Not thread-safe.
//
// All but health() throw Error(vault_unreadable) when it is failing, and Error(key_store_locked)
// for a key that is locked.
class SecretService {
 public:
  // `environment`: DBUS_SESSION_BUS_ADDRESS, else the socket `bus` in XDG_RUNTIME_DIR.
  explicit SecretService(EnvironmentLookup environment);
  ~SecretService();
  SecretService(const SecretService&) = delete;
  SecretService& operator=(const SecretService&) = delete;

  // Whether a new key can be put into it.
  ServiceHealth health();

  // Whether somebody answered; false before the first question.
  bool is_there() const noexcept { return session_ != nullptr; }

  // Those whose key is not locked, in alphabetical order; none when it is absent.
  std::vector<std::string> providers();

  // Whether it keeps a key of the provider, locked or not.
  bool has(const std::string& provider);

  // nullopt: it has none, or is absent.
  std::optional<Secret> find(const std::string& provider);

  // Stores or replaces a key. Throws Error(vault_unreadable) also when it is absent.
  void put(const std::string& provider, const Secret& key);

  // False when there was none.
  bool remove(const std::string& provider);

 private:
  class Session;

  // nullptr when it is absent, which why_absent_ explains then.
  Session* session();

  // What the service calls the provider's key; nullopt: it has none.
  std::optional<std::string> item_of(const std::string& provider);

  EnvironmentLookup environment_;
  std::unique_ptr<Session> session_;
  std::string why_absent_;        // empty: not tried yet, or there
  std::optional<Error> silence_;  // of a bus that did not even let us in
};

}  // namespace batchllm::secrets

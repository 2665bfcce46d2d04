// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/secrets/sd_bus_library.h"
#include "core/result.h"

#include <cstdint>
#include <memory>
#include <string>

namespace batchllm::secrets {

struct UnrefMessage {
  void operator()(sd_bus_message* message) const noexcept;
};

using BusMessage = std::unique_ptr<sd_bus_message, UnrefMessage>;

// A connection to the user's D-Bus (sd-bus of libsystemd): no threads, nothing asked of anybody but
// by the functions here, each of which ends within the patience below. Not thread-safe.
class SessionBus {
 public:
  static constexpr int k_patience_s = 5;

  // Connects, and has the owner of the name `service` started unless it is there. The failure says
  // why there is none. Throws Error(vault_unreadable) when nobody answers in time.
  static Result<SessionBus> connect(const std::string& address, const char* service);

  BusMessage request(const std::string& path, const char* interface, const char* member) const;

  // The service's answer. Throws Error(key_store_locked) when that is the reason, else
  // Error(vault_unreadable). Who did not answer in time is not asked again.
  BusMessage call(const BusMessage& request);

 private:
  struct Close {
    void operator()(sd_bus* bus) const noexcept;
  };

  explicit SessionBus(const char* service) : service_(service) {}

  Result<bool> start(const std::string& address);
  bool has_service();

  // A question to the bus itself, about the service; nullptr when it refuses.
  BusMessage ask_bus(const char* member, const char* types, std::uint32_t flags);

  std::unique_ptr<sd_bus, Close> bus_;  // none: it was closed after a silence
  const char* service_;
};

// What cannot be when a message is written or read. Throws Error(vault_unreadable) for a negative
// result of sd-bus.
int checked_message(int result);

}  // namespace batchllm::secrets

// SPDX-License-Identifier: Apache-2.0
#include "adapters/secrets/session_bus.h"

#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <system_error>
#include <utility>

namespace batchllm::secrets {
namespace {

constexpr std::uint64_t k_patience_us = std::uint64_t{SessionBus::k_patience_s} * 1'000'000;

std::string text_of(int negative_errno) {
  return std::generic_category().message(-negative_errno);
}

[[noreturn]] void tell_silence() {
  throw Error(ErrorCode::vault_unreadable,
              fmt::format("the Secret Service does not answer within {} s",
                          static_cast<int>(SessionBus::k_patience_s)),
              "restart it, or keep keys in the file: batchllm keys set PROVIDER --store file");
}

// The error of a call, which frees itself.
class CallError {
 public:
  CallError() = default;

  ~CallError() { sd_bus_library()->error_free(&error_); }

  CallError(const CallError&) = delete;
  CallError& operator=(const CallError&) = delete;

  sd_bus_error* out() noexcept { return &error_; }

  std::string_view name() const noexcept { return error_.name == nullptr ? "" : error_.name; }

  std::string text(int result) const {
    return one_line(error_.message == nullptr ? text_of(result) : error_.message, 200);
  }

  // A silent service may also be told of by the bus.
  bool is_silence(int result) const noexcept {
    return result == -ETIMEDOUT || name() == "org.freedesktop.DBus.Error.NoReply" ||
           name() == "org.freedesktop.DBus.Error.Timeout";
  }

 private:
  sd_bus_error error_{};
};

}  // namespace

void UnrefMessage::operator()(sd_bus_message* message) const noexcept {
  sd_bus_library()->message_unref(message);
}

void SessionBus::Close::operator()(sd_bus* bus) const noexcept {
  sd_bus_library()->bus_close_unref(bus);
}

int checked_message(int result) {
  if (result < 0) {
    throw Error(ErrorCode::vault_unreadable,
                fmt::format("the Secret Service answers what cannot be: {}", text_of(result)));
  }
  return result;
}

Result<SessionBus> SessionBus::connect(const std::string& address, const char* service) {
  SessionBus bus(service);
  if (const auto started = bus.start(address); !started) {
    return started.error();
  }
  if (!bus.has_service()) {
    return Failure{"no keyring serves the session bus"};
  }
  return bus;
}

Result<bool> SessionBus::start(const std::string& address) {
  const SdBusLibrary& sd = *sd_bus_library();
  sd_bus* made = nullptr;
  int result = sd.bus_new(&made);
  bus_.reset(made);
  if (result >= 0) {
    result = sd.bus_set_address(made, address.c_str());
  }
  if (result >= 0) {
    result = sd.bus_set_bus_client(made, 1);
  }
  if (result >= 0) {
    result = sd.bus_start(made);
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(k_patience_us);
  while (result >= 0 && sd.bus_is_ready(made) <= 0) {
    result = sd.bus_process(made, nullptr);
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(
        end - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      tell_silence();
    }
    if (result == 0) {
      result = sd.bus_wait(made, static_cast<std::uint64_t>(left.count()));
      result = result == -EINTR ? 0 : result;
    }
  }
  if (result < 0) {
    return Failure{fmt::format("the session bus cannot be reached: {}", text_of(result))};
  }
  return true;
}

BusMessage SessionBus::ask_bus(const char* member, const char* types, std::uint32_t flags) {
  const SdBusLibrary& sd = *sd_bus_library();
  sd_bus_message* made = nullptr;
  checked_message(sd.message_new_method_call(bus_.get(),
                                             &made,
                                             "org.freedesktop.DBus",
                                             "/org/freedesktop/DBus",
                                             "org.freedesktop.DBus",
                                             member));
  const BusMessage request(made);
  // Of the last argument nothing is read where `types` does not name it.
  checked_message(sd.message_append(made, types, service_, flags));
  CallError error;
  sd_bus_message* reply = nullptr;
  const int result = sd.bus_call(bus_.get(), made, k_patience_us, error.out(), &reply);
  if (error.is_silence(result)) {
    tell_silence();
  }
  return BusMessage(result < 0 ? nullptr : reply);
}

bool SessionBus::has_service() {
  // A bus starts those only that it has a file of; others are there or not.
  const BusMessage reply = ask_bus("NameHasOwner", "s", 0);
  int has_owner = 0;
  if (reply != nullptr) {
    checked_message(sd_bus_library()->message_read(reply.get(), "b", &has_owner));
  }
  return has_owner != 0 || ask_bus("StartServiceByName", "su", 0) != nullptr;
}

BusMessage SessionBus::request(const std::string& path,
                               const char* interface,
                               const char* member) const {
  if (bus_ == nullptr) {
    tell_silence();
  }
  sd_bus_message* made = nullptr;
  checked_message(sd_bus_library()->message_new_method_call(
      bus_.get(), &made, service_, path.c_str(), interface, member));
  return BusMessage(made);
}

BusMessage SessionBus::call(const BusMessage& request) {
  CallError error;
  sd_bus_message* reply = nullptr;
  const int result =
      sd_bus_library()->bus_call(bus_.get(), request.get(), k_patience_us, error.out(), &reply);
  BusMessage answer(reply);
  if (result >= 0) {
    return answer;
  }
  if (error.is_silence(result)) {
    bus_.reset();
    tell_silence();
  }
  if (error.name() == "org.freedesktop.Secret.Error.IsLocked") {
    throw Error(ErrorCode::key_store_locked, "the Secret Service is locked");
  }
  throw Error(ErrorCode::vault_unreadable,
              fmt::format("the Secret Service refuses: {}", error.text(result)));
}

}  // namespace batchllm::secrets

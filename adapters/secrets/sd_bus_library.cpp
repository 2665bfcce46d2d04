// SPDX-License-Identifier: Apache-2.0
#include "adapters/secrets/sd_bus_library.h"

#include <dlfcn.h>

#include <optional>

namespace batchllm::secrets {
namespace {

template <typename Function>
bool take(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

std::optional<SdBusLibrary> load() {
  void* from = dlopen("libsystemd.so.0", RTLD_LAZY | RTLD_LOCAL);
  if (from == nullptr) {
    return std::nullopt;
  }
  SdBusLibrary sd;
  const bool is_whole =
      take(from, "sd_bus_new", sd.bus_new) &&
      take(from, "sd_bus_set_address", sd.bus_set_address) &&
      take(from, "sd_bus_set_bus_client", sd.bus_set_bus_client) &&
      take(from, "sd_bus_start", sd.bus_start) && take(from, "sd_bus_is_ready", sd.bus_is_ready) &&
      take(from, "sd_bus_process", sd.bus_process) && take(from, "sd_bus_wait", sd.bus_wait) &&
      take(from, "sd_bus_call", sd.bus_call) &&
      take(from, "sd_bus_close_unref", sd.bus_close_unref) &&
      take(from, "sd_bus_error_free", sd.error_free) &&
      take(from, "sd_bus_message_new_method_call", sd.message_new_method_call) &&
      take(from, "sd_bus_message_append", sd.message_append) &&
      take(from, "sd_bus_message_append_array", sd.message_append_array) &&
      take(from, "sd_bus_message_open_container", sd.message_open_container) &&
      take(from, "sd_bus_message_close_container", sd.message_close_container) &&
      take(from, "sd_bus_message_read", sd.message_read) &&
      take(from, "sd_bus_message_read_array", sd.message_read_array) &&
      take(from, "sd_bus_message_enter_container", sd.message_enter_container) &&
      take(from, "sd_bus_message_exit_container", sd.message_exit_container) &&
      take(from, "sd_bus_message_skip", sd.message_skip) &&
      take(from, "sd_bus_message_sensitive", sd.message_sensitive) &&
      take(from, "sd_bus_message_unref", sd.message_unref);
  return is_whole ? std::optional(sd) : std::nullopt;
}

}  // namespace

const SdBusLibrary* sd_bus_library() {
  static const std::optional<SdBusLibrary> k_library = load();
  return k_library ? &*k_library : nullptr;
}

}  // namespace batchllm::secrets

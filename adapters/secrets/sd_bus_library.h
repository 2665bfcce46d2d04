// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemd/sd-bus.h>

namespace batchllm::secrets {

// The functions of libsystemd with which D-Bus is spoken, named as there. Loaded when they are
// first needed: linked, that library and the five it brings would be read at every start.
struct SdBusLibrary {
  decltype(&::sd_bus_new) bus_new = nullptr;
  decltype(&::sd_bus_set_address) bus_set_address = nullptr;
  decltype(&::sd_bus_set_bus_client) bus_set_bus_client = nullptr;
  decltype(&::sd_bus_start) bus_start = nullptr;
  decltype(&::sd_bus_is_ready) bus_is_ready = nullptr;
  decltype(&::sd_bus_process) bus_process = nullptr;
  decltype(&::sd_bus_wait) bus_wait = nullptr;
  decltype(&::sd_bus_call) bus_call = nullptr;
  decltype(&::sd_bus_close_unref) bus_close_unref = nullptr;
  decltype(&::sd_bus_error_free) error_free = nullptr;
  decltype(&::sd_bus_message_new_method_call) message_new_method_call = nullptr;
  decltype(&::sd_bus_message_append) message_append = nullptr;
  decltype(&::sd_bus_message_append_array) message_append_array = nullptr;
  decltype(&::sd_bus_message_open_container) message_open_container = nullptr;
  decltype(&::sd_bus_message_close_container) message_close_container = nullptr;
  decltype(&::sd_bus_message_read) message_read = nullptr;
  decltype(&::sd_bus_message_read_array) message_read_array = nullptr;
  decltype(&::sd_bus_message_enter_container) message_enter_container = nullptr;
  decltype(&::sd_bus_message_exit_container) message_exit_container = nullptr;
  decltype(&::sd_bus_message_skip) message_skip = nullptr;
  decltype(&::sd_bus_message_sensitive) message_sensitive = nullptr;
  decltype(&::sd_bus_message_unref) message_unref = nullptr;
};

// nullptr when this machine has no libsystemd. It stays loaded. Thread-safe.
const SdBusLibrary* sd_bus_library();

}  // namespace batchllm::secrets

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace batchllm {

// The systemd units of packaging/systemd; @BATCHLLMD@ in a service stands for the program's path.
std::string_view user_service_template() noexcept;
std::string_view user_socket_template() noexcept;
std::string_view system_service_template() noexcept;
std::string_view system_socket_template() noexcept;

}  // namespace batchllm

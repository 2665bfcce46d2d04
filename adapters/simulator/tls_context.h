// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/simulator/libevent_handle.h"

#include <string>

namespace batchllm::simulator {

// A server's TLS settings with the certificate chain and key of two PEM files. Throws
// Error(input_unreadable) naming the file.
TlsContext make_tls_context(const std::string& certificate_path, const std::string& key_path);

}  // namespace batchllm::simulator

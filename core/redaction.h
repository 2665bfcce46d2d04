// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace batchllm {

// Every secret that a process comes by is told here, whatever it comes from: from then on
// `redacted` masks it wherever it stands, also percent-encoded. What is shorter than six bytes is
// passed over. Thread-safe.
void remember_secret(std::string_view text);

// `text` with every secret that was told, and everything that has the shape of one, replaced by
// "***": API keys by their known beginnings ("sk-", "gsk_", "AIza", ...), what follows "Bearer ",
// passwords in URLs. The one place that everything passes which people, logs and ledgers are told
// of what others sent; below the rule that secrets are not written there. Thread-safe.
std::string redacted(std::string_view text);

}  // namespace batchllm

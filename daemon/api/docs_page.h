// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace batchllm::daemon {

// An OpenAPI 3.1 document as one HTML page for people: a table of contents, every operation with
// its parameters, bodies, answers and a `curl` line for the UNIX socket, and every schema. The page
// stands alone: no scripts, nothing is loaded from elsewhere, light or dark as the reader's system
// is. All text of the document is escaped. Takes some milliseconds: keep what it returns. Throws
// Error(internal) when `openapi_json` is no such document. Safe to call from any thread.
std::string docs_page(std::string_view openapi_json);

}  // namespace batchllm::daemon

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>

namespace batchllm::daemon {

// One operation of the document, with the place where it stands.
struct Operation {
  std::string_view method;  // "post"
  std::string_view path;    // "/api/v1/jobs/{id}"
  simdjson::dom::element json;
};

// "POST"
std::string method_label(std::string_view method);

// The operation as a section of the page: what it does on one side, examples on the other.
std::string operation_html(const Operation& operation, simdjson::dom::element document);

}  // namespace batchllm::daemon

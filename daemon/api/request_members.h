// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/json_document.h"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm::daemon {

// Members of a request's body. Everything throws Error(usage) that names the member: for one that
// is there with another type or out of range, and for one that is required and absent. null is as
// good as absent.
class RequestMembers {
 public:
  // `object` must outlive this. Throws when it has a member that is not in `known`, naming the
  // nearest one that is.
  RequestMembers(const JsonNode& object, std::initializer_list<std::string_view> known);

  const JsonNode* find(std::string_view name) const;  // nullptr: absent or null
  const JsonNode& require(std::string_view name) const;

  std::optional<std::string> text(std::string_view name, std::size_t most_bytes = 10'000) const;
  std::string require_text(std::string_view name, std::size_t most_bytes = 10'000) const;
  std::optional<bool> flag(std::string_view name) const;
  std::optional<std::int64_t> integer(std::string_view name,
                                      std::int64_t least,
                                      std::int64_t most) const;

  // The index in `names`.
  std::optional<std::size_t> choice(std::string_view name,
                                    std::initializer_list<std::string_view> names) const;

  // RFC 3339, in milliseconds.
  std::optional<std::int64_t> time(std::string_view name) const;

  // An amount in USD, a number or a text, in micro-USD.
  std::optional<std::int64_t> usd(std::string_view name) const;

  // An object of texts with up to 50 members, as JSON.
  std::optional<std::string> tags(std::string_view name) const;

 private:
  const JsonNode& object_;
};

}  // namespace batchllm::daemon

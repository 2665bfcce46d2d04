// SPDX-License-Identifier: Apache-2.0
#include "daemon/api/page.h"

#include "core/error.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <utility>

namespace batchllm::daemon {
namespace {

constexpr std::int64_t k_standard_limit = 50;
constexpr std::int64_t k_highest_limit = 1000;
constexpr std::size_t k_longest_cursor = 200;
constexpr std::size_t k_most_bytes = std::size_t{8} << 20;  // a page that is larger ends early

}  // namespace

std::optional<std::int64_t> PageRequest::cursor_number() const {
  if (cursor.empty()) {
    return std::nullopt;
  }
  const auto number = parse_integer(cursor);
  if (!number) {
    throw Error(ErrorCode::usage,
                fmt::format("{} is no cursor", printable(cursor)),
                "take next_cursor of the page before");
  }
  return number;
}

PageRequest read_page_request(const ApiCall& call) {
  PageRequest page;
  page.limit = call.query_integer("limit", k_standard_limit, 1, k_highest_limit);
  page.cursor = call.request.query("cursor").value_or("");
  if (page.cursor.size() > k_longest_cursor) {
    throw Error(ErrorCode::usage, "the cursor is no cursor of ours");
  }
  return page;
}

bool PageWriter::add(std::string_view item_json, std::string cursor) {
  if (count_ == limit_ || items_.size() >= k_most_bytes) {
    has_more_ = true;
    return false;
  }
  items_ += count_ == 0 ? "" : ",";
  items_ += item_json;
  last_cursor_ = std::move(cursor);
  ++count_;
  return true;
}

std::string PageWriter::text() const {
  return fmt::format(R"({{"items":[{}],"next_cursor":{}}})",
                     items_,
                     has_more_ ? json_string(last_cursor_) : "null");
}

}  // namespace batchllm::daemon

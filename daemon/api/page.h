// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/api/api_call.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm::daemon {

// Which page of a list is asked for: `limit` items behind the one that `cursor` names. A cursor is
// what an earlier page gave as next_cursor; it stays good whatever is added or deleted.
struct PageRequest {
  std::int64_t limit = 50;
  std::string cursor;  // empty: the first page

  // A cursor that is a number. Throws Error(usage) for one that is none.
  std::optional<std::int64_t> cursor_number() const;
};

PageRequest read_page_request(const ApiCall& call);

// {"items":[…],"next_cursor":…}. Offer one item more than the page holds, to tell whether another
// page follows.
class PageWriter {
 public:
  explicit PageWriter(const PageRequest& page) : limit_(page.limit) {}

  // `cursor`: names the item. False: the page is full, the item was not taken.
  bool add(std::string_view item_json, std::string cursor);

  std::string text() const;

 private:
  std::int64_t limit_;
  std::int64_t count_ = 0;
  std::string items_;
  std::string last_cursor_;
  bool has_more_ = false;
};

}  // namespace batchllm::daemon

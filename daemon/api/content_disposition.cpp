// SPDX-License-Identifier: Apache-2.0
#include "daemon/api/content_disposition.h"

#include "adapters/files/file_name.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace batchllm::daemon {

std::string content_disposition(std::string_view name) {
  const std::string safe = files::safe_file_name(name);
  // For clients that know no more: without what a quoted string would have to escape.
  std::string plain = safe;
  std::replace_if(
      plain.begin(),
      plain.end(),
      [](unsigned char byte) {
        return byte < ' ' || byte >= 0x7f || byte == '"' || byte == '\\' || byte == '%';
      },
      '_');
  std::string value = fmt::format("attachment; filename=\"{}\"", plain);
  if (plain != safe) {
    value += "; filename*=UTF-8''" + percent_encoded(safe);
  }
  return value;
}

}  // namespace batchllm::daemon

// SPDX-License-Identifier: Apache-2.0
#include "adapters/stream/storage_error.h"

#include "core/error.h"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

namespace batchllm {

void throw_storage_error(const std::string& name, int error) {
  const std::string reason = std::generic_category().message(error);
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    throw Error(
        ErrorCode::storage_full,
        fmt::format("no room to write {}: {}", name, reason),
        "free some space (or raise the limit), then `batchllm resume`: what is answered is kept")
        .with_detail("path", name);
  }
  if (error == EPIPE) {
    throw Error(ErrorCode::storage, fmt::format("{} was closed by its reader", name))
        .with_detail("path", name)
        .with_detail("closed", "yes");
  }
  const char* hint = "";
  if (error == EACCES || error == EPERM || error == EROFS) {
    hint = "choose another place with -o, or change the permissions";
  } else if (error == ENOENT || error == ENOTDIR) {
    hint = "make the folder first";
  }
  throw Error(ErrorCode::storage, fmt::format("cannot write {}: {}", name, reason), hint)
      .with_detail("path", name);
}

}  // namespace batchllm

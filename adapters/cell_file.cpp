// SPDX-License-Identifier: Apache-2.0
#include "adapters/cell_file.h"

#include "adapters/stream/file_descriptor.h"
#include "core/text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace batchllm {
namespace {

std::string reason(int error) {
  return std::generic_category().message(error);
}

Result<std::string> read_whole(int descriptor, std::size_t size, const std::string& shown) {
  std::string bytes(size, '\0');
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const auto got = ::read(descriptor, bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return Failure{fmt::format("{}: {}", shown, reason(errno))};
    }
    if (got == 0) {
      break;  // the file became shorter meanwhile
    }
    filled += static_cast<std::size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

}  // namespace

std::string too_large_text(std::string_view what, std::uint64_t bytes, std::uint64_t most_bytes) {
  return fmt::format("{} has {}, the limit is {}", what, bytes_text(bytes), bytes_text(most_bytes));
}

Result<std::string> read_cell_file(std::string_view what,
                                   std::string_view name,
                                   const std::optional<std::string>& folder,
                                   std::uint64_t most_bytes) {
  const std::string shown = fmt::format("{} {}", what, one_line(name, 120));
  if (name.find('\0') != std::string_view::npos) {
    return Failure{shown + " is not a file name"};
  }
  if (!folder) {
    return Failure{shown + ": rows that were sent here cannot name files of this machine"};
  }
  const std::string path = (std::filesystem::path(*folder) / name).string();
  // Without O_NONBLOCK a named pipe in the input would stop the run for ever.
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) {
    return Failure{fmt::format("{}: {}", shown, reason(errno))};
  }

  struct stat status {};

  if (::fstat(file.get(), &status) != 0) {
    return Failure{fmt::format("{}: {}", shown, reason(errno))};
  }
  if (!S_ISREG(status.st_mode)) {
    return Failure{fmt::format(
        "{} is {}, not a file", shown, S_ISDIR(status.st_mode) ? "a folder" : "a device or pipe")};
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > most_bytes) {
    return Failure{too_large_text(shown, size, most_bytes)};
  }
  return read_whole(file.get(), static_cast<std::size_t>(size), shown);
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "cli/temporary_input.h"

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/file_handle.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace batchllm {
namespace {

namespace fs = std::filesystem;

fs::path make_folder() {
  std::error_code ignored;
  fs::path base = fs::temp_directory_path(ignored);
  std::string name = (base.empty() ? fs::path("/tmp") : base) / "batchllm-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) {
    throw_storage_error("create", name, errno);
  }
  return name;
}

void copy_standard_input(const std::string& path) {
  constexpr std::size_t k_piece = std::size_t{1} << 16U;
  const FileHandle file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.is_open()) {
    throw_storage_error("create", path, errno);
  }
  std::array<char, k_piece> buffer{};
  while (true) {
    const ssize_t count = read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      throw Error(
          ErrorCode::input_unreadable,
          fmt::format("cannot read standard input: {}", std::generic_category().message(errno)));
    }
    if (count == 0) {
      return;
    }
    write_all(file.get(), {buffer.data(), static_cast<std::size_t>(count)}, path);
  }
}

}  // namespace

TemporaryInput::TemporaryInput() : folder_(make_folder()) {
  try {
    copy_standard_input(path());
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
    throw;
  }
}

TemporaryInput::~TemporaryInput() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/api_token.h"

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <sys/random.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace batchllm::daemon {
namespace {

constexpr std::size_t k_largest_file = 4096;
constexpr std::size_t k_shortest_token = 16;
constexpr unsigned k_owner_only = 0600;

std::string random_token() {
  std::array<unsigned char, 32> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw Error(ErrorCode::internal, "the kernel gives no random bytes");
  }
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

std::string make_token(const std::string& file) {
  std::error_code ignored;  // what follows says it
  std::filesystem::create_directories(std::filesystem::path(file).parent_path(), ignored);
  const std::string token = random_token();
  write_file_atomically(file, token + "\n", k_owner_only);
  return token;
}

bool is_sendable(std::string_view token) {
  return std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

std::string load_api_token(const std::string& file) {
  struct stat found {};

  if (stat(file.c_str(), &found) != 0) {
    if (errno != ENOENT) {
      throw_storage_error("read", file, errno);
    }
    return make_token(file);
  }
  if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    throw Error(ErrorCode::config_invalid,
                fmt::format("the token file {} can be read by others", file),
                fmt::format("chmod 600 {}", file));
  }
  const std::string text = read_file(file, k_largest_file);
  const std::string token(trim(std::string_view(text).substr(0, text.find('\n'))));
  if (token.size() < k_shortest_token || !is_sendable(token)) {
    throw Error(
        ErrorCode::config_invalid,
        fmt::format("the token file {} holds no token: at least {} visible ASCII characters",
                    file,
                    k_shortest_token),
        "remove it: another one is made");
  }
  return token;
}

}  // namespace batchllm::daemon

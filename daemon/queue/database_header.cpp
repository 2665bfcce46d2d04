// SPDX-License-Identifier: Apache-2.0
#include "daemon/queue/database_header.h"

#include "core/atomic_file.h"
#include "core/file_handle.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

namespace batchllm::daemon {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_header_bytes = 100;
constexpr std::string_view k_magic("SQLite format 3\0", 16);
constexpr std::uint32_t k_usual_page_bytes = 4096;
constexpr std::size_t k_page_bytes_in_log = 8;  // of the log's own header

// Places in the header.
constexpr std::size_t k_page_bytes_at = 16;
constexpr std::size_t k_write_version_at = 18;
constexpr std::size_t k_read_version_at = 19;
constexpr std::size_t k_fractions_at = 21;  // always 64, 32, 32
constexpr std::size_t k_change_counter_at = 24;
constexpr std::size_t k_pages_at = 28;
constexpr std::size_t k_schema_cookie_at = 40;
constexpr std::size_t k_schema_format_at = 44;
constexpr std::size_t k_encoding_at = 56;
constexpr std::size_t k_application_id_at = 68;
constexpr std::size_t k_valid_for_at = 92;
constexpr std::size_t k_library_version_at = 96;

using Header = std::array<unsigned char, k_header_bytes>;

bool read_start(const fs::path& path, unsigned char* bytes, std::size_t count) {
  const FileHandle file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return file.is_open() && pread(file.get(), bytes, count, 0) == static_cast<ssize_t>(count);
}

std::uint32_t number_at(const unsigned char* bytes) noexcept {
  return std::uint32_t{bytes[0]} << 24U | std::uint32_t{bytes[1]} << 16U |
         std::uint32_t{bytes[2]} << 8U | bytes[3];
}

void put_number(Header& header, std::size_t at, std::uint32_t number) noexcept {
  for (std::size_t i = 0; i < 4; ++i) {
    header.at(at + i) = static_cast<unsigned char>(number >> (24U - 8U * i));
  }
}

bool is_sound(const Header& header) noexcept {
  constexpr std::array<unsigned char, 3> k_fractions = {64, 32, 32};
  const std::uint32_t stored =
      std::uint32_t{header[k_page_bytes_at]} << 8U | header[k_page_bytes_at + 1];
  const std::uint32_t page_bytes = stored == 1 ? 65'536 : stored;
  const bool has_versions =
      header[k_write_version_at] - 1U < 2 && header[k_read_version_at] - 1U < 2;
  return std::memcmp(header.data(), k_magic.data(), k_magic.size()) == 0 && has_versions &&
         page_bytes >= 512 && (page_bytes & (page_bytes - 1)) == 0 &&
         std::memcmp(header.data() + k_fractions_at, k_fractions.data(), k_fractions.size()) == 0;
}

Header new_header(std::uint64_t file_bytes, const fs::path& log) {
  std::array<unsigned char, k_page_bytes_in_log + 4> log_start{};
  const bool has_log = read_start(log, log_start.data(), log_start.size());
  const std::uint32_t page_bytes =
      has_log ? number_at(log_start.data() + k_page_bytes_in_log) : k_usual_page_bytes;
  Header header{};
  std::memcpy(header.data(), k_magic.data(), k_magic.size());
  header[k_page_bytes_at] = static_cast<unsigned char>(page_bytes >> 8U);
  header[k_page_bytes_at + 1] = static_cast<unsigned char>(page_bytes == 65'536 ? 1 : page_bytes);
  header[k_write_version_at] = has_log ? 2 : 1;
  header[k_read_version_at] = has_log ? 2 : 1;
  header[k_fractions_at] = 64;
  header[k_fractions_at + 1] = 32;
  header[k_fractions_at + 2] = 32;
  put_number(header, k_change_counter_at, 1);
  put_number(header, k_pages_at, static_cast<std::uint32_t>(file_bytes / page_bytes));
  put_number(header, k_schema_cookie_at, 1);
  put_number(header, k_schema_format_at, 4);
  put_number(header, k_encoding_at, 1);  // UTF-8
  put_number(header, k_valid_for_at, 1);
  put_number(header, k_library_version_at, 3'040'000);
  return header;
}

void copy_whole(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
  if (error) {
    throw_storage_error("copy", from.string(), error.value());
  }
}

}  // namespace

bool is_foreign_database(const fs::path& database, std::int32_t own_id) {
  Header header{};
  return read_start(database, header.data(), header.size()) && is_sound(header) &&
         number_at(header.data() + k_application_id_at) != static_cast<std::uint32_t>(own_id);
}

bool copy_with_header(const fs::path& database, const fs::path& copy) {
  Header header{};
  if (!read_start(database, header.data(), header.size()) || is_sound(header)) {
    return false;
  }
  copy_whole(database, copy);
  const fs::path log = database.string() + "-wal";
  std::error_code error;
  if (fs::exists(log, error)) {
    copy_whole(log, copy.string() + "-wal");
  }
  header = new_header(fs::file_size(copy), log);
  const FileHandle file(open(copy.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.is_open()) {
    throw_storage_error("open", copy.string(), errno);
  }
  write_all(file.get(),
            std::string_view(reinterpret_cast<const char*>(header.data()), header.size()),
            copy.string());
  return true;
}

}  // namespace batchllm::daemon

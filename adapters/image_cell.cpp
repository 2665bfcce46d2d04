// SPDX-License-Identifier: Apache-2.0
#include "adapters/image_cell.h"

#include "core/base64.h"
#include "core/text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace batchllm {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}

  ~Descriptor() {
    if (number_ >= 0) {
      ::close(number_);
    }
  }

  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;

  int number() const noexcept { return number_; }

 private:
  int number_;
};

bool begins_with_scheme(std::string_view text, std::string_view scheme) {
  return equals_ignoring_case(text.substr(0, scheme.size()), scheme);
}

// The MIME type of an image by its first bytes; empty when it is none that providers take.
std::string_view image_type(std::string_view bytes) noexcept {
  using namespace std::string_view_literals;
  if (bytes.starts_with("\x89PNG\r\n\x1A\n"sv)) {
    return "image/png";
  }
  if (bytes.starts_with("\xFF\xD8\xFF"sv)) {
    return "image/jpeg";
  }
  if (bytes.starts_with("GIF87a"sv) || bytes.starts_with("GIF89a"sv)) {
    return "image/gif";
  }
  if (bytes.starts_with("RIFF"sv) && bytes.substr(0, 12).ends_with("WEBP"sv)) {
    return "image/webp";
  }
  return {};
}

std::string reason(int error) {
  return std::generic_category().message(error);
}

Result<std::string> read_image(const std::string& path, const std::string& shown) {
  // Without O_NONBLOCK a named pipe in the input would stop the run for ever.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number() < 0) {
    return Failure{fmt::format("image {}: {}", shown, reason(errno))};
  }

  struct stat status {};

  if (::fstat(file.number(), &status) != 0) {
    return Failure{fmt::format("image {}: {}", shown, reason(errno))};
  }
  if (!S_ISREG(status.st_mode)) {
    return Failure{fmt::format("image {} is {}, not a file",
                               shown,
                               S_ISDIR(status.st_mode) ? "a folder" : "a device or pipe")};
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > k_max_image_bytes) {
    return Failure{fmt::format("image {} has {}, the limit is {}",
                               shown,
                               bytes_text(size),
                               bytes_text(k_max_image_bytes))};
  }
  std::string bytes(static_cast<std::size_t>(size), '\0');
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const auto got = ::read(file.number(), bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return Failure{fmt::format("image {}: {}", shown, reason(errno))};
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

Result<std::string> image_url_of_cell(std::string_view cell, const std::string& folder) {
  const std::string_view text = trim(cell);
  if (text.empty() || begins_with_scheme(text, "http://") || begins_with_scheme(text, "https://") ||
      begins_with_scheme(text, "data:")) {
    return std::string(text);
  }
  const std::string shown = one_line(text, 120);
  if (text.find('\0') != std::string_view::npos) {
    return Failure{fmt::format("image {} is not a file name", shown)};
  }
  const std::string path = (std::filesystem::path(folder) / text).string();
  auto bytes = read_image(path, shown);
  if (!bytes) {
    return bytes;
  }
  const std::string_view type = image_type(*bytes);
  if (type.empty()) {
    return Failure{fmt::format("image {} is not a png, jpeg, gif or webp file", shown)};
  }
  std::string url = fmt::format("data:{};base64,", type);
  append_base64(url, *bytes);
  return url;
}

}  // namespace batchllm

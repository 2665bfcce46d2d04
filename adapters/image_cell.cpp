// SPDX-License-Identifier: Apache-2.0
#include "adapters/image_cell.h"

#include "adapters/cell_file.h"
#include "core/base64.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace batchllm {
namespace {

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

std::uint32_t big_endian(std::string_view bytes, std::size_t at, std::size_t count) noexcept {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < count; ++i) {
    number = number << 8U | static_cast<unsigned char>(bytes[at + i]);
  }
  return number;
}

std::uint32_t little_endian(std::string_view bytes, std::size_t at, std::size_t count) noexcept {
  std::uint32_t number = 0;
  for (std::size_t i = count; i-- > 0;) {
    number = number << 8U | static_cast<unsigned char>(bytes[at + i]);
  }
  return number;
}

// The size stands in the first segment that begins a frame; the others say how long they are.
std::optional<ImageSize> jpeg_size(std::string_view bytes) noexcept {
  std::size_t at = 2;
  while (at + 9 <= bytes.size() && bytes[at] == '\xFF') {
    const auto marker = static_cast<unsigned char>(bytes[at + 1]);
    if (marker == 0xFF) {  // filling
      ++at;
      continue;
    }
    const bool is_table = marker == 0xC4 || marker == 0xC8 || marker == 0xCC;
    if (marker >= 0xC0 && marker <= 0xCF && !is_table) {
      return ImageSize{big_endian(bytes, at + 7, 2), big_endian(bytes, at + 5, 2)};
    }
    at += 2 + big_endian(bytes, at + 2, 2);
  }
  return std::nullopt;
}

std::optional<ImageSize> webp_size(std::string_view bytes) noexcept {
  constexpr std::size_t k_header = 30;
  constexpr std::uint32_t k_fourteen_bits = 0x3FFF;
  if (bytes.size() < k_header) {
    return std::nullopt;
  }
  const std::string_view kind = bytes.substr(12, 4);
  if (kind == "VP8X") {
    return ImageSize{little_endian(bytes, 24, 3) + 1, little_endian(bytes, 27, 3) + 1};
  }
  if (kind == "VP8L") {
    const std::uint32_t bits = little_endian(bytes, 21, 4);
    return ImageSize{(bits & k_fourteen_bits) + 1, (bits >> 14U & k_fourteen_bits) + 1};
  }
  if (kind == "VP8 ") {
    return ImageSize{little_endian(bytes, 26, 2) & k_fourteen_bits,
                     little_endian(bytes, 28, 2) & k_fourteen_bits};
  }
  return std::nullopt;
}

// Why the image cannot be sent; empty: it can.
std::string why_refused(const std::string& shown,
                        std::string_view bytes,
                        const ImageLimits& limits) {
  if (image_type(bytes).empty()) {
    return shown + " is not a png, jpeg, gif or webp file";
  }
  if (bytes.size() > limits.bytes) {
    return too_large_text(shown, bytes.size(), limits.bytes);
  }
  const auto size = image_size(bytes);
  if (limits.side && size && std::max(size->width, size->height) > *limits.side) {
    return fmt::format("{} has {} x {} pixels, the limit is {} a side",
                       shown,
                       size->width,
                       size->height,
                       *limits.side);
  }
  return {};
}

Result<std::string> data_url(const std::string& shown,
                             std::string_view bytes,
                             const ImageLimits& limits) {
  if (std::string why = why_refused(shown, bytes, limits); !why.empty()) {
    return Failure{std::move(why)};
  }
  std::string url = fmt::format("data:{};base64,", image_type(bytes));
  append_base64(url, bytes);
  return url;
}

}  // namespace

std::optional<ImageSize> image_size(std::string_view bytes) noexcept {
  const std::string_view type = image_type(bytes);
  if (type == "image/png" && bytes.size() >= 24) {
    return ImageSize{big_endian(bytes, 16, 4), big_endian(bytes, 20, 4)};
  }
  if (type == "image/gif" && bytes.size() >= 10) {
    return ImageSize{little_endian(bytes, 6, 2), little_endian(bytes, 8, 2)};
  }
  if (type == "image/jpeg") {
    return jpeg_size(bytes);
  }
  return type == "image/webp" ? webp_size(bytes) : std::nullopt;
}

Result<std::string> image_url_of_cell(std::string_view cell,
                                      const std::optional<std::string>& folder,
                                      const ImageLimits& limits) {
  const std::string_view text = trim(cell);
  if (text.empty() || begins_with_scheme(text, "http://") || begins_with_scheme(text, "https://")) {
    return std::string(text);
  }
  if (begins_with_scheme(text, "data:")) {
    constexpr std::string_view k_base64 = ";base64,";
    const auto comma = text.find(k_base64);
    std::string bytes;
    if (comma == std::string_view::npos ||
        !read_base64(text.substr(comma + k_base64.size()), bytes)) {
      return Failure{fmt::format("image {} is not a data URL in base64", one_line(text, 60))};
    }
    return data_url(fmt::format("image {}", one_line(text, 60)), bytes, limits);
  }
  const auto bytes = read_cell_file("image", text, folder, limits.bytes);
  if (!bytes) {
    return bytes;
  }
  return data_url(fmt::format("image {}", one_line(text, 120)), *bytes, limits);
}

}  // namespace batchllm

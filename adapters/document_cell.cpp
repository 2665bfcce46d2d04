// SPDX-License-Identifier: Apache-2.0
#include "adapters/document_cell.h"

#include "adapters/cell_file.h"
#include "adapters/json/json_members.h"
#include "core/base64.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace batchllm {
namespace {

// One code unit of UTF-16; the text has an even number of bytes.
std::uint32_t unit_at(std::string_view bytes, std::size_t at, bool big_endian) noexcept {
  const auto first = static_cast<unsigned char>(bytes[at]);
  const auto second = static_cast<unsigned char>(bytes[at + 1]);
  return big_endian ? first << 8U | second : second << 8U | first;
}

// False when it is not UTF-16.
bool read_utf16(std::string_view bytes, bool big_endian, std::string& text) {
  if (bytes.size() % 2 != 0) {
    return false;
  }
  for (std::size_t at = 0; at < bytes.size(); at += 2) {
    std::uint32_t point = unit_at(bytes, at, big_endian);
    if (point >= 0xD800 && point < 0xDC00 && at + 2 < bytes.size()) {
      at += 2;
      const std::uint32_t low = unit_at(bytes, at, big_endian);
      if (low < 0xDC00 || low > 0xDFFF) {
        return false;
      }
      point = 0x10000 + ((point - 0xD800) << 10U) + (low - 0xDC00);
    } else if (point >= 0xD800 && point <= 0xDFFF) {
      return false;
    }
    char letters[4];
    text.append(letters, json::put_utf8(letters, point));
  }
  return true;
}

// False when the bytes are no text.
bool read_text(std::string_view bytes, std::string& text) {
  constexpr std::string_view k_utf8_mark = "\xEF\xBB\xBF";
  if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) {
    return read_utf16(bytes.substr(2), bytes.starts_with("\xFE\xFF"), text);
  }
  text = bytes.starts_with(k_utf8_mark) ? bytes.substr(k_utf8_mark.size()) : bytes;
  return is_utf8(text) && text.find('\0') == std::string::npos;
}

}  // namespace

Result<CellDocument> document_of_cell(std::string_view cell,
                                      const std::optional<std::string>& folder,
                                      const DocumentLimits& limits) {
  const std::string_view name = trim(cell);
  if (name.empty()) {
    return CellDocument{};
  }
  const std::string shown = fmt::format("document {}", one_line(name, 120));
  const auto bytes = read_cell_file(
      "document", name, folder, std::max<std::uint64_t>(limits.bytes, k_max_document_text));
  if (!bytes) {
    return Failure{bytes.error().message};
  }
  if (bytes->starts_with("%PDF-")) {
    if (!limits.takes_pdf) {
      return Failure{fmt::format("{} is a PDF, which {} does not take", shown, limits.model)};
    }
    if (bytes->size() > limits.bytes) {
      return Failure{too_large_text(shown, bytes->size(), limits.bytes)};
    }
    Attachment part{Attachment::Kind::document,
                    "data:application/pdf;base64,",
                    std::filesystem::path(name).filename().string()};
    append_base64(part.url, *bytes);
    return CellDocument{{}, std::move(part)};
  }
  if (bytes->size() > k_max_document_text) {
    return Failure{too_large_text(shown, bytes->size(), k_max_document_text)};
  }
  CellDocument document;
  if (!read_text(*bytes, document.text)) {
    return Failure{fmt::format("{} is neither text (UTF-8 or UTF-16) nor a PDF", shown)};
  }
  return document;
}

}  // namespace batchllm

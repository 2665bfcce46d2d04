// SPDX-License-Identifier: Apache-2.0
#include "adapters/files/media_type.h"

#include "core/text.h"

#include <algorithm>
#include <array>

namespace batchllm::files {
namespace {

struct KnownType {
  std::string_view type;
  InputFormat format;
};

// IANA's registry, and the names in use beside it.
constexpr std::array k_known_types = {
    KnownType{"text/csv", InputFormat::csv},
    KnownType{"text/x-csv", InputFormat::csv},
    KnownType{"text/comma-separated-values", InputFormat::csv},
    KnownType{"application/csv", InputFormat::csv},
    KnownType{"application/x-csv", InputFormat::csv},
    KnownType{"text/tab-separated-values", InputFormat::tsv},
    KnownType{"text/tsv", InputFormat::tsv},
    KnownType{"application/json", InputFormat::json},
    KnownType{"text/json", InputFormat::json},
    KnownType{"text/x-json", InputFormat::json},
    KnownType{"application/jsonl", InputFormat::jsonl},
    KnownType{"application/x-jsonl", InputFormat::jsonl},
    KnownType{"application/jsonlines", InputFormat::jsonl},
    KnownType{"application/x-jsonlines", InputFormat::jsonl},
    KnownType{"application/json-lines", InputFormat::jsonl},
    KnownType{"application/ndjson", InputFormat::jsonl},
    KnownType{"application/x-ndjson", InputFormat::jsonl},
    KnownType{"text/jsonl", InputFormat::jsonl},
    KnownType{"text/x-jsonl", InputFormat::jsonl},
    KnownType{"text/x-ndjson", InputFormat::jsonl},
    KnownType{"application/xml", InputFormat::text},
    KnownType{"application/xhtml+xml", InputFormat::text},
    KnownType{"application/x-tex", InputFormat::text},
    KnownType{"application/x-subrip", InputFormat::text},
    KnownType{"message/rfc822", InputFormat::text},
    KnownType{"", InputFormat::automatic},
    KnownType{"application/octet-stream", InputFormat::automatic},
    KnownType{"binary/octet-stream", InputFormat::automatic},
    KnownType{"application/unknown", InputFormat::automatic},
    KnownType{"application/x-unknown", InputFormat::automatic},
    // What curl says of --data-binary.
    KnownType{"application/x-www-form-urlencoded", InputFormat::automatic},
    // What browsers say of CSV files where Excel is installed.
    KnownType{"application/vnd.ms-excel", InputFormat::automatic},
    KnownType{"application/gzip", InputFormat::automatic},
    KnownType{"application/x-gzip", InputFormat::automatic},
    KnownType{"application/zstd", InputFormat::automatic},
    KnownType{"application/x-zstd", InputFormat::automatic},
    KnownType{"application/x-xz", InputFormat::automatic},
    KnownType{"application/x-bzip2", InputFormat::automatic},
    KnownType{"application/x-bzip", InputFormat::automatic},
    KnownType{"application/x-lz4", InputFormat::automatic},
};

}  // namespace

MediaType parse_media_type(std::string_view header) {
  constexpr std::string_view k_charset = "charset=";
  MediaType media;
  const auto parts = split(header, ';');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string part = lowercase(trim(parts[i]));
    if (i == 0) {
      media.type = part;
    } else if (part.starts_with(k_charset)) {
      media.charset = part.substr(k_charset.size());
      std::erase(media.charset, '"');
    }
  }
  return media;
}

std::optional<InputFormat> format_by_media_type(std::string_view type) {
  const auto* known = std::find_if(k_known_types.begin(),
                                   k_known_types.end(),
                                   [type](const KnownType& entry) { return entry.type == type; });
  if (known != k_known_types.end()) {
    return known->format;
  }
  if (type.ends_with("+json")) {
    return InputFormat::json;
  }
  return type.starts_with("text/") || type.ends_with("+xml") ? std::optional(InputFormat::text)
                                                             : std::nullopt;
}

}  // namespace batchllm::files

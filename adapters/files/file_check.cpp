// SPDX-License-Identifier: Apache-2.0
#include "adapters/files/file_check.h"

#include "adapters/files/file_name.h"
#include "adapters/files/media_type.h"
#include "adapters/input.h"
#include "adapters/input_format.h"
#include "adapters/stream/peeked_stream.h"
#include "adapters/stream/raw_bytes.h"
#include "core/bad_row_error.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace batchllm::files {
namespace {

// Counts what comes out of a stream, and ends what comes to too much.
class MeasuredStream final : public ByteStream {
 public:
  MeasuredStream(std::unique_ptr<ByteStream> stream, std::uint64_t limit, std::uint64_t& bytes)
      : stream_(std::move(stream)),
        limit_(limit),
        bytes_(bytes) {}

  std::size_t read(char* buffer, std::size_t capacity) override {
    const std::size_t count = stream_->read(buffer, capacity);
    move_to(bytes_ + count);
    return count;
  }

  void skip_to(std::uint64_t offset) override {
    stream_->skip_to(offset);
    move_to(offset);
  }

  std::optional<double> fraction_read() const override { return stream_->fraction_read(); }

  std::optional<PrefixDigest> prefix_digest() const override { return stream_->prefix_digest(); }

  const std::string& name() const override { return stream_->name(); }

  const std::string& compression() const override { return stream_->compression(); }

  const std::string& encoding() const override { return stream_->encoding(); }

 private:
  void move_to(std::uint64_t offset) {
    bytes_ = offset;
    if (offset > limit_) {
      const bool packed = compression() != "none";
      throw Error(ErrorCode::file_too_large,
                  fmt::format("{} is larger than {}{}",
                              name(),
                              bytes_text(limit_),
                              packed ? " when it is unpacked" : ""),
                  "split it into several files")
          .with_detail("limit_bytes", std::to_string(limit_));
    }
  }

  std::unique_ptr<ByteStream> stream_;
  const std::uint64_t limit_;
  std::uint64_t& bytes_;
};

[[noreturn]] void throw_refused(std::string message, const FileLimits& limits) {
  std::vector<std::string> formats;
  for (const InputFormat format : limits.formats) {
    formats.emplace_back(format_name(format));
  }
  throw Error(
      ErrorCode::file_type_refused,
      std::move(message),
      fmt::format("send {}, plain or compressed (gzip, zstd, xz, bzip2, lz4)", name_list(formats)));
}

bool is_allowed(InputFormat format, const FileLimits& limits) {
  return std::find(limits.formats.begin(), limits.formats.end(), format) != limits.formats.end();
}

// The name under which a run will find the format that the media type tells: names come first, but
// a type of data (text/csv) before a name of text ("rows.txt").
std::string name_with_format(const std::string& name, InputFormat by_type) {
  const InputFormat by_name = format_by_name(name);
  const bool name_is_vague = by_name == InputFormat::automatic ||
                             (by_name == InputFormat::text && by_type != InputFormat::text);
  if (by_type == InputFormat::automatic || !name_is_vague) {
    return name;
  }
  return safe_file_name(
      fmt::format("{}.{}", name, by_type == InputFormat::text ? "txt" : format_name(by_type)));
}

// A name that says nothing of the format is no excuse for what is no text at all.
void refuse_binary(std::string_view head, const std::string& name, const FileLimits& limits) {
  if (head.find('\0') != std::string_view::npos || head.starts_with("%PDF-")) {
    throw_refused(fmt::format("{} is not a text file", name), limits);
  }
}

InputFormat known_format(std::string_view name) {
  for (const InputFormat format : {InputFormat::csv,
                                   InputFormat::tsv,
                                   InputFormat::json,
                                   InputFormat::jsonl,
                                   InputFormat::text}) {
    if (name == format_name(format)) {
      return format;
    }
  }
  return InputFormat::automatic;
}

std::string found_format(const InputSource& source) {
  const auto inputs = source.describe();
  for (const auto& [fact, value] : inputs.front().facts) {
    if (fact == "format") {
      return value;
    }
  }
  return {};
}

void count_rows(InputSource& source, const FileLimits& limits, FileFacts& facts) {
  RowBatch batch;
  while (source.next_batch(batch)) {
    facts.rows += batch.row_count();
    facts.bad_rows += batch.bad_rows.size();
    if (!batch.bad_rows.empty() && limits.on_bad_row == BadRowPolicy::stop) {
      throw bad_row_error(
          batch.bad_rows.front(), facts.name, "correct the file and upload it again");
    }
  }
}

}  // namespace

void check_media_type(std::string_view media_type, const FileLimits& limits) {
  const std::string type = parse_media_type(media_type).type;
  const auto format = format_by_media_type(type);
  if (!format || (*format != InputFormat::automatic && !is_allowed(*format, limits))) {
    throw_refused(fmt::format("files of the type {} are not taken", one_line(as_utf8(type), 100)),
                  limits);
  }
}

FileFacts check_file(const std::filesystem::path& path,
                     std::string_view name,
                     std::string_view media_type,
                     const FileLimits& limits,
                     const InputSettings& settings) {
  const MediaType media = parse_media_type(media_type);
  const auto by_type = format_by_media_type(media.type);
  if (!by_type) {
    check_media_type(media_type, limits);
  }
  FileFacts facts;
  facts.name = name_with_format(safe_file_name(name), by_type.value_or(InputFormat::automatic));
  InputSettings known = settings;
  if (known.encoding.empty() && by_type != InputFormat::automatic && media.charset != "utf-8" &&
      media.charset != "us-ascii") {
    known.encoding = media.charset;
  }
  facts.encoding_setting = known.encoding;
  const bool may_be_binary = known.format == InputFormat::automatic && known.json_path.empty() &&
                             format_by_name(facts.name) == InputFormat::automatic;
  // The only input is read once, from here: not from what may lie under its name.
  const OpenStream open = [&](const std::string& shown_name, const std::string& encoding) {
    std::unique_ptr<ByteStream> stream = std::make_unique<MeasuredStream>(
        open_byte_stream(open_raw_file(path.string(), shown_name), encoding),
        limits.decoded_bytes,
        facts.decoded_bytes);
    facts.encoding = stream->encoding();
    facts.compression = stream->compression();
    if (may_be_binary) {
      constexpr std::size_t k_head = 4096;
      std::string head = read_up_to(*stream, k_head);
      refuse_binary(head, facts.name, limits);
      stream = with_head(std::move(head), std::move(stream));
    }
    return stream;
  };
  const auto source = open_inputs({facts.name}, known, open);
  facts.format = found_format(*source);
  if (!is_allowed(known_format(facts.format), limits)) {
    throw_refused(fmt::format("{} is {}, which is not taken", facts.name, facts.format), limits);
  }
  facts.columns = source->columns();
  count_rows(*source, limits, facts);
  return facts;
}

}  // namespace batchllm::files

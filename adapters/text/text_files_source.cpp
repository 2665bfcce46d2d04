// SPDX-License-Identifier: Apache-2.0
#include "adapters/text/text_files_source.h"

#include "adapters/stream/byte_stream.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace batchllm {
namespace {

class TextFilesSource final : public RowSource {
 public:
  TextFilesSource(std::vector<std::string> paths, const InputSettings& settings, OpenStream open)
      : paths_(std::move(paths)),
        open_(std::move(open)),
        max_row_bytes_(settings.max_row_bytes),
        encoding_(settings.encoding) {}

  const std::vector<std::string>& columns() const override { return columns_; }

  bool is_open_ended() const override { return false; }

  void select(const std::vector<std::string>& names) override {
    chosen_.clear();
    for (const auto& name : names) {
      const auto found = std::find(columns_.begin(), columns_.end(), name);
      if (found == columns_.end()) {
        throw Error(ErrorCode::column_missing,
                    fmt::format("text files have no column {}", one_line(name, 60)),
                    "their columns are path, name and text");
      }
      chosen_.push_back(static_cast<std::size_t>(found - columns_.begin()));
    }
  }

  bool next_batch(RowBatch& batch) override {
    batch.clear();
    batch.column_count = chosen_.size();
    if (next_ == paths_.size()) {
      return false;
    }
    const std::string& path = paths_[next_];
    RowPlace place;
    place.row_index = row_index_++;
    place.line = 1;
    place.input = static_cast<std::uint32_t>(next_++);
    BadRow bad{place, "", "", ""};
    if (!read_file(path, bad)) {
      bad.place.byte_length = length();
      bad.raw = text_.substr(0, BadRow::k_bad_row_bytes);
      batch.bad_rows.push_back(std::move(bad));
      return true;
    }
    place.byte_length = length();
    batch.places.push_back(place);
    const std::string_view name = std::string_view(path).substr(path.find_last_of('/') + 1);
    const std::array<std::string_view, 3> cells = {path, name, text_};
    for (const std::size_t column : chosen_) {
      batch.cells.push_back(cells[column]);
    }
    return true;
  }

  void seek(const RowPlace& place) override {
    next_ = place.input;
    row_index_ = place.row_index;
  }

  std::optional<double> fraction_read() const override {
    return paths_.empty() ? 1.0 : static_cast<double>(next_) / static_cast<double>(paths_.size());
  }

 private:
  std::uint32_t length() const {
    return static_cast<std::uint32_t>(
        std::min<std::size_t>(text_.size(), std::numeric_limits<std::uint32_t>::max()));
  }

  // Reads the file into text_; false with the reason in `bad`.
  bool read_file(const std::string& path, BadRow& bad) {
    constexpr std::size_t k_block = std::size_t{64} << 10;
    text_.clear();
    try {
      const auto stream = open_ ? open_(path, encoding_) : open_byte_stream(path, encoding_);
      for (std::size_t count = 1; count != 0 && text_.size() <= max_row_bytes_;) {
        const std::size_t before = text_.size();
        text_.resize(before + k_block);
        count = stream->read(text_.data() + before, k_block);
        text_.resize(before + count);
      }
    } catch (const Error& error) {
      // Anything else, a wrong --encoding say, is wrong for every file.
      if (error.code() != ErrorCode::input_unreadable && error.code() != ErrorCode::input_missing) {
        throw;
      }
      bad.reason = "unreadable";
      bad.message = error.message();
      return false;
    }
    if (text_.size() > max_row_bytes_) {
      bad.reason = "too_long";
      bad.message =
          fmt::format("the file is longer than {} (--max-row-bytes)", bytes_text(max_row_bytes_));
    } else if (!is_utf8(text_)) {
      bad.reason = "not_utf8";
      bad.message = "the file is not UTF-8 text (pass its encoding with --encoding)";
    }
    return bad.reason.empty();
  }

  const std::vector<std::string> columns_ = {"path", "name", "text"};
  std::vector<std::string> paths_;
  OpenStream open_;
  const std::size_t max_row_bytes_;
  const std::string encoding_;
  std::vector<std::size_t> chosen_ = {0, 1, 2};
  std::size_t next_ = 0;
  std::uint64_t row_index_ = 0;
  std::string text_;
};

}  // namespace

std::unique_ptr<RowSource> make_text_files_source(std::vector<std::string> paths,
                                                  const InputSettings& settings,
                                                  OpenStream open) {
  return std::make_unique<TextFilesSource>(std::move(paths), settings, std::move(open));
}

}  // namespace batchllm

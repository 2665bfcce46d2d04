// SPDX-License-Identifier: Apache-2.0
#include "adapters/input.h"

#include "adapters/csv/csv_row_source.h"
#include "adapters/input_format.h"
#include "adapters/json/json_row_source.h"
#include "adapters/stream/peeked_stream.h"
#include "adapters/text/text_files_source.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace batchllm {
namespace {

constexpr std::size_t k_head = std::size_t{64} << 10;

// One file being read.
struct OpenFile {
  InputFormat format = InputFormat::automatic;
  std::unique_ptr<CsvRowSource> csv;
  std::unique_ptr<JsonRowSource> json;

  RowSource& rows() const {
    return csv ? static_cast<RowSource&>(*csv) : static_cast<RowSource&>(*json);
  }

  explicit operator bool() const noexcept { return csv != nullptr || json != nullptr; }
};

// What stays known of a file that is not open.
struct InputFile {
  std::string path;
  InputFormat format = InputFormat::automatic;
  InputDescription description;
  std::optional<PrefixDigest> digest;
  std::uint64_t padded_rows = 0;
  std::uint64_t size = 0;
};

// The names of `a` that `b` lacks.
std::vector<std::string> missing_in(const std::vector<std::string>& a,
                                    const std::vector<std::string>& b) {
  std::vector<std::string> missing;
  std::copy_if(a.begin(), a.end(), std::back_inserter(missing), [&](const std::string& name) {
    return std::find(b.begin(), b.end(), name) == b.end();
  });
  return missing;
}

class FilesSource final : public InputSource {
 public:
  FilesSource(const std::vector<std::string>& paths, const InputSettings& settings, OpenStream open)
      : settings_(settings),
        open_(std::move(open)) {
    for (const auto& path : paths) {
      InputFile file;
      file.path = path;
      std::error_code failed;
      const auto size = std::filesystem::file_size(path, failed);
      file.size = failed ? 0 : size;
      files_.push_back(std::move(file));
    }
    // The first file stays open; the others only tell their columns.
    for (std::size_t input = 0; input < files_.size(); ++input) {
      OpenFile opened = open_file(input);
      add_columns(input, opened);
      if (input == 0) {
        current_ = std::move(opened);
      } else if (files_[input].path == "-") {
        throw Error(ErrorCode::usage,
                    "standard input can only be the first of several inputs",
                    "put `-` first, or save it to a file");
      }
    }
    selected_ = columns_;
    current_.rows().select(selected_);
  }

  const std::vector<std::string>& columns() const override { return columns_; }

  bool is_open_ended() const override {
    return current_ ? current_.rows().is_open_ended() : open_ended_;
  }

  void select(const std::vector<std::string>& names) override {
    selected_ = names;
    if (current_) {
      current_.rows().select(selected_);
    }
  }

  bool next_batch(RowBatch& batch) override {
    while (true) {
      if (current_) {
        if (current_.rows().next_batch(batch)) {
          untouched_ = false;
          number_rows(batch);
          return true;
        }
        retire();
        ++input_;
      }
      if (input_ >= files_.size()) {
        batch.clear();
        return false;
      }
      current_ = open_file(input_);
      current_.rows().select(selected_);
      first_row_ = next_row_;
      untouched_ = true;
    }
  }

  void seek(const RowPlace& place) override {
    if (place.input >= files_.size()) {
      throw Error(ErrorCode::internal, fmt::format("there is no input number {}", place.input));
    }
    // A file that was not read from yet can go anywhere; another one is opened again.
    if (!current_ || place.input != input_ || !untouched_) {
      if (current_) {
        retire();
      }
      input_ = place.input;
      current_ = open_file(input_);
      current_.rows().select(selected_);
    }
    current_.rows().seek(place);
    first_row_ = 0;  // the file's source counts on from the place
    next_row_ = place.row_index;
    untouched_ = false;
  }

  std::optional<double> fraction_read() const override {
    std::uint64_t total = 0;
    std::uint64_t before = 0;
    for (std::size_t input = 0; input < files_.size(); ++input) {
      total += files_[input].size;
      before += input < input_ ? files_[input].size : 0;
    }
    if (!current_ || total == 0) {
      return current_ ? current_.rows().fraction_read() : std::optional(1.0);
    }
    const auto fraction = current_.rows().fraction_read();
    if (!fraction) {
      return std::nullopt;
    }
    return (static_cast<double>(before) + *fraction * static_cast<double>(files_[input_].size)) /
           static_cast<double>(total);
  }

  std::vector<InputDescription> describe() const override {
    std::vector<InputDescription> descriptions;
    for (std::size_t input = 0; input < files_.size(); ++input) {
      descriptions.push_back(current_ && input == input_ ? description_of(input, current_)
                                                         : files_[input].description);
    }
    return descriptions;
  }

  std::optional<PrefixDigest> prefix_digest(std::size_t input) const override {
    return current_ && input == input_ ? digest_of(current_) : files_.at(input).digest;
  }

  std::uint64_t padded_rows() const override {
    std::uint64_t rows = current_ && current_.csv ? current_.csv->padded_rows() : 0;
    for (const auto& file : files_) {
      rows += file.padded_rows;
    }
    return rows;
  }

 private:
  OpenFile open_file(std::size_t input) {
    InputFile& file = files_[input];
    auto stream = open_ ? open_(file.path, settings_.encoding)
                        : open_byte_stream(file.path, settings_.encoding);
    if (file.format == InputFormat::automatic) {
      std::string head = read_up_to(*stream, k_head);
      file.format = find_format(file.path, head);
      stream = with_head(std::move(head), std::move(stream));
    }
    OpenFile opened;
    opened.format = file.format;
    if (same_family(file.format, InputFormat::json)) {
      InputSettings settings = settings_;
      settings.format =
          settings_.format == InputFormat::automatic ? InputFormat::automatic : file.format;
      opened.json = open_json(std::move(stream), settings);
    } else {
      opened.csv = open_csv(std::move(stream), settings_, file.format == InputFormat::tsv);
    }
    return opened;
  }

  InputFormat find_format(const std::string& path, std::string_view head) const {
    if (settings_.format != InputFormat::automatic) {
      return settings_.format;
    }
    if (!settings_.json_path.empty()) {
      return InputFormat::json;
    }
    const InputFormat by_name = format_by_name(path);
    // Text files come here only as the odd one among others; what they hold is told apart above.
    return format_by_content(head, by_name == InputFormat::text ? InputFormat::automatic : by_name);
  }

  // Puts the columns of one more file to those of the files before it.
  void add_columns(std::size_t input, const OpenFile& opened) {
    const auto& columns = opened.rows().columns();
    files_[input].description = description_of(input, opened);
    open_ended_ = opened.rows().is_open_ended();
    if (input == 0) {
      columns_ = columns;
      return;
    }
    const InputFile& first = files_.front();
    if (!same_family(opened.format, first.format)) {
      throw Error(ErrorCode::usage,
                  fmt::format("the inputs are of different kinds: {} is {}, {} is {}",
                              first.path,
                              format_name(first.format),
                              files_[input].path,
                              format_name(opened.format)),
                  "run them one by one, or set --input-format for all of them");
    }
    const auto more = missing_in(columns, columns_);
    if (opened.json) {
      columns_.insert(columns_.end(), more.begin(), more.end());
      return;
    }
    const auto lacking = missing_in(columns_, columns);
    if (!more.empty() || !lacking.empty()) {
      throw_different_columns(files_[input].path, more, lacking);
    }
  }

  [[noreturn]] void throw_different_columns(const std::string& path,
                                            const std::vector<std::string>& more,
                                            const std::vector<std::string>& lacking) const {
    std::string difference;
    if (!lacking.empty()) {
      difference = fmt::format("it lacks {}", name_list(lacking));
    }
    if (!more.empty()) {
      difference +=
          fmt::format("{}it has {} besides", difference.empty() ? "" : "; ", name_list(more));
    }
    throw Error(
        ErrorCode::input_malformed,
        fmt::format(
            "the columns of {} are not those of {}: {}", path, files_.front().path, difference),
        "inputs of one run need the same columns (in any order): run them one by one, or rename "
        "the "
        "columns");
  }

  InputDescription description_of(std::size_t input, const OpenFile& opened) const {
    InputDescription description{files_[input].path,
                                 opened.csv ? opened.csv->facts() : opened.json->facts(),
                                 opened.csv ? opened.csv->warnings() : opened.json->warnings()};
    if (opened.csv) {
      description.facts.emplace_back("encoding", opened.csv->stream().encoding());
      description.facts.emplace_back("compression", opened.csv->stream().compression());
    }
    return description;
  }

  static std::optional<PrefixDigest> digest_of(const OpenFile& opened) {
    return opened.csv ? opened.csv->prefix_digest() : opened.json->prefix_digest();
  }

  // Closes the current file and keeps what was learnt.
  void retire() {
    InputFile& file = files_[input_];
    file.description = description_of(input_, current_);
    file.digest = digest_of(current_);
    file.padded_rows = current_.csv ? current_.csv->padded_rows() : 0;
    current_ = OpenFile{};
  }

  // Row numbers run through all inputs; each file's own source counts from 0.
  void number_rows(RowBatch& batch) {
    const auto number = [this](RowPlace& place) {
      place.input = static_cast<std::uint32_t>(input_);
      place.row_index += first_row_;
      next_row_ = std::max(next_row_, place.row_index + 1);
    };
    std::for_each(batch.places.begin(), batch.places.end(), number);
    for (auto& bad : batch.bad_rows) {
      number(bad.place);
    }
  }

  const InputSettings settings_;
  OpenStream open_;
  std::vector<InputFile> files_;
  std::vector<std::string> columns_;
  std::vector<std::string> selected_;
  bool open_ended_ = false;
  OpenFile current_;
  std::size_t input_ = 0;        // the number of the current file
  bool untouched_ = true;        // nothing was read from the current file
  std::uint64_t first_row_ = 0;  // number of the current file's first row
  std::uint64_t next_row_ = 0;
};

// Text files behind the interface that says what is known of them.
class TextInput final : public InputSource {
 public:
  TextInput(const std::vector<std::string>& paths, const InputSettings& settings, OpenStream open)
      : rows_(make_text_files_source(paths, settings, std::move(open))) {
    description_.path = paths.size() == 1
                            ? paths.front()
                            : fmt::format("{} and {} more", paths.front(), paths.size() - 1);
    description_.facts = {{"format", "text"}, {"files", with_thousands(paths.size())}};
  }

  const std::vector<std::string>& columns() const override { return rows_->columns(); }

  bool is_open_ended() const override { return false; }

  void select(const std::vector<std::string>& names) override { rows_->select(names); }

  bool next_batch(RowBatch& batch) override { return rows_->next_batch(batch); }

  void seek(const RowPlace& place) override { rows_->seek(place); }

  std::optional<double> fraction_read() const override { return rows_->fraction_read(); }

  std::vector<InputDescription> describe() const override { return {description_}; }

  std::optional<PrefixDigest> prefix_digest(std::size_t /*input*/) const override {
    return std::nullopt;
  }

  std::uint64_t padded_rows() const override { return 0; }

 private:
  std::unique_ptr<RowSource> rows_;
  InputDescription description_;
};

// Files of which none names a data format are text files, except a lone one of no known kind: its
// content says what it is.
bool are_text_files(const std::vector<std::string>& paths, const InputSettings& settings) {
  if (settings.format != InputFormat::automatic) {
    return settings.format == InputFormat::text;
  }
  if (!settings.json_path.empty() || settings.delimiter || paths.front() == "-") {
    return false;
  }
  return std::all_of(paths.begin(), paths.end(), [&](const std::string& path) {
    const InputFormat format = format_by_name(path);
    return format == InputFormat::text || (format == InputFormat::automatic && paths.size() > 1);
  });
}

}  // namespace

std::unique_ptr<InputSource> open_inputs(const std::vector<std::string>& paths,
                                         const InputSettings& settings,
                                         OpenStream open) {
  if (paths.empty()) {
    throw Error(ErrorCode::usage, "there is no input", "name a file, or `-` for standard input");
  }
  if (are_text_files(paths, settings)) {
    return std::make_unique<TextInput>(paths, settings, std::move(open));
  }
  return std::make_unique<FilesSource>(paths, settings, std::move(open));
}

}  // namespace batchllm

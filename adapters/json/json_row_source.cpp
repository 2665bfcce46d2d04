// SPDX-License-Identifier: Apache-2.0
#include "adapters/json/json_row_source.h"

#include "adapters/json/json_cells.h"
#include "adapters/json/json_check.h"
#include "adapters/json/json_framer.h"
#include "adapters/json/json_line_framer.h"
#include "adapters/json/json_line_reader.h"
#include "adapters/json/json_members.h"
#include "adapters/json/json_path.h"
#include "adapters/json/json_window.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <limits>
#include <span>
#include <unordered_set>
#include <utility>

namespace batchllm {
namespace {

using namespace json;

constexpr std::size_t k_scouted_bytes = std::size_t{1} << 20;
constexpr std::size_t k_scouted_rows = 1000;
constexpr std::size_t k_batch_rows = 4096;

// The names that the first rows bring, in the order in which they come.
class ColumnList {
 public:
  void add_members_of(std::string_view object) {
    MemberWalk walk(object);
    Member member;
    while (walk.next(member)) {
      std::string name;
      append_unescaped(name, member.key);
      add(std::move(name));
    }
  }

  void add(std::string name) {
    if (!name.empty() && known_.insert(name).second) {
      names_.push_back(std::move(name));
    }
  }

  std::vector<std::string> take() { return std::move(names_); }

 private:
  std::unordered_set<std::string> known_;
  std::vector<std::string> names_;
};

// "/items" when `object` has one member that is an array of objects, and only one.
std::optional<std::string> only_array_of_objects(std::string_view object) {
  std::optional<std::string> found;
  MemberWalk walk(object);
  Member member;
  while (walk.next(member)) {
    const std::string_view inside = member.value.empty() ? "" : trim(member.value.substr(1));
    if (member.kind != ValueKind::array || !inside.starts_with('{')) {
      continue;
    }
    if (found) {
      return std::nullopt;
    }
    found = "/";
    append_unescaped(*found, member.key);
  }
  return found;
}

class Source final : public JsonRowSource {
 public:
  Source(std::unique_ptr<ByteStream> stream, const InputSettings& settings)
      : window_(std::move(stream)),
        max_row_bytes_(settings.max_row_bytes),
        picker_({}) {
    window_.fill_to(k_scouted_bytes);
    std::uint64_t line = 1;
    if (settings.json_path.empty()) {
      framing_ = settings.format == InputFormat::jsonl
                     ? Framing::lines
                     : detect_framing(window_.rest(), window_.at_end());
    } else {
      framing_ = Framing::array;
      json_path_ = settings.json_path;
      line = find_array(window_, json_path_);
    }
    if (framing_ == Framing::lines) {
      auto framer = std::make_unique<LineFramer>(window_, max_row_bytes_);
      line_framer_ = framer.get();
      line_reader_ = std::make_unique<LineReader>(max_row_bytes_);
      framer_ = std::move(framer);
    } else {
      if (framing_ == Framing::array && json_path_.empty()) {
        line += enter_array();
      }
      framer_ = make_value_framer(
          window_, max_row_bytes_, framing_ == Framing::array, !json_path_.empty());
    }
    scout(line);
  }

  const std::vector<std::string>& columns() const override { return columns_; }

  bool is_open_ended() const override { return true; }

  void select(const std::vector<std::string>& names) override { picker_ = CellPicker(names); }

  bool next_batch(RowBatch& batch) override {
    batch.clear();
    arena_.clear();
    batch.column_count = picker_.column_count();
    JsonRecord record;
    while (has_room(batch)) {
      if (line_framer_ != nullptr && read_lines(batch)) {
        continue;
      }
      switch (framer_->next(record)) {
        case FrameResult::record:
          add(record, batch);
          break;
        case FrameResult::need_more:
          // Rows at hand go out first: fetching would move them, and may wait for a pipe.
          if (!batch.empty()) {
            return true;
          }
          window_.fill();
          lines_end_ = 0;
          break;
        case FrameResult::end:
          return !batch.empty();
      }
    }
    return true;
  }

  void seek(const RowPlace& place) override {
    if (!window_.can_seek(place.byte_offset)) {
      throw Error(
          ErrorCode::internal,
          fmt::format("{} cannot go back to byte {}", window_.stream().name(), place.byte_offset));
    }
    window_.seek(place.byte_offset);
    framer_->restart(place.line);
    lines_end_ = 0;
    one_by_one_end_ = 0;
    row_index_ = place.row_index;
  }

  std::optional<double> fraction_read() const override {
    const auto fetched = window_.stream().fraction_read();
    if (!fetched || window_.rest().empty()) {
      return fetched;
    }
    // Of what was fetched, only what was handed out counts: in a small file everything is in the
    // buffer long before its rows are.
    const auto handed_out = static_cast<double>(window_.offset());
    return *fetched * handed_out / (handed_out + static_cast<double>(window_.rest().size()));
  }

  std::optional<PrefixDigest> prefix_digest() const override {
    return window_.stream().prefix_digest();
  }

  std::vector<std::pair<std::string, std::string>> facts() const override {
    std::vector<std::pair<std::string, std::string>> facts = {
        {"format", framing_ == Framing::lines ? "jsonl" : "json"},
        {"rows", std::string(framing_name(framing_))},
    };
    if (!json_path_.empty()) {
      facts.emplace_back("json path", json_path_);
    }
    facts.emplace_back("encoding", window_.stream().encoding());
    facts.emplace_back("compression", window_.stream().compression());
    return facts;
  }

  std::vector<std::string> warnings() const override { return warnings_; }

 private:
  // Goes behind the opening bracket; returns the lines that were passed.
  std::uint64_t enter_array() {
    const std::string_view rest = window_.rest();
    const std::size_t bracket = rest.find('[');
    const auto lines = static_cast<std::uint64_t>(
        std::count(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(bracket), '\n'));
    window_.consume(bracket + 1);
    return lines;
  }

  // Reads the first rows for their columns, then goes back to the first one.
  void scout(std::uint64_t line) {
    const std::uint64_t start = window_.offset();
    framer_->restart(line);
    ColumnList columns;
    JsonRecord record;
    std::size_t rows = 0;
    std::string only_row;
    for (std::size_t records = 0; records < k_scouted_rows;) {
      const FrameResult result = framer_->next(record);
      if (result == FrameResult::end) {
        break;
      }
      if (result == FrameResult::need_more) {
        if (records != 0 || !grow_for_first_record(start, line)) {
          break;
        }
        continue;
      }
      ++records;
      if (records == 1 && record.problem == "too_long") {
        refuse_wrapped_rows(record.text, line);
      }
      if (find_problem(record)) {
        continue;
      }
      ++rows;
      if (record.text.front() != '{') {
        columns.add(std::string(CellPicker::k_value_column));
        continue;
      }
      columns.add_members_of(record.text);
      if (rows == 1 && framing_ != Framing::array) {
        only_row = only_array_of_objects(record.text).value_or("");
      }
    }
    if (rows == 1 && window_.at_end() && !only_row.empty()) {
      warnings_.push_back(fmt::format(
          "the file is one object, so there is one row; --json-path {} takes the rows from "
          "the array in it",
          one_line(only_row, 100)));
    }
    columns_ = columns.take();
    picker_ = CellPicker(columns_);
    window_.rewind(start);
    framer_->restart(line);
  }

  // The first record is longer than what was fetched: false when it is longer than a row may be.
  bool grow_for_first_record(std::uint64_t start, std::uint64_t line) {
    const std::size_t limit = max_row_bytes_ + JsonWindow::k_block;
    window_.rewind(start);
    const std::size_t before = window_.rest().size();
    if (before > limit || window_.at_end()) {
      refuse_wrapped_rows(window_.rest(), line);
      return false;
    }
    window_.fill_to(std::min(limit + 1, 2 * before + 1));
    framer_->restart(line);
    return true;
  }

  // A first value beyond the limit is most likely an object around the array that holds the rows.
  void refuse_wrapped_rows(std::string_view value, std::uint64_t line) const {
    const auto path = value.starts_with('{') ? only_array_of_objects(value) : std::nullopt;
    if (framing_ == Framing::array || (framing_ == Framing::lines && !path)) {
      return;
    }
    throw Error(
        ErrorCode::input_malformed,
        fmt::format("{}: the value that begins at line {} does not end within {} (--max-row-bytes)",
                    window_.stream().name(),
                    line,
                    bytes_text(max_row_bytes_)),
        fmt::format("if its rows are in an array inside, name it: --json-path {}",
                    path ? one_line(*path, 100) : "/items"));
  }

  static bool has_room(const RowBatch& batch) noexcept {
    return batch.row_count() + batch.bad_rows.size() < k_batch_rows;
  }

  // Reads rows of the lines that are in the window, many at once. False when the next line has to
  // be read by itself: it is not all there, or it is not simply a good object, or it is among lines
  // of which one is so broken that they have no common tokens.
  bool read_lines(RowBatch& batch) {
    const std::uint64_t offset = window_.offset();
    if (offset < one_by_one_end_) {
      return false;
    }
    if (offset < lines_end_) {
      line_reader_->skip_to(static_cast<std::size_t>(offset - lines_begin_), line_framer_->line());
    } else if (!start_lines()) {
      return false;
    }
    LineRow row;
    LineReader::Found found = LineReader::Found::row;
    while (found == LineReader::Found::row && has_room(batch)) {
      found = line_reader_->next(picker_, batch, arena_, row);
      if (found == LineReader::Found::row) {
        batch.places.push_back(next_place(row.line, lines_begin_ + row.begin, row.length));
        batch.records.push_back(line_reader_->lines().substr(row.begin, row.length));
      }
    }
    line_framer_->go_on_at(lines_begin_ + line_reader_->at(), line_reader_->line());
    return found != LineReader::Found::doubtful;
  }

  bool start_lines() {
    const std::string_view lines = line_framer_->whole_lines(LineTokens::k_most_bytes);
    if (lines.empty()) {
      return false;
    }
    lines_begin_ = window_.offset();
    lines_end_ = lines_begin_ + lines.size();
    if (!line_reader_->start(lines, line_framer_->line())) {
      one_by_one_end_ = lines_end_;
      return false;
    }
    return true;
  }

  RowPlace next_place(std::uint64_t line, std::uint64_t offset, std::uint64_t length) noexcept {
    RowPlace place;
    place.row_index = row_index_++;
    place.line = line;
    place.byte_offset = offset;
    place.byte_length = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(length, std::numeric_limits<std::uint32_t>::max()));
    return place;
  }

  void add(JsonRecord& record, RowBatch& batch) {
    const auto problem = find_problem(record);
    const RowPlace place = next_place(record.line, record.offset, record.length);
    if (problem) {
      const std::string_view raw = record.text.substr(0, BadRow::k_bad_row_bytes);
      batch.bad_rows.push_back({place, problem->reason, problem->message, std::string(raw)});
      return;
    }
    framer_->learn(record);
    batch.places.push_back(place);
    batch.records.push_back(record.text);
    if (picker_.column_count() != 0) {
      picker_.pick(record.text, tokens_, batch, arena_);
    }
  }

  struct Problem {
    std::string reason;
    std::string message;
  };

  // nullopt: the record is a row. A record that is not JSON is cut before its first neighbour.
  std::optional<Problem> find_problem(JsonRecord& record) {
    if (!record.problem.empty()) {
      return Problem{std::string(record.problem), std::string(record.message)};
    }
    simdjson::dom::element value;
    // The window is padded, so the parser needs no copy.
    const auto error = parser_.parse(record.text.data(), record.text.size(), false).get(value);
    // The tokens that the parser went along are the quickest way to the cells.
    tokens_ = error == simdjson::SUCCESS
                  ? std::span<const std::uint32_t>(parser_.implementation->structural_indexes.get(),
                                                   parser_.implementation->n_structural_indexes)
                  : std::span<const std::uint32_t>();
    if (error != simdjson::SUCCESS) {
      if (const auto problem = check_json(record.text)) {
        framer_->cut(record);
        return Problem{error == simdjson::UTF8_ERROR ? "not_utf8" : "not_json",
                       fmt::format("{}, {} bytes into the row", problem->reason, problem->offset)};
      }
      // JSON after all: the parser knows no numbers beyond 64 bits and no 1e999.
    }
    if (record.text.front() == '[') {
      return Problem{"not_object",
                     "the row is an array; a row has to be an object with named members"};
    }
    return std::nullopt;
  }

  JsonWindow window_;
  const std::size_t max_row_bytes_;
  std::string json_path_;
  Framing framing_ = Framing::lines;
  std::unique_ptr<JsonFramer> framer_;
  LineFramer* line_framer_ = nullptr;        // the same, when the framing is lines
  std::unique_ptr<LineReader> line_reader_;  // for lines, too
  std::uint64_t lines_begin_ = 0;            // of the lines that line_reader_ has
  std::uint64_t lines_end_ = 0;              // zero when they have been moved
  std::uint64_t one_by_one_end_ = 0;         // up to here line_reader_ has to be left alone
  simdjson::dom::parser parser_;
  std::span<const std::uint32_t> tokens_;  // of the record that was parsed last
  CellPicker picker_;
  TextArena arena_;
  std::vector<std::string> columns_;
  std::vector<std::string> warnings_;
  std::uint64_t row_index_ = 0;
};

}  // namespace

std::unique_ptr<JsonRowSource> open_json(std::unique_ptr<ByteStream> stream,
                                         const InputSettings& settings) {
  return std::make_unique<Source>(std::move(stream), settings);
}

}  // namespace batchllm

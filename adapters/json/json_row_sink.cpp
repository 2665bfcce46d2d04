// SPDX-License-Identifier: Apache-2.0
#include "adapters/json/json_row_sink.h"

#include "adapters/json/json_members.h"
#include "core/json_text.h"

#include <simdjson.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace batchllm {
namespace {

using namespace json;

class JsonRowSink final : public RowSink {
 public:
  JsonRowSink(std::unique_ptr<ByteSink> bytes, JsonLayout layout, bool keep_record)
      : bytes_(std::move(bytes)),
        layout_(layout),
        keep_record_(keep_record) {}

  void begin(const std::vector<std::string>& input_columns,
             const std::vector<std::string>& new_columns) override {
    for (const auto& column : input_columns) {
      const bool replaced =
          std::find(new_columns.begin(), new_columns.end(), column) != new_columns.end();
      input_keys_.push_back(replaced ? std::string() : json_string(column) + ":");
    }
    for (const auto& column : new_columns) {
      new_names_.push_back(column);
      new_keys_.push_back(json_string(column) + ":");
    }
  }

  void write(const RowBatch& batch, std::size_t row, std::span<const NewCell> added) override {
    line_.clear();
    if (layout_ == JsonLayout::array) {
      line_ += rows_ == 0 ? "[\n" : ",\n";
    }
    line_ += '{';
    first_ = true;
    const std::string_view record = keep_record_ ? batch.record(row) : std::string_view{};
    if (record.starts_with('{')) {
      append_record(record);
    } else {
      append_cells(batch, row);
    }
    append_added(added);
    line_ += layout_ == JsonLayout::lines ? "}\n" : "}";
    bytes_->write(line_);
    ++rows_;
  }

  void flush() override { bytes_->flush(); }

  void finish() override {
    if (layout_ == JsonLayout::array) {
      bytes_->write(rows_ == 0 ? "[]\n" : "\n]\n");
    }
    bytes_->finish();
  }

 private:
  void separate() {
    if (!first_) {
      line_ += ',';
    }
    first_ = false;
  }

  void append_record(std::string_view record) {
    if (record.find('\n') != std::string_view::npos) {
      record = on_one_line(record);
    }
    if (has_replaced_member(record)) {
      append_kept_members(record);
      return;
    }
    std::string_view inside = record.substr(1, record.size() - 2);
    inside = inside.substr(0, inside.find_last_not_of(" \t\r") + 1);
    if (inside.find_first_not_of(" \t\r") != std::string_view::npos) {
      separate();
      line_ += inside;
    }
  }

  // A record that its input spreads over lines.
  std::string_view on_one_line(std::string_view record) {
    constexpr std::size_t k_slack = 64;
    minified_.resize(record.size() + k_slack);
    std::size_t length = 0;
    if (simdjson::minify(record.data(), record.size(), minified_.data(), length) !=
        simdjson::SUCCESS) {
      return record;
    }
    return std::string_view(minified_).substr(0, length);
  }

  bool is_replaced(const Member& member) {
    std::string_view name = member.key;
    if (name.find('\\') != std::string_view::npos) {
      name_.clear();
      append_unescaped(name_, member.key);
      name = name_;
    }
    return std::find(new_names_.begin(), new_names_.end(), name) != new_names_.end();
  }

  bool has_replaced_member(std::string_view record) {
    MemberWalk walk(record);
    Member member;
    while (walk.next(member)) {
      if (is_replaced(member)) {
        return true;
      }
    }
    return false;
  }

  void append_kept_members(std::string_view record) {
    MemberWalk walk(record);
    Member member;
    while (walk.next(member)) {
      if (is_replaced(member)) {
        continue;
      }
      separate();
      line_ += '"';
      line_ += member.key;
      line_ += "\":";
      const char* quote = member.kind == ValueKind::string ? "\"" : "";
      line_ += quote;
      line_ += member.value;
      line_ += quote;
    }
  }

  void append_cells(const RowBatch& batch, std::size_t row) {
    const auto cells = batch.row_cells(row);
    for (std::size_t column = 0; column < std::min(cells.size(), input_keys_.size()); ++column) {
      if (input_keys_[column].empty()) {
        continue;
      }
      separate();
      line_ += input_keys_[column];
      append_value(cells[column], batch.cell_kind(row, column));
    }
  }

  void append_added(std::span<const NewCell> added) {
    for (std::size_t i = 0; i < std::min(added.size(), new_keys_.size()); ++i) {
      separate();
      line_ += new_keys_[i];
      append_value(added[i].text, added[i].kind);
    }
  }

  void append_value(std::string_view text, CellKind kind) {
    if (kind == CellKind::text || text.data() == nullptr) {
      append_json_string(line_, text);
    } else if (text.find('\n') == std::string_view::npos) {
      line_ += text;
    } else {
      line_ += on_one_line(text);
    }
  }

  std::unique_ptr<ByteSink> bytes_;
  const JsonLayout layout_;
  const bool keep_record_;
  std::vector<std::string> input_keys_;  // `"name":`, empty for a column that a new one replaces
  std::vector<std::string> new_names_;
  std::vector<std::string> new_keys_;
  std::uint64_t rows_ = 0;
  bool first_ = true;
  std::string line_;
  std::string minified_;
  std::string name_;
};

}  // namespace

std::unique_ptr<RowSink> make_json_row_sink(std::unique_ptr<ByteSink> bytes,
                                            JsonLayout layout,
                                            bool keep_record) {
  return std::make_unique<JsonRowSink>(std::move(bytes), layout, keep_record);
}

}  // namespace batchllm

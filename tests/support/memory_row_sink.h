// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/row_sink.h"

#include <mutex>
#include <string>
#include <vector>

namespace batchllm {

// What sinks wrote, one after the other. Thread-safe, so that a test can look while a writer works.
class WrittenRows {
 public:
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

  bool is_finished() const {
    const std::lock_guard lock(mutex_);
    return finished_;
  }

  int times_opened() const {
    const std::lock_guard lock(mutex_);
    return opened_;
  }

 private:
  friend class MemoryRowSink;

  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
  int opened_ = 0;
  bool finished_ = false;
};

// Writes "cell|cell|new|new" lines, the first of which names the columns; null is "-". A new sink
// empties what the one before it wrote, as opening a file does.
class MemoryRowSink final : public RowSink {
 public:
  explicit MemoryRowSink(WrittenRows& written) : written_(written) {
    const std::lock_guard lock(written_.mutex_);
    written_.lines_.clear();
    written_.finished_ = false;
    ++written_.opened_;
  }

  void begin(const std::vector<std::string>& input_columns,
             const std::vector<std::string>& new_columns) override {
    std::string line;
    for (const auto& names : {input_columns, new_columns}) {
      for (const auto& name : names) {
        line += (line.empty() ? "" : "|") + name;
      }
    }
    add(line);
  }

  void write(const RowBatch& batch, std::size_t row, std::span<const NewCell> added) override {
    std::string line;
    for (const auto cell : batch.row_cells(row)) {
      line += (line.empty() ? "" : "|") + std::string(cell);
    }
    for (const auto& cell : added) {
      line += "|" + (cell.text.data() == nullptr ? std::string("-") : std::string(cell.text));
    }
    add(line);
  }

  void flush() override {}

  void finish() override {
    const std::lock_guard lock(written_.mutex_);
    written_.finished_ = true;
  }

 private:
  void add(const std::string& line) {
    const std::lock_guard lock(written_.mutex_);
    written_.lines_.push_back(line);
  }

  WrittenRows& written_;
};

}  // namespace batchllm

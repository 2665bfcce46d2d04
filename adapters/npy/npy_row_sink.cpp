// SPDX-License-Identifier: Apache-2.0
#include "adapters/npy/npy_row_sink.h"

#include "adapters/stream/file_descriptor.h"
#include "adapters/stream/storage_error.h"
#include "core/error.h"
#include "core/float_vector.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm {
namespace {

constexpr std::size_t k_header_bytes = 128;  // a multiple of 64, as readers that map it want
constexpr std::size_t k_buffer = std::size_t{256} << 10;

std::string header(std::uint64_t rows, std::size_t columns) {
  constexpr std::size_t k_before_text = 10;
  constexpr std::size_t k_text = k_header_bytes - k_before_text;
  std::string text = "\x93NUMPY";
  text += '\x01';
  text += '\0';
  text += static_cast<char>(k_text);
  text += '\0';
  text +=
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, columns);
  text.resize(k_header_bytes - 1, ' ');
  return text + '\n';
}

class NpyRowSink final : public RowSink {
 public:
  explicit NpyRowSink(const std::string& path)
      : path_(path),
        file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
    if (!file_) {
      throw_storage_error(path_, errno);
    }
    buffer_.reserve(k_buffer);
  }

  void begin(const std::vector<std::string>& /*input_columns*/,
             const std::vector<std::string>& /*new_columns*/) override {
    put(header(0, 0));
  }

  void write(const RowBatch& batch, std::size_t row, std::span<const NewCell> added) override {
    const std::string_view cell = added.front().text;
    ++rows_;
    if (cell.data() == nullptr) {
      put_missing();
      return;
    }
    if (!read_vector(cell, vector_, bytes_)) {
      throw Error(ErrorCode::job_corrupt, "a vector in the ledger cannot be read");
    }
    if (columns_ == 0) {
      columns_ = vector_.size();
      for (; missing_before_ != 0; --missing_before_) {
        put_missing();
      }
    }
    if (vector_.size() != columns_) {
      throw Error(ErrorCode::usage,
                  fmt::format("row {}: its vector has {} numbers, those before have {}",
                              batch.places[row].row_index + 1,
                              vector_.size(),
                              columns_),
                  "a matrix needs vectors of one length; write them as .jsonl: batchllm results "
                  "export");
    }
    put(bytes_);
  }

  void flush() override { write_out(); }

  void finish() override {
    write_out();
    const std::string text = header(rows_, columns_);
    if (::pwrite(file_.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) ||
        ::fsync(file_.get()) != 0 || ::close(file_.release()) != 0) {
      throw_storage_error(path_, errno);
    }
  }

 private:
  // How long vectors are tells the first one that is there.
  void put_missing() {
    if (columns_ == 0) {
      ++missing_before_;
      return;
    }
    constexpr float k_missing = std::numeric_limits<float>::quiet_NaN();
    const std::string_view number(reinterpret_cast<const char*>(&k_missing),  // NOLINT
                                  sizeof k_missing);
    for (std::size_t i = 0; i < columns_; ++i) {
      put(number);
    }
  }

  void put(std::string_view bytes) {
    if (buffer_.size() + bytes.size() > k_buffer) {
      write_out();
    }
    buffer_ += bytes;
  }

  void write_out() {
    std::string_view rest = buffer_;
    while (!rest.empty()) {
      const ssize_t count = ::write(file_.get(), rest.data(), rest.size());
      if (count < 0 && errno != EINTR) {
        throw_storage_error(path_, errno);
      }
      rest.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
    }
    buffer_.clear();
  }

  std::string path_;
  FileDescriptor file_;
  std::string buffer_;
  std::uint64_t rows_ = 0;
  std::uint64_t missing_before_ = 0;  // rows without a vector before the first that has one
  std::size_t columns_ = 0;
  std::vector<float> vector_;
  std::string bytes_;
};

}  // namespace

std::unique_ptr<RowSink> open_npy_row_sink(const std::string& path) {
  return std::make_unique<NpyRowSink>(path);
}

}  // namespace batchllm

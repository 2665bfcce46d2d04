// SPDX-License-Identifier: Apache-2.0
#include "core/reject_log.h"

#include "core/atomic_file.h"
#include "core/base64.h"
#include "core/json_text.h"
#include "core/text.h"

#include <simdjson.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

namespace batchllm {
namespace {

constexpr std::size_t k_log_limit = std::size_t{4} << 30;

}  // namespace

RejectLog::RejectLog(std::filesystem::path path, std::vector<std::string> inputs)
    : path_(std::move(path)),
      inputs_(std::move(inputs)) {
  std::error_code error;
  if (!std::filesystem::exists(path_, error)) {
    return;
  }
  const std::string text = read_file(path_, k_log_limit);
  simdjson::dom::parser parser;
  std::size_t good_bytes = 0;
  std::size_t start = 0;
  for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', start)) {
    std::uint64_t row = 0;
    if (parser.parse(text.data() + start, end - start)["row"].get(row) != simdjson::SUCCESS) {
      break;
    }
    next_row_ = row;  // rows are numbered from 1: this is the index behind it
    ++count_;
    start = end + 1;
    good_bytes = start;
  }
  if (good_bytes != text.size()) {
    std::filesystem::resize_file(path_, good_bytes, error);
  }
}

void RejectLog::add(const BadRow& row) {
  if (row.place.row_index < next_row_) {
    return;
  }
  if (!file_.is_open()) {
    file_ = FileHandle(open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!file_.is_open()) {
      throw_storage_error("create", path_.string(), errno);
    }
  }
  const std::string& input =
      row.place.input < inputs_.size() ? inputs_[row.place.input] : std::string();
  write_all(file_.get(), reject_json(row, input) + "\n", path_.string());
  next_row_ = row.place.row_index + 1;
  ++count_;
}

std::string reject_json(const BadRow& row, const std::string& input) {
  JsonWriter json;
  json.begin_object().key("file").string(as_utf8(input)).key("row").number(row.place.row_index + 1);
  json.key("line").number(row.place.line).key("byte").number(row.place.byte_offset);
  json.key("bytes").number(std::uint64_t{row.place.byte_length});
  json.key("reason").string(row.reason).key("message").string(as_utf8(row.message));
  if (is_utf8(row.raw)) {
    json.key("raw").string(row.raw);
  } else {
    std::string encoded;
    append_base64(encoded, row.raw);
    json.key("raw_base64").string(encoded);
  }
  return json.end_object().text();
}

}  // namespace batchllm

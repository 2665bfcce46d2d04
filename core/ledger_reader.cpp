// SPDX-License-Identifier: Apache-2.0
#include "core/ledger_reader.h"

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace batchllm {
namespace {

constexpr std::size_t k_scan_block_bytes = std::size_t{1} << 20;
constexpr std::size_t k_reader_block_bytes = std::size_t{64} << 10;
constexpr std::size_t k_reader_blocks = 32;
constexpr std::size_t k_longest_line = std::size_t{1} << 30;

// The number behind `name` in a line that we wrote, 0 when it is not there. Quotes inside of
// strings are escaped, so the name cannot be part of a value.
std::int64_t number_after(std::string_view line, std::string_view name) {
  const auto at = line.rfind(name);
  std::int64_t value = 0;
  if (at != std::string_view::npos) {
    std::from_chars(line.data() + at + name.size(), line.data() + line.size(), value);
  }
  return value;
}

void add_usage(ShardTotals& totals, std::string_view line) {
  // The numbers stand behind the strings: the last bytes hold them, even when a long
  // request id stands behind.
  constexpr std::size_t k_tail = 2048;
  const std::string_view tail = line.size() > k_tail ? line.substr(line.size() - k_tail) : line;
  totals.cost_micro_usd += number_after(tail, R"(,"cost_micro_usd":)");
  totals.input_tokens += number_after(tail, R"(,"input_tokens":)");
  totals.output_tokens += number_after(tail, R"(,"output_tokens":)");
}

// Walks over a ledger's lines and keeps account of rows and attempts.
class Scanner {
 public:
  using OutcomeFunction = std::function<void(std::uint64_t, std::string_view, const LineGlance&)>;

  Scanner(std::string path, const OutcomeFunction& outcome)
      : path_(std::move(path)),
        outcome_(outcome) {}

  void line(std::uint64_t offset, std::string_view text) {
    if (is_intact(text)) {
      take(offset, text);
      result_.intact_bytes = offset + text.size() + 1;
      return;
    }
    std::uint64_t found = 0;
    result_.lost_records += salvage_records(text, [&](std::size_t at, std::string_view record) {
      take(offset + at, record);
      ++found;
    });
    if (found != 0) {
      result_.intact_bytes = offset + text.size() + 1;
    }
  }

  // Bytes behind the last line feed: a record that was not written whole, or only lacks its line
  // feed.
  void torn_end(std::uint64_t offset, std::string_view text) {
    if (is_intact(text)) {
      take(offset, text);
      result_.intact_bytes = offset + text.size();
      result_.lacks_line_feed = true;
      return;
    }
    // Whole records may stand before the torn one when the line feed between them is damaged.
    salvage_records(text, [&](std::size_t at, std::string_view record) {
      take(offset + at, record);
      result_.intact_bytes = offset + at + record.size();
      result_.lacks_line_feed = true;
    });
  }

  LedgerScan finish(std::uint64_t file_bytes) {
    result_.file_bytes = file_bytes;
    return std::move(result_);
  }

 private:
  void take(std::uint64_t offset, std::string_view text) {
    const LineGlance seen = glance(text);
    switch (seen.kind) {
      case LineGlance::Kind::header:
        check_version(text);
        break;
      case LineGlance::Kind::sent:
        for (const auto& record : read_sent_line(text)) {
          OpenAttempt& attempt = result_.open_attempts[record.row_index];
          attempt.attempts = std::max(attempt.attempts, record.attempt);
          // An earlier attempt without a clear end may have cost something, too.
          attempt.max_cost_micro_usd =
              record.max_cost_micro_usd + (attempt.answered ? 0 : attempt.max_cost_micro_usd);
          attempt.answered = false;
        }
        break;
      case LineGlance::Kind::ended:
        for (const auto& record : read_ended_line(text)) {
          end_attempt(record);
        }
        break;
      case LineGlance::Kind::answer:
        take_answer(text);
        break;
      case LineGlance::Kind::outcome:
        forget_attempts(seen);
        add_usage(result_.totals, text);
        outcome_(offset, text, seen);
        break;
      case LineGlance::Kind::other:
        break;
    }
  }

  void take_answer(std::string_view text) {
    if (auto answer = read_answer_line(text)) {
      OpenAttempt& attempt = result_.open_attempts[answer->row_index];
      attempt.attempts = std::max(attempt.attempts, answer->attempt);
      attempt.answered = true;
      attempt.answers.push_back(*std::move(answer));
    }
  }

  // A row that failed may be asked again: by then it still has the answers of the steps before.
  void forget_attempts(const LineGlance& seen) {
    const auto found = result_.open_attempts.find(seen.row_index);
    if (found == result_.open_attempts.end()) {
      return;
    }
    std::erase_if(found->second.answers,
                  [](const StepAnswer& answer) { return answer.failure != RowFailure::none; });
    if (seen.status == RowStatus::ok || found->second.answers.empty()) {
      result_.open_attempts.erase(found);
      return;
    }
    found->second.answered = true;
    found->second.max_cost_micro_usd = 0;
    for (StepAnswer& answer : found->second.answers) {
      answer.usage = {};  // the outcome has counted it
      answer.cost_micro_usd.reset();
    }
  }

  void end_attempt(const EndedRecord& record) {
    const auto found = result_.open_attempts.find(record.row_index);
    if (found == result_.open_attempts.end()) {
      return;
    }
    // A lost connection or a timeout says nothing about what the provider did with the request.
    const bool unclear =
        record.failure == RowFailure::timeout || record.failure == RowFailure::protocol_error;
    found->second.answered = !unclear;
  }

  void check_version(std::string_view text) const {
    constexpr std::string_view k_name = R"({"ledger":)";
    int version = 0;
    std::from_chars(text.data() + k_name.size(), text.data() + text.size(), version);
    if (version > k_ledger_version) {
      throw Error(ErrorCode::job_corrupt,
                  fmt::format("{} has format version {}, this program knows up to {}",
                              path_,
                              version,
                              k_ledger_version),
                  "use the newer batchllm that wrote it");
    }
  }

  std::string path_;
  const OutcomeFunction& outcome_;
  LedgerScan result_;
};

}  // namespace

LedgerScan scan_ledger(
    const std::filesystem::path& path,
    const std::function<void(std::uint64_t, std::string_view, const LineGlance&)>& outcome) {
  Scanner scanner(path.string(), outcome);
  const FileHandle file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    if (errno == ENOENT) {
      return scanner.finish(0);
    }
    throw_storage_error("read", path.string(), errno);
  }
  std::string buffer;
  std::uint64_t buffer_offset = 0;
  std::size_t searched = 0;
  while (true) {
    const std::size_t have = buffer.size();
    buffer.resize(have + k_scan_block_bytes);
    ssize_t got = 0;
    do {
      got = read(file.get(), buffer.data() + have, k_scan_block_bytes);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
      throw_storage_error("read", path.string(), errno);
    }
    buffer.resize(have + static_cast<std::size_t>(got));
    std::size_t start = 0;
    for (std::size_t end = buffer.find('\n', searched); end != std::string::npos;
         end = buffer.find('\n', start)) {
      scanner.line(buffer_offset + start, std::string_view(buffer).substr(start, end - start));
      start = end + 1;
    }
    buffer.erase(0, start);
    buffer_offset += start;
    searched = buffer.size();
    if (got == 0) {
      scanner.torn_end(buffer_offset, buffer);
      return scanner.finish(buffer_offset + buffer.size());
    }
    if (buffer.size() > k_longest_line) {
      throw Error(ErrorCode::job_corrupt,
                  fmt::format("{}: a line of more than {} at byte {}",
                              path.string(),
                              bytes_text(k_longest_line),
                              buffer_offset));
    }
  }
}

LedgerReader::LedgerReader(const std::filesystem::path& path)
    : path_(path),
      file_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (!file_.is_open()) {
    throw_storage_error("read", path.string(), errno);
  }
}

const LedgerReader::Block* LedgerReader::block_with(std::uint64_t offset) {
  const std::uint64_t start = offset / k_reader_block_bytes * k_reader_block_bytes;
  Block* oldest = nullptr;
  for (Block& block : blocks_) {
    if (block.offset == start && offset < start + block.bytes.size()) {
      block.used_at = ++clock_;
      return &block;
    }
    // A block that was read before the file grew is read again.
    if (oldest == nullptr || block.offset == start ||
        (oldest->offset != start && block.used_at < oldest->used_at)) {
      oldest = &block;
    }
  }
  if (blocks_.size() < k_reader_blocks && (oldest == nullptr || oldest->offset != start)) {
    oldest = &blocks_.emplace_back();
  }
  oldest->offset = start;
  oldest->used_at = ++clock_;
  oldest->bytes.resize(k_reader_block_bytes);
  ssize_t got = 0;
  do {
    got = pread(file_.get(), oldest->bytes.data(), oldest->bytes.size(), static_cast<off_t>(start));
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    throw_storage_error("read", path_.string(), errno);
  }
  oldest->bytes.resize(static_cast<std::size_t>(got));
  return offset < start + oldest->bytes.size() ? oldest : nullptr;
}

std::string_view LedgerReader::bytes_at(std::uint64_t offset) {
  const Block* block = block_with(offset);
  if (block == nullptr) {
    throw Error(ErrorCode::job_corrupt,
                fmt::format("{} ends before byte {}", path_.string(), offset));
  }
  return std::string_view(block->bytes).substr(offset - block->offset);
}

std::string_view LedgerReader::line_at(std::uint64_t offset) {
  std::string_view bytes = bytes_at(offset);
  auto end = bytes.find('\n');
  if (end != std::string_view::npos) {
    bytes = bytes.substr(0, end);
  } else {
    spanning_.assign(bytes);
    while (true) {
      if (block_with(offset + spanning_.size()) == nullptr) {
        break;  // the last record of the file lacks its line feed, or is torn
      }
      const std::string_view more = bytes_at(offset + spanning_.size());
      end = more.find('\n');
      spanning_.append(more.substr(0, end));
      if (end != std::string_view::npos) {
        break;
      }
    }
    bytes = spanning_;
  }
  if (!is_intact(bytes)) {
    // A record whose line feed was damaged: it ends with its own seal.
    std::string record;
    salvage_records(bytes, [&](std::size_t at, std::string_view text) {
      if (at == 0) {
        record = text;
      }
    });
    if (record.empty()) {
      throw Error(ErrorCode::job_corrupt,
                  fmt::format("{}: damaged record at byte {}", path_.string(), offset));
    }
    spanning_ = std::move(record);
    bytes = spanning_;
  }
  return bytes;
}

}  // namespace batchllm

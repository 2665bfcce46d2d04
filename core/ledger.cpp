// SPDX-License-Identifier: Apache-2.0
#include "core/ledger.h"

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace batchllm {
namespace {

constexpr std::size_t k_kept_buffer_bytes = std::size_t{1} << 20;

void add_outcome(ShardTotals& totals, RowStatus status, std::int64_t sign) {
  const auto step = static_cast<std::uint64_t>(sign);
  switch (status) {
    case RowStatus::ok:
      totals.ok += step;
      break;
    case RowStatus::failed:
      totals.failed += step;
      break;
    case RowStatus::skipped:
      totals.skipped += step;
      break;
  }
}

// Appends all of `bytes` to a file of `size` bytes, or nothing: half a record would swallow the
// next one and shift what the offsets of later records say.
void append_whole(int descriptor,
                  std::uint64_t& size,
                  std::string_view bytes,
                  const std::string& path) {
  try {
    write_all(descriptor, bytes, path);
  } catch (const Error&) {
    const int cut = ftruncate(descriptor, static_cast<off_t>(size));
    (void)cut;
    throw;
  }
  size += bytes.size();
}

}  // namespace

Ledger::Ledger(std::filesystem::path folder, std::string job_id)
    : folder_(std::move(folder)),
      job_id_(std::move(job_id)) {}

std::filesystem::path Ledger::shard_path(const std::filesystem::path& folder,
                                         std::uint64_t number) {
  return folder / fmt::format("ledger-{:05}.jsonl", number);
}

std::vector<std::uint64_t> Ledger::shards_in(const std::filesystem::path& folder) {
  std::vector<std::uint64_t> numbers;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("ledger-") && name.ends_with(".jsonl")) {
      numbers.push_back(std::strtoull(name.c_str() + 7, nullptr, 10));
    }
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::shared_ptr<Shard> Ledger::open_shard(std::uint64_t number) {
  const MutexLock lock(mutex_);
  const auto found = files_.find(number);
  if (found != files_.end()) {
    return found->second->shard;
  }
  const std::filesystem::path path = shard_path(folder_, number);
  auto file = std::make_unique<File>();
  file->shard = std::make_shared<Shard>(number);
  Shard& shard = *file->shard;
  LedgerScan scan =
      scan_ledger(path, [&](std::uint64_t offset, std::string_view, const LineGlance& seen) {
        if (seen.row_index < shard.first_row() ||
            seen.row_index >= shard.first_row() + k_rows_per_shard) {
          return;
        }
        const RowState before = shard.state(seen.row_index);
        if (before.kind() == RowState::Kind::settled) {
          add_outcome(file->totals, before.status(), -1);
        }
        shard.settle(seen.row_index, seen.status, offset);
        add_outcome(file->totals, seen.status, 1);
      });
  file->totals.cost_micro_usd = scan.totals.cost_micro_usd;
  file->totals.input_tokens = scan.totals.input_tokens;
  file->totals.output_tokens = scan.totals.output_tokens;
  file->descriptor =
      FileHandle(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!file->descriptor.is_open()) {
    throw_storage_error("create", path.string(), errno);
  }
  file->size = scan.file_bytes;
  if (scan.intact_bytes < scan.file_bytes) {
    // A torn last line would swallow the next record; damage before it stays where it is.
    const std::uint64_t end = scan.intact_bytes;
    if (ftruncate(file->descriptor.get(), static_cast<off_t>(end)) != 0) {
      throw_storage_error("repair", path.string(), errno);
    }
    file->size = end;
  }
  if (scan.lacks_line_feed) {
    write_all(file->descriptor.get(), "\n", path.string());
    ++file->size;
  }
  open_attempts_.merge(scan.open_attempts);
  opened_totals_ += file->totals;
  lost_records_ += scan.lost_records;
  auto opened = file->shard;
  files_.emplace(number, std::move(file));
  return opened;
}

std::shared_ptr<Shard> Ledger::find_shard(std::uint64_t number) const {
  const MutexLock lock(mutex_);
  const auto found = files_.find(number);
  return found == files_.end() ? nullptr : found->second->shard;
}

void Ledger::close_shard(std::uint64_t number) {
  const MutexLock lock(mutex_);
  const auto found = files_.find(number);
  if (found != files_.end()) {
    if (found->second->dirty) {
      fdatasync(found->second->descriptor.get());
    }
    files_.erase(found);
    closed_.insert(number);
  }
}

bool Ledger::was_closed(std::uint64_t number) const {
  const MutexLock lock(mutex_);
  return closed_.contains(number);
}

std::vector<std::shared_ptr<Shard>> Ledger::open_shards() const {
  const MutexLock lock(mutex_);
  std::vector<std::shared_ptr<Shard>> shards;
  for (const auto& [number, file] : files_) {
    shards.push_back(file->shard);
  }
  return shards;
}

std::optional<OpenAttempt> Ledger::take_open_attempt(std::uint64_t row_index) {
  const MutexLock lock(mutex_);
  const auto found = open_attempts_.find(row_index);
  if (found == open_attempts_.end()) {
    return std::nullopt;
  }
  OpenAttempt attempt = std::move(found->second);
  open_attempts_.erase(found);
  return attempt;
}

std::int64_t Ledger::open_attempts_micro_usd() const {
  const MutexLock lock(mutex_);
  std::int64_t sum = 0;
  for (const auto& [row_index, attempt] : open_attempts_) {
    sum += attempt.answered ? 0 : attempt.max_cost_micro_usd;
  }
  return sum;
}

std::int64_t Ledger::open_answers_micro_usd() const {
  const MutexLock lock(mutex_);
  std::int64_t sum = 0;
  for (const auto& [row_index, attempt] : open_attempts_) {
    for (const StepAnswer& answer : attempt.answers) {
      sum += answer.cost_micro_usd.value_or(0);
    }
  }
  return sum;
}

void Ledger::reopen(std::uint64_t row_index) {
  const MutexLock lock(mutex_);
  File& file = *files_.at(row_index / k_rows_per_shard);
  const RowState state = file.shard->state(row_index);
  if (state.kind() == RowState::Kind::settled) {
    add_outcome(file.totals, state.status(), -1);
    add_outcome(opened_totals_, state.status(), -1);
    file.shard->reopen(row_index);
  }
}

ShardTotals Ledger::opened_totals() const {
  const MutexLock lock(mutex_);
  return opened_totals_;
}

std::uint64_t Ledger::lost_records() const {
  const MutexLock lock(mutex_);
  return lost_records_;
}

ShardTotals Ledger::shard_totals(std::uint64_t number) const {
  const MutexLock lock(mutex_);
  const auto found = files_.find(number);
  return found == files_.end() ? ShardTotals{} : found->second->totals;
}

Ledger::Outgoing& Ledger::outgoing_of(std::uint64_t row_index) {
  return outgoing_[row_index / k_rows_per_shard];
}

void Ledger::append(const Outcome& outcome) {
  Outgoing& outgoing = outgoing_of(outcome.row_index);
  outgoing.settled.push_back({outcome.row_index, outcome.status, outgoing.bytes.size()});
  append_outcome_line(outgoing.bytes, outcome);
  add_outcome(outgoing.totals, outcome.status, 1);
  outgoing.totals.cost_micro_usd += outcome.cost_micro_usd.value_or(0);
  outgoing.totals.input_tokens += outcome.usage.input_tokens;
  outgoing.totals.output_tokens += outcome.usage.output_tokens;
}

void Ledger::append(const StepAnswer& answer) {
  append_answer_line(outgoing_of(answer.row_index).bytes, answer);
}

void Ledger::commit(std::int64_t wall_ms) {
  // Records of one turn mostly belong to one shard: cut the lists where the shard changes.
  const auto by_shard = [](const auto& records, const auto& append_line) {
    using Records = std::decay_t<decltype(records)>;
    std::size_t start = 0;
    while (start < records.size()) {
      const std::uint64_t number = records[start].row_index / k_rows_per_shard;
      std::size_t end = start + 1;
      while (end < records.size() && records[end].row_index / k_rows_per_shard == number) {
        ++end;
      }
      append_line(number,
                  start == 0 && end == records.size()
                      ? records
                      : Records(records.begin() + static_cast<std::ptrdiff_t>(start),
                                records.begin() + static_cast<std::ptrdiff_t>(end)));
      start = end;
    }
  };
  by_shard(ended_, [this](std::uint64_t number, const std::vector<EndedRecord>& records) {
    append_ended_line(outgoing_[number].bytes, records);
  });
  by_shard(sent_, [this, wall_ms](std::uint64_t number, const std::vector<SentRecord>& records) {
    append_sent_line(outgoing_[number].sent, records, wall_ms);
  });
  ended_.clear();
  sent_.clear();
  try {
    for (auto& [number, outgoing] : outgoing_) {
      if (!outgoing.bytes.empty() || !outgoing.sent.empty()) {
        write_out(number, outgoing);
      }
    }
  } catch (const Error&) {
    for (auto& [number, outgoing] : outgoing_) {
      outgoing.sent.clear();
    }
    throw;
  }
  while (outgoing_.size() > 2) {
    outgoing_.erase(outgoing_.begin());
  }
}

void Ledger::write_out(std::uint64_t number, Outgoing& outgoing) {
  open_shard(number);
  const MutexLock lock(mutex_);
  File& file = *files_.at(number);
  const std::string path = shard_path(folder_, number).string();
  if (file.size == 0) {
    std::string header;
    append_header_line(header, job_id_, number);
    append_whole(file.descriptor.get(), file.size, header, path);
  }
  const std::size_t outcome_bytes = outgoing.bytes.size();
  const std::uint64_t start = file.size;
  outgoing.bytes += outgoing.sent;
  outgoing.sent.clear();
  try {
    append_whole(file.descriptor.get(), file.size, outgoing.bytes, path);
  } catch (const Error&) {
    outgoing.bytes.resize(outcome_bytes);
    throw;
  }
  for (const Pending& pending : outgoing.settled) {
    const RowState before = file.shard->state(pending.row_index);
    if (before.kind() == RowState::Kind::settled) {
      add_outcome(file.totals, before.status(), -1);
    }
    file.shard->settle(pending.row_index, pending.status, start + pending.offset_in_buffer);
  }
  file.totals += outgoing.totals;
  file.dirty = true;
  outgoing.settled.clear();
  outgoing.totals = ShardTotals{};
  outgoing.bytes.clear();
  if (outgoing.bytes.capacity() > k_kept_buffer_bytes) {
    outgoing.bytes.shrink_to_fit();
  }
}

void Ledger::sync() {
  std::vector<FileHandle> dirty;
  {
    const MutexLock lock(mutex_);
    for (auto& [number, file] : files_) {
      if (file->dirty) {
        file->dirty = false;
        dirty.emplace_back(fcntl(file->descriptor.get(), F_DUPFD_CLOEXEC, 0));
      }
    }
  }
  for (const FileHandle& file : dirty) {
    fdatasync(file.get());
  }
}

}  // namespace batchllm

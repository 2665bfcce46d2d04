// SPDX-License-Identifier: Apache-2.0
#include "adapters/sql/write_line.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>

namespace batchllm::sql {
namespace {

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));

// Sleeps while the word is `value`; may return early. std::atomic::wait yields the processor a
// dozen times first, which with many callers costs more than the sleep: a commit takes longer than
// that.
void sleep_while(std::atomic<std::uint32_t>& word, std::uint32_t value) noexcept {
  ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}

void wake_all(std::atomic<std::uint32_t>& word) noexcept {
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

// Numbers wrap; the batches under way are never far apart.
bool is_before(std::uint32_t a, std::uint32_t b) noexcept {
  return static_cast<std::int32_t>(a - b) < 0;
}

}  // namespace

std::uint32_t WriteLine::add(PendingWrite& write) {
  std::unique_lock lock(mutex_);
  if (is_closed_) {
    throw Error(ErrorCode::daemon_unreachable,
                "the daemon is stopping",
                "try again when it has started again");
  }
  if (open_writes_ >= max_writes_ || (open_writes_ > 0 && open_bytes_ + write.bytes > max_bytes_)) {
    ++open_batch_;
    open_writes_ = 0;
    open_bytes_ = 0;
  }
  ++open_writes_;
  open_bytes_ += write.bytes;
  const std::uint32_t batch = open_batch_;
  write.batch = batch;
  (last_ == nullptr ? first_ : last_->next) = &write;
  last_ = &write;
  const bool wake = std::exchange(writer_waits_, false);
  lock.unlock();
  if (wake) {
    arrival_.notify_one();
  }
  return batch;
}

void WriteLine::push_and_wait(PendingWrite& write) {
  const std::uint32_t batch = add(write);
  std::atomic<std::uint32_t>& released = released_[batch & 1];
  std::uint32_t newest = released.load(std::memory_order_acquire);
  while (is_before(newest, batch)) {
    sleep_while(released, newest);
    newest = released.load(std::memory_order_acquire);
  }
  if (write.error) {
    std::rethrow_exception(std::move(write.error));
  }
}

void WriteLine::push(std::unique_ptr<PendingWrite> write) {
  add(*write);
  write.release();  // the writer deletes it
}

WriteBatch WriteLine::take(std::optional<std::chrono::milliseconds> patience) {
  std::unique_lock lock(mutex_);
  const auto has_come = [this] {
    writer_waits_ = first_ == nullptr && !is_closed_;
    return !writer_waits_;
  };
  if (!patience) {
    arrival_.wait(lock, has_come);
  } else if (!arrival_.wait_for(lock, *patience, has_come)) {
    writer_waits_ = false;
  }
  WriteBatch batch;
  if (first_ == nullptr) {
    batch.is_end = is_closed_;
    return batch;
  }
  batch.first = first_;
  batch.number = first_->batch;
  PendingWrite* end = first_;
  ++batch.count;
  while (end->next != nullptr && end->next->batch == batch.number) {
    end = end->next;
    ++batch.count;
  }
  first_ = std::exchange(end->next, nullptr);
  if (first_ == nullptr) {
    last_ = nullptr;
  }
  if (batch.number == open_batch_) {
    ++open_batch_;
    open_writes_ = 0;
    open_bytes_ = 0;
  }
  return batch;
}

void WriteLine::release(std::uint32_t batch) noexcept {
  released_[batch & 1].store(batch, std::memory_order_release);
  wake_all(released_[batch & 1]);
}

void WriteLine::close() noexcept {
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    writer_waits_ = false;
  }
  arrival_.notify_one();
}

}  // namespace batchllm::sql

// SPDX-License-Identifier: Apache-2.0
#include "adapters/sql/connection_pool.h"

namespace batchllm::sql {

ConnectionPool::ConnectionPool(std::filesystem::path path, std::size_t limit, OpenOptions options)
    : path_(std::move(path)),
      options_(std::move(options)),
      limit_(limit) {
  idle_.reserve(limit_);
}

ConnectionPool::Lease::~Lease() {
  if (pool_ != nullptr) {
    pool_->take_back(std::move(database_));
  }
}

ConnectionPool::Lease ConnectionPool::lease() {
  std::unique_lock lock(mutex_);
  returned_.wait(lock, [this] { return !idle_.empty() || opened_ < limit_; });
  if (!idle_.empty()) {
    // The one used last: its pages and statements are still warm.
    Lease lease(*this, std::move(idle_.back()));
    idle_.pop_back();
    return lease;
  }
  ++opened_;
  lock.unlock();
  try {
    return {*this, Database::open(path_, Access::read_only, options_)};
  } catch (...) {
    lock.lock();
    --opened_;
    lock.unlock();
    returned_.notify_one();
    throw;
  }
}

void ConnectionPool::close_idle() noexcept {
  std::unique_lock lock(mutex_);
  while (!idle_.empty()) {
    std::optional<Database> closing(std::move(idle_.back()));
    idle_.pop_back();
    --opened_;
    lock.unlock();
    closing.reset();  // may go to the disk
    returned_.notify_one();
    lock.lock();
  }
}

void ConnectionPool::take_back(Database database) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (database.is_broken() || database.in_transaction()) {
      --opened_;
    } else {
      idle_.push_back(std::move(database));
    }
  }
  returned_.notify_one();
}

}  // namespace batchllm::sql

// SPDX-License-Identifier: Apache-2.0
#include "daemon/queue/event_hub.h"

#include <utility>

namespace batchllm::daemon {
namespace {

// A client that is further behind reads from the database.
constexpr std::size_t k_events_at_hand = 64;

}  // namespace

bool EventHub::is_watched(const std::string& job_id) {
  return find(job_id) != nullptr;
}

void EventHub::publish(const std::string& job_id,
                       std::int64_t seq,
                       const std::shared_ptr<const std::string>& document) {
  const auto topic = find(job_id);
  if (topic == nullptr) {
    return;
  }
  const std::lock_guard lock(topic->mutex);
  topic->last_seq = seq;
  topic->recent.emplace_back(seq, document);
  if (topic->recent.size() > k_events_at_hand) {
    topic->recent.pop_front();
  }
  topic->tell();
}

void EventHub::shut_down() {
  is_shut_down_ = true;
  const std::lock_guard lock(mutex_);
  for (const auto& [id, topic] : topics_) {
    // Whoever is about to wait has looked at the flag already, or sees it set.
    const std::lock_guard waiting(topic->mutex);
    topic->changed.notify_all();
  }
}

void EventHub::publish_live(const std::string& job_id,
                            const std::shared_ptr<const std::string>& document) {
  const auto topic = find(job_id);
  if (topic == nullptr) {
    return;
  }
  const std::lock_guard lock(topic->mutex);
  topic->live = document;
  ++topic->live_version;
  topic->tell();
}

std::shared_ptr<EventHub::Topic> EventHub::find(const std::string& job_id) {
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(job_id);
  return found == topics_.end() ? nullptr : found->second;
}

void EventHub::Topic::tell() {
  changed.notify_all();
  for (Watch* watch : callers) {
    if (!std::exchange(watch->was_told_, true)) {
      watch->on_news_();
    }
  }
}

EventHub::Watch::Watch(EventHub& hub, std::string job_id, std::function<void()> on_news)
    : hub_(hub),
      job_id_(std::move(job_id)),
      on_news_(std::move(on_news)) {
  const std::lock_guard lock(hub_.mutex_);
  auto& topic = hub_.topics_[job_id_];
  if (topic == nullptr) {
    topic = std::make_shared<Topic>();
  }
  ++topic->watchers;
  topic_ = topic;
  if (on_news_) {
    const std::lock_guard telling(topic_->mutex);
    topic_->callers.push_back(this);
  }
}

EventHub::Watch::~Watch() {
  const std::lock_guard lock(hub_.mutex_);
  if (on_news_) {
    const std::lock_guard telling(topic_->mutex);
    std::erase(topic_->callers, this);
  }
  if (--topic_->watchers == 0) {
    hub_.topics_.erase(job_id_);
  }
}

EventHub::Watch::News EventHub::Watch::look(std::int64_t after) {
  const std::lock_guard lock(topic_->mutex);
  was_told_ = false;
  return take(after);
}

EventHub::Watch::News EventHub::Watch::wait(std::int64_t after,
                                            std::chrono::milliseconds patience) {
  std::unique_lock lock(topic_->mutex);
  topic_->changed.wait_for(lock, patience, [&] { return hub_.is_shut_down_ || has_news(after); });
  return hub_.is_shut_down_ ? News() : take(after);
}

bool EventHub::Watch::has_news(std::int64_t after) const {
  return topic_->last_seq > after || topic_->live_version > live_seen_;
}

EventHub::Watch::News EventHub::Watch::take(std::int64_t after) {
  News news;
  if (topic_->last_seq > after) {
    const std::int64_t first = topic_->recent.front().first;
    if (after + 1 >= first) {
      news.event = topic_->recent.at(static_cast<std::size_t>(after + 1 - first)).second;
    } else {
      news.look_it_up = true;
    }
  } else if (topic_->live_version > live_seen_) {
    live_seen_ = topic_->live_version;
    news.live = topic_->live;
  }
  return news;
}

}  // namespace batchllm::daemon

// SPDX-License-Identifier: Apache-2.0
#include "core/crash_point.h"

#include <array>

#ifdef BATCHLLM_CRASH_POINTS
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#endif

namespace batchllm {
namespace {

constexpr std::array<std::string_view, 27> k_labels = {
    "migration_written", "migration_committed", "content_written",  "content_synced",
    "content_renamed",   "submit_written",      "submit_committed", "claim_written",
    "claim_committed",   "order_not_sent",      "order_sent",       "job_begun",
    "job_folder_made",   "job_folder_ready",    "progress_written", "progress_committed",
    "run_ended",         "end_reported",        "end_received",     "end_written",
    "end_committed",     "rescue_written",      "rescue_committed", "batch_not_committed",
    "batch_committed",   "backup_written",      "backup_renamed"};

static_assert(k_labels.size() == static_cast<std::size_t>(CrashPoint::backup_renamed) + 1,
              "every point has a label");

}  // namespace

std::span<const std::string_view> crash_point_labels() noexcept {
  return k_labels;
}

#ifdef BATCHLLM_CRASH_POINTS

namespace {

constexpr int k_status_of_kill = 137;  // what a shell says of SIGKILL

struct Wanted {
  std::string_view label;
  std::string_view detail;
  bool has_detail = false;
  long turn = 1;
};

// The environment is read once: it is this process's own and does not change.
Wanted read_wanted() noexcept {
  Wanted wanted;
  const char* text = std::getenv("BATCHLLM_CRASH_AT");  // NOLINT(concurrency-mt-unsafe)
  if (text == nullptr) {
    return wanted;
  }
  wanted.label = text;
  if (const auto equals = wanted.label.find('='); equals != std::string_view::npos) {
    wanted.detail = wanted.label.substr(equals + 1);
    wanted.has_detail = true;
    wanted.label = wanted.label.substr(0, equals);
  } else if (const auto colon = wanted.label.find(':'); colon != std::string_view::npos) {
    wanted.turn = std::strtol(text + colon + 1, nullptr, 10);
    wanted.label = wanted.label.substr(0, colon);
  }
  return wanted;
}

}  // namespace

void crash_point(CrashPoint point, std::string_view detail) noexcept {
  static const Wanted wanted = read_wanted();
  static std::atomic<long> turns{0};
  if (wanted.label.empty() || wanted.label != k_labels.at(static_cast<std::size_t>(point)) ||
      (wanted.has_detail && wanted.detail != detail)) {
    return;
  }
  if (++turns == wanted.turn || wanted.has_detail) {
    _exit(k_status_of_kill);
  }
}

bool has_crash_points() noexcept {
  return true;
}

#else

void crash_point(CrashPoint /*point*/, std::string_view /*detail*/) noexcept {}

bool has_crash_points() noexcept {
  return false;
}

#endif

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "core/event_log.h"

#include "core/job_replay.h"
#include "core/progress_pace.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

using namespace batchllm;
using namespace batchllm::job_event;
using namespace std::chrono_literals;

namespace {

const SystemClock k_clock;

Queued queued(const std::string& reason) {
  Queued event;
  event.reason = reason;
  return event;
}

Progress progress(std::int64_t ok) {
  Progress event;
  event.counts.ok = ok;
  return event;
}

Ended ended(JobState state) {
  Ended event;
  event.state = state;
  event.counts.ok = 7;
  return event;
}

std::vector<std::string> lines_of(const ScratchFolder& folder) {
  EventLogReader reader(event_log_path(folder.path()));
  std::vector<std::string> lines;
  for (std::string line; reader.next(line);) {
    lines.push_back(line);
  }
  return lines;
}

// What the lines alone say of the job; throws when a number is missing.
JobView replayed(const ScratchFolder& folder) {
  JobView view;
  for (const std::string& line : lines_of(folder)) {
    apply(view, parse_job_event_document(line));
  }
  return view;
}

}  // namespace

TEST_CASE("an event log goes on with the next number when it is opened again", "[event_log]") {
  const ScratchFolder folder;
  {
    EventLog log(folder.path(), k_clock);
    CHECK(log.view().last_seq == 0);
    CHECK(log.append("user:1", queued("queue")));
    CHECK(log.append("worker:1", Started{1, 0, 1, "pid:1"}));
  }
  EventLog log(folder.path(), k_clock);
  CHECK(log.view().state == JobState::running);
  CHECK(log.append("worker:2", progress(3)));
  CHECK(replayed(folder) == log.view());
  CHECK(lines_of(folder).size() == 3);

  struct stat status {};

  REQUIRE(stat(event_log_path(folder.path()).c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600);
}

TEST_CASE("opening an event log cuts off a torn last line", "[event_log]") {
  const ScratchFolder folder;
  {
    EventLog log(folder.path(), k_clock);
    log.append("user:1", queued("queue"));
    log.append("worker:1", Started{1, 0, 1, "pid:1"});
  }
  const std::string whole = folder.read("events.jsonl");
  const std::string last = whole.substr(whole.find('\n') + 1);
  for (std::size_t kept = 0; kept < last.size(); ++kept) {
    CAPTURE(kept);
    folder.write("events.jsonl", whole + last.substr(0, kept));
    EventLog log(folder.path(), k_clock);
    CHECK(log.view().last_seq == 2);
    CHECK(folder.read("events.jsonl") == whole);
    CHECK(log.append("worker:1", progress(1)));
    CHECK(replayed(folder) == log.view());
  }
}

TEST_CASE("a log with a line that is no event is put aside, not changed", "[event_log]") {
  const auto* damage = GENERATE("no json\n", "{\"seq\":2}\n", "\n");
  const ScratchFolder folder;
  {
    EventLog log(folder.path(), k_clock);
    log.append("user:1", queued("queue"));
  }
  const std::string damaged = folder.read("events.jsonl") + damage;
  folder.write("events.jsonl", damaged);
  EventLog log(folder.path(), k_clock);
  CHECK(log.view().last_seq == 0);
  CHECK(log.append("user:1", queued("queue")));
  CHECK(folder.read("events.jsonl.damaged") == damaged);
  CHECK(replayed(folder) == log.view());
}

TEST_CASE("events that the rules refuse are left out of the log", "[event_log]") {
  const ScratchFolder folder;
  EventLog log(folder.path(), k_clock);
  CHECK_FALSE(log.append("worker:1", Started{1, 0, 1, "pid:1"}));
  CHECK(log.append("user:1", queued("queue")));
  CHECK(log.append("worker:1", ended(JobState::failed)));
  CHECK_FALSE(log.append("worker:1", progress(1)));
  CHECK(log.append("worker:1", Log{"warning", "late"}));
  CHECK(lines_of(folder).size() == 3);
  CHECK(replayed(folder) == log.view());
}

TEST_CASE("a full disk leaves events out and no torn line behind", "[event_log]") {
  const ScratchFolder folder;
  EventLog log(folder.path(), k_clock);
  REQUIRE(log.append("user:1", queued("queue")));
  const std::string before = folder.read("events.jsonl");
  {
    const FileSizeLimit limit(before.size() + 20);
    CHECK_FALSE(log.append("worker:1", Started{1, 0, 1, "pid:1"}));
    CHECK_FALSE(log.append("worker:1", progress(1)));
  }
  CHECK(folder.read("events.jsonl") == before);
  CHECK(log.append("worker:1", Started{1, 0, 1, "pid:1"}));
  CHECK(replayed(folder) == log.view());
}

TEST_CASE("a folder that cannot be written costs the events and nothing else", "[event_log]") {
  const ScratchFolder folder;
  EventLog log(folder.path("no/such/folder"), k_clock);
  CHECK_FALSE(log.append("user:1", queued("queue")));
  log.sync();
  CHECK(log.view() == JobView{});
}

TEST_CASE("numbers have no gaps after kill -9 at any moment", "[event_log]") {
  const ScratchFolder folder;
  for (int round = 1; round <= 5; ++round) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      EventLog log(folder.path(), k_clock);
      log.append("user:1", queued("queue"));
      for (std::int64_t i = 0;; ++i) {
        log.append("worker:1", progress(i));
      }
    }
    const std::size_t wanted = static_cast<std::size_t>(round) * 50;
    const bool came = eventually([&] { return lines_of(folder).size() >= wanted; });
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    REQUIRE(came);
    const JobView seen = replayed(folder);
    CHECK(EventLog(folder.path(), k_clock).view() == seen);
  }
}

TEST_CASE("a reader takes whole lines only, and every line once", "[event_log]") {
  const ScratchFolder folder;
  EventLogReader reader(event_log_path(folder.path()));
  std::string line;
  CHECK_FALSE(reader.next(line));
  folder.write("events.jsonl", "one\ntw");
  CHECK(reader.next(line));
  CHECK(line == "one");
  CHECK_FALSE(reader.next(line));
  std::filesystem::resize_file(folder.path("events.jsonl"), 4);  // the torn line is cut off
  CHECK_FALSE(reader.next(line));
  folder.write("events.jsonl", "one\n" + std::string(200'000, 'x') + "\nlast\n");
  CHECK(reader.next(line));
  CHECK(line == std::string(200'000, 'x'));
  CHECK(reader.next(line));
  CHECK(line == "last");
  CHECK(reader.offset() == 200'010);
  CHECK_FALSE(reader.next(line));
}

TEST_CASE("a job that has ended begins anew with a retry, unless it was cancelled", "[job_event]") {
  const auto end =
      GENERATE(JobState::succeeded, JobState::partial, JobState::failed, JobState::cancelled);
  JobView view;
  apply(view, {1, 10, "user:1", queued("queue")});
  apply(view, {2, 20, "worker:1", Started{1, 0, 1, "pid:1"}});
  apply(view, {3, 30, "worker:1", ended(end)});
  const JobView at_end = view;
  for (const char* reason : {"queue", "resume"}) {
    CHECK(thrown_error([&] { apply(view, {4, 40, "user:1", queued(reason)}); }));
  }
  CHECK(thrown_error([&] { apply(view, {4, 40, "worker:1", Started{2, 0, 2, "pid:1"}}); }));
  CHECK(view == at_end);
  const auto refused = thrown_error([&] { apply(view, {4, 40, "user:1", queued("retry")}); });
  CHECK(refused.has_value() == (end == JobState::cancelled));
  if (!refused) {
    CHECK(view.state == JobState::queued);
    CHECK_FALSE(view.exit_code);
    CHECK_FALSE(view.finished_ms);
    CHECK(view.created_ms == 10);
    CHECK(view.started_ms == 20);
    CHECK(view.counts == at_end.counts);
  }
}

TEST_CASE("progress is worth an event by the hundredth, once a second at most", "[job_event]") {
  struct Case {
    std::int64_t total;
    std::int64_t done;
    std::int64_t before;
    std::chrono::milliseconds since;
    bool is_kept;
  };

  const auto c = GENERATE(values<Case>({
      {1000, 10, 0, 1000ms, true},
      {1000, 10, 0, 999ms, false},
      {1000, 9, 0, 9999ms, false},
      {1000, 9, 0, 10'000ms, true},
      {0, 1, 0, 1000ms, true},
      {50, 1, 0, 1000ms, true},
      {50, 1, 1, 1000ms, false},
  }));
  JobCounts counts;
  counts.rows_total = c.total;
  counts.ok = c.done;
  CHECK(is_progress_worth_keeping(counts, c.before, c.since) == c.is_kept);
}

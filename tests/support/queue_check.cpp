// SPDX-License-Identifier: Apache-2.0
#include "tests/support/queue_check.h"

#include "adapters/sql/database_care.h"
#include "adapters/sql/sqlite_database.h"
#include "core/job_event.h"
#include "core/job_view.h"
#include "core/json_text.h"
#include "core/ledger_reader.h"
#include "core/time_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace batchllm::test {
namespace {

namespace fs = std::filesystem;

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string text_of(const JsonNode& object, std::string_view name) {
  return std::string(object.find_string(name).value_or(""));
}

std::int64_t number_of(const JsonNode& object, std::string_view name) {
  const JsonNode* found = object.find(name);
  return found == nullptr ? -1 : found->integer().value_or(-1);
}

std::string row_text(const std::string& name, std::size_t row) {
  return name + " " + std::to_string(row);
}

std::string message_of(const std::string& row) {
  return "say " + row;
}

// The members of a job's document that its events tell as well.
std::string told_by_document(const JsonNode& job) {
  const JsonNode& rows = *job.find("rows");
  const JsonNode& usage = *job.find("usage");
  return fmt::format(
      "{} reason={} wish={} priority={} attempt={} crashes={} exit={} rows={}/{}/{}/{} "
      "cost={} tokens={}/{} events={} created={} started={} finished={}",
      text_of(job, "state"),
      text_of(job, "reason"),
      text_of(job, "desired"),
      number_of(job, "priority"),
      number_of(job, "attempt"),
      number_of(job, "crash_count"),
      number_of(job, "exit_code"),
      number_of(rows, "total"),
      number_of(rows, "ok"),
      number_of(rows, "failed"),
      number_of(rows, "skipped"),
      text_of(job, "cost_usd"),
      number_of(usage, "input_tokens"),
      number_of(usage, "output_tokens"),
      number_of(job, "last_event"),
      text_of(job, "created_at"),
      text_of(job, "started_at"),
      text_of(job, "finished_at"));
}

std::string time_or_nothing(const std::optional<std::int64_t>& time_ms) {
  return time_ms ? rfc3339_text(*time_ms) : "";
}

std::string told_by_events(const JobView& view) {
  return fmt::format(
      "{} reason={} wish={} priority={} attempt={} crashes={} exit={} rows={}/{}/{}/{} "
      "cost={}.{:06} tokens={}/{} events={} created={} started={} finished={}",
      job_state_name(view.state),
      view.reason,
      job_wish_name(view.wish),
      view.priority,
      view.attempt,
      view.crash_count,
      view.exit_code.value_or(-1),
      view.counts.rows_total.value_or(-1),
      view.counts.ok,
      view.counts.failed,
      view.counts.skipped,
      view.counts.cost_micro_usd / 1'000'000,
      view.counts.cost_micro_usd % 1'000'000,
      view.counts.input_tokens,
      view.counts.output_tokens,
      view.last_seq,
      rfc3339_text(view.created_ms),
      time_or_nothing(view.started_ms),
      time_or_nothing(view.finished_ms));
}

// Every page of a list.
std::vector<JsonNode> all_items(const DaemonProcess& daemon, const std::string& list) {
  std::vector<JsonNode> items;
  std::string cursor;
  do {
    const ApiAnswer page =
        daemon.get(list + "?limit=500" + (cursor.empty() ? "" : "&cursor=" + cursor));
    if (page.status != 200) {
      throw std::runtime_error(list + " is answered with " + page.body);
    }
    const auto of_page = page.json.find("items")->items();
    items.insert(items.end(), of_page.begin(), of_page.end());
    cursor = text_of(page.json, "next_cursor");
  } while (!cursor.empty());
  return items;
}

}  // namespace

std::vector<JsonNode> list_all_jobs(const DaemonProcess& daemon) {
  return all_items(daemon, "/jobs");
}

std::string QueueCheck::body_of(const std::string& name,
                                std::size_t rows,
                                std::string_view options) const {
  std::string list = "[";
  for (std::size_t row = 0; row < rows; ++row) {
    list += fmt::format(R"({}{{"text":"{}"}})", row == 0 ? "" : ",", row_text(name, row));
  }
  std::string body = daemon_.job_body(list + "]", "say {text}", options);
  body.insert(1, fmt::format(R"("name":"{}",)", name));
  return body;
}

bool QueueCheck::submit(const std::string& name,
                        std::size_t rows,
                        bool has_key,
                        std::string_view options) {
  {
    const std::lock_guard lock(mutex_);
    submitted_[name].rows = rows;
  }
  std::vector<std::string> headers{"Content-Type: application/json"};
  if (has_key) {
    headers.push_back("Idempotency-Key: key-" + name);
  }
  ApiAnswer answer;
  try {
    answer = daemon_.send("POST", "/jobs", body_of(name, rows, options), headers);
  } catch (const std::runtime_error&) {
    return false;  // nobody there
  }
  const std::lock_guard lock(mutex_);
  if (answer.status == 201) {
    submitted_[name].id = answer.at(".id");
    return true;
  }
  if (answer.status != 0 && answer.status != 503) {
    found(fmt::format("{} was refused: {}", name, answer.body));
  }
  return false;
}

std::size_t QueueCheck::acknowledged() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(submitted_.begin(), submitted_.end(), [](const auto& job) {
        return !job.second.id.empty();
      }));
}

void QueueCheck::note_answered_rows() {
  std::map<std::string, std::string> name_of_id;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, job] : submitted_) {
      name_of_id[job.id] = name;
    }
  }
  std::error_code none;
  for (const auto& folder : fs::directory_iterator(daemon_.state_folder() + "/jobs", none)) {
    const std::string id = folder.path().filename().string();
    const auto name = name_of_id.find(id);
    if (name == name_of_id.end() || read_whole_.contains(id)) {
      continue;
    }
    std::vector<std::uint64_t> rows;
    const auto note = [&rows](std::uint64_t, std::string_view, const LineGlance& line) {
      rows.push_back(line.row_index);
    };
    scan_ledger(folder.path() / "ledger-00000.jsonl", note);
    const std::int64_t now = now_ms();
    for (const std::uint64_t row : rows) {
      answered_ms_.try_emplace(message_of(row_text(name->second, row)), now);
    }
    const std::lock_guard lock(mutex_);
    if (rows.size() == submitted_[name->second].rows) {
      read_whole_.insert(id);
    }
  }
}

void QueueCheck::wait_for_all() {
  std::string last;
  const bool all = eventually(
      [&] {
        last.clear();
        for (const JsonNode& job : list_all_jobs(daemon_)) {
          const std::string id = text_of(job, "id");
          if (text_of(job, "reason") == "crash_limit") {
            daemon_.post("/jobs/" + id + "/resume", "{}");
          }
          if (text_of(job, "finished_at").empty()) {
            last = job.to_json();
          }
        }
        return last.empty();
      },
      std::chrono::seconds(90));
  if (!all) {
    found("this job does not end: " + last);
  }
}

std::vector<std::string> QueueCheck::problems_at_the_end(DaemonProcess& daemon) {
  check_jobs();
  if (daemon.stop() != 0) {
    found("the daemon does not end with 0");
  }
  daemon.simulator().stop();
  check_calls(daemon.simulator());
  check_database();
  return problems_;
}

void QueueCheck::check_jobs() {
  std::map<std::string, std::size_t> times;
  std::set<std::string> ids;
  for (const JsonNode& job : list_all_jobs(daemon_)) {
    ++times[text_of(job, "name")];
    ids.insert(text_of(job, "id"));
    check_job(job);
  }
  for (const auto& [name, job] : submitted_) {
    if (!job.id.empty() && !ids.contains(job.id)) {
      found(fmt::format("{} ({}) was acknowledged and is lost", job.id, name));
    }
  }
  for (const auto& [name, count] : times) {
    if (count != 1 || !submitted_.contains(name)) {
      found(fmt::format("{} is there {} times", name, count));
    }
  }
}

void QueueCheck::check_job(const JsonNode& job) {
  const std::string id = text_of(job, "id");
  const std::string name = text_of(job, "name");
  const std::size_t rows = submitted_[name].rows;
  if (text_of(job, "state") != "succeeded" ||
      number_of(*job.find("rows"), "ok") != static_cast<std::int64_t>(rows)) {
    found(fmt::format("{} did not succeed with its {} rows: {}", name, rows, job.to_json()));
  }
  check_events(id, job);
  check_result(id, name, rows);
}

void QueueCheck::check_events(const std::string& id, const JsonNode& job) {
  JobView view;
  std::int64_t done = 0;
  std::int64_t epoch = 0;
  for (const JsonNode& event : all_items(daemon_, "/jobs/" + id + "/events")) {
    const std::string type = text_of(event, "type");
    try {
      apply(view,
            {number_of(event, "seq"),
             parse_rfc3339(text_of(event, "at")).value_or(0),
             text_of(event, "actor"),
             parse_job_event(type,
                             static_cast<int>(number_of(event, "version")),
                             event.find("data")->to_json())});
    } catch (const std::exception& error) {
      found(fmt::format("{}: {} in {}", id, error.what(), event.to_json()));
      return;
    }
    if (view.counts.done() < done) {
      found(fmt::format("{}: {} of its rows are done no more with {}",
                        id,
                        done - view.counts.done(),
                        event.to_json()));
    }
    if (type == "job.started" && view.epoch != epoch + 1) {
      found(fmt::format("{}: epoch {} follows {}", id, view.epoch, epoch));
    }
    done = view.counts.done();
    epoch = view.epoch;
    if (type == "job.interrupted") {
      ++doubts_[text_of(job, "name")];
      ++interruptions_;
    }
  }
  if (told_by_events(view) != told_by_document(job)) {
    found(fmt::format("{}: its events tell\n  {}\nand its document\n  {}",
                      id,
                      told_by_events(view),
                      told_by_document(job)));
  }
}

void QueueCheck::check_result(const std::string& id, const std::string& name, std::size_t rows) {
  std::ifstream file(fs::path(daemon_.state_folder()) / "jobs" / id / "result.jsonl");
  std::size_t row = 0;
  for (std::string line; std::getline(file, line); ++row) {
    if (find_in_json(line, ".text").value_or(JsonValue{}).text != row_text(name, row)) {
      found(fmt::format("{}: line {} of its result is {}", id, row + 1, line));
      return;
    }
  }
  if (row != rows) {
    found(fmt::format("{}: its result has {} rows, not {}", id, row, rows));
  }
}

// A row is asked once, and once more for every crash that left its answer in doubt.
void QueueCheck::check_calls(const SimulatorProcess& simulator) {
  std::map<std::string, std::size_t> times;
  for (const LoggedCall& call : simulator.calls()) {
    ++times[call.user];
    const auto answered = answered_ms_.find(call.user);
    if (answered != answered_ms_.end() && call.time_ms > answered->second) {
      found(fmt::format("'{}' was asked {} ms after its answer was on record",
                        call.user,
                        call.time_ms - answered->second));
    }
  }
  for (const auto& [name, job] : submitted_) {
    for (std::size_t row = 0; row < job.rows; ++row) {
      const std::size_t count = times[message_of(row_text(name, row))];
      if (count > 1 + doubts_[name]) {
        found(fmt::format(
            "'{}' was asked {} times, with {} crashes", row_text(name, row), count, doubts_[name]));
      }
    }
  }
}

void QueueCheck::check_database() {
  auto database =
      sql::Database::open(daemon_.state_folder() + "/daemon/queue.db", sql::Access::read_write);
  try {
    sql::check_integrity(database, sql::Check::full);
  } catch (const std::exception& error) {
    found(error.what());
  }
  const auto count = [&](std::string_view what, std::string_view query) {
    if (const auto rows = database.integer(query); rows != 0) {
      found(fmt::format("{} {}", rows.value_or(-1), what));
    }
  };
  count("jobs whose usage is not what their rows cost",
        "SELECT count(*) FROM jobs WHERE (ok + failed + skipped, cost_micro_usd, input_tokens, "
        "output_tokens) IS NOT (SELECT sum(rows), sum(cost_micro_usd), sum(input_tokens), "
        "sum(output_tokens) FROM usage WHERE job_id = id)");
  count("jobs with more or fewer events than they count",
        "SELECT count(*) FROM jobs WHERE last_seq != (SELECT count(*) FROM job_events WHERE job_id "
        "= id)");
  count("attempts that were never closed", "SELECT count(*) FROM attempts WHERE outcome IS NULL");
  count("rows that refer to nothing", "SELECT count(*) FROM pragma_foreign_key_check");
}

}  // namespace batchllm::test

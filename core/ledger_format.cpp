// SPDX-License-Identifier: Apache-2.0
#include "core/ledger_format.h"

#include "core/json_text.h"
#include "core/text.h"

#include <simdjson.h>

#include <xxhash.h>

#include <array>
#include <charconv>
#include <cstring>

namespace batchllm {
namespace {

constexpr std::string_view k_checksum_name = R"(,"xxh3":")";
constexpr std::size_t k_checksum_digits = 16;
// The member, its digits, the closing quote and brace.
constexpr std::size_t k_seal_bytes = k_checksum_name.size() + k_checksum_digits + 2;

constexpr std::string_view k_row_prefix = R"({"row":)";
constexpr std::string_view k_sent_prefix = R"({"sent":[)";
constexpr std::string_view k_ended_prefix = R"({"ended":[)";
constexpr std::string_view k_answer_prefix = R"({"answer":[)";
constexpr std::string_view k_header_prefix = R"({"ledger":)";
constexpr std::string_view k_status_name = R"(,"status":")";

std::array<char, k_checksum_digits> checksum_of(std::string_view bytes) noexcept {
  constexpr std::string_view k_hex = "0123456789abcdef";
  const std::uint64_t hash = XXH3_64bits(bytes.data(), bytes.size());
  std::array<char, k_checksum_digits> digits{};
  for (std::size_t i = 0; i < k_checksum_digits; ++i) {
    digits[i] = k_hex[(hash >> (60 - 4 * i)) & 0xFU];
  }
  return digits;
}

// What servers and file names bring may be anything; a record that is not UTF-8 could not be read
// again.
void append_text(std::string& out, std::string_view text) {
  if (is_utf8(text)) {
    append_json_string(out, text);
  } else {
    append_json_string(out, as_utf8(text));
  }
}

void append_number(std::string& out, std::string_view name, std::int64_t value) {
  out += name;
  append_integer(out, value);
}

void append_usage(std::string& out,
                  const Usage& usage,
                  const std::optional<std::int64_t>& cost_micro_usd) {
  append_number(out, R"(,"input_tokens":)", usage.input_tokens);
  append_number(out, R"(,"output_tokens":)", usage.output_tokens);
  if (usage.cached_tokens != 0) {
    append_number(out, R"(,"cached_tokens":)", usage.cached_tokens);
  }
  if (cost_micro_usd) {
    append_number(out, R"(,"cost_micro_usd":)", *cost_micro_usd);
  }
}

// Takes an unsigned number off the front; false when there is none.
template <typename Number>
bool take_number(std::string_view& text, Number& number) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) {
    return false;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take(std::string_view& text, std::string_view expected) noexcept {
  if (!text.starts_with(expected)) {
    return false;
  }
  text.remove_prefix(expected.size());
  return true;
}

std::int64_t member_integer(const simdjson::dom::object& object, std::string_view name) {
  std::int64_t value = 0;
  return object[name].get(value) == simdjson::SUCCESS ? value : 0;
}

std::string_view member_text(const simdjson::dom::object& object, std::string_view name) {
  std::string_view value;
  return object[name].get(value) == simdjson::SUCCESS ? value : std::string_view{};
}

// The members are not called as those of the row: add_usage() of the reader finds these by name.
void append_steps(std::string& out, const std::vector<StepOutcome>& steps) {
  std::string_view start = R"(,"steps":[{"step":)";
  for (const StepOutcome& step : steps) {
    append_number(out, start, step.step);
    start = R"(},{"step":)";
    if (step.failure != RowFailure::none) {
      out += R"(,"error":")";
      out += failure_name(step.failure);
      out += R"(","message":)";
      append_text(out, step.message);
    }
    if (step.failure == RowFailure::none || !step.output.empty()) {
      out += R"(,"output":)";
      append_text(out, step.output);
    }
    append_number(out, R"(,"ms":)", step.latency_ms);
    append_number(out, R"(,"in":)", step.usage.input_tokens);
    append_number(out, R"(,"out":)", step.usage.output_tokens);
    if (step.usage.cached_tokens != 0) {
      append_number(out, R"(,"cached":)", step.usage.cached_tokens);
    }
    if (step.cost_micro_usd) {
      append_number(out, R"(,"micro_usd":)", *step.cost_micro_usd);
    }
  }
  out += steps.empty() ? "" : "}]";
}

void read_usage(const simdjson::dom::object& object,
                Usage& usage,
                std::optional<std::int64_t>& cost_micro_usd) {
  usage.input_tokens = member_integer(object, "input_tokens");
  usage.output_tokens = member_integer(object, "output_tokens");
  usage.cached_tokens = member_integer(object, "cached_tokens");
  std::int64_t cost = 0;
  if (object["cost_micro_usd"].get(cost) == simdjson::SUCCESS) {
    cost_micro_usd = cost;
  }
}

void read_steps(const simdjson::dom::object& row, std::vector<StepOutcome>& steps) {
  simdjson::dom::array array;
  if (row["steps"].get(array) != simdjson::SUCCESS) {
    return;
  }
  for (const auto element : array) {
    simdjson::dom::object object;
    if (element.get(object) != simdjson::SUCCESS) {
      continue;
    }
    StepOutcome& step = steps.emplace_back();
    step.step = static_cast<std::uint32_t>(member_integer(object, "step"));
    if (const std::string_view error = member_text(object, "error"); !error.empty()) {
      step.failure = failure_from_name(error).value_or(RowFailure::protocol_error);
    }
    step.message = member_text(object, "message");
    step.output = member_text(object, "output");
    step.latency_ms = member_integer(object, "ms");
    step.usage.input_tokens = member_integer(object, "in");
    step.usage.output_tokens = member_integer(object, "out");
    step.usage.cached_tokens = member_integer(object, "cached");
    std::int64_t cost = 0;
    if (object["micro_usd"].get(cost) == simdjson::SUCCESS) {
      step.cost_micro_usd = cost;
    }
  }
}

}  // namespace

void seal_line(std::string& out, std::size_t start) {
  const auto digits = checksum_of(std::string_view(out).substr(start));
  out += k_checksum_name;
  out.append(digits.data(), digits.size());
  out += "\"}\n";
}

void append_header_line(std::string& out, std::string_view job_id, std::uint64_t shard) {
  const std::size_t start = out.size();
  append_number(out, k_header_prefix, k_ledger_version);
  out += R"(,"job":)";
  append_json_string(out, job_id);
  append_number(out, R"(,"shard":)", static_cast<std::int64_t>(shard));
  append_number(out, R"(,"first_row":)", static_cast<std::int64_t>(shard * k_rows_per_shard));
  append_number(out, R"(,"rows_per_shard":)", static_cast<std::int64_t>(k_rows_per_shard));
  seal_line(out, start);
}

void append_sent_line(std::string& out,
                      const std::vector<SentRecord>& records,
                      std::int64_t wall_ms) {
  const std::size_t start = out.size();
  out += k_sent_prefix;
  for (std::size_t i = 0; i < records.size(); ++i) {
    out += i == 0 ? "[" : ",[";
    append_integer(out, records[i].row_index);
    out += ',';
    append_integer(out, std::uint64_t{records[i].attempt});
    out += ',';
    append_integer(out, records[i].max_cost_micro_usd);
    out += ']';
  }
  append_number(out, R"(],"at_ms":)", wall_ms);
  seal_line(out, start);
}

void append_ended_line(std::string& out, const std::vector<EndedRecord>& records) {
  const std::size_t start = out.size();
  out += k_ended_prefix;
  for (std::size_t i = 0; i < records.size(); ++i) {
    out += i == 0 ? "[" : ",[";
    append_integer(out, records[i].row_index);
    out += ',';
    append_integer(out, std::uint64_t{records[i].attempt});
    out += ",\"";
    out += failure_name(records[i].failure);
    out += "\"]";
  }
  out += ']';
  seal_line(out, start);
}

void append_answer_line(std::string& out, const StepAnswer& answer) {
  const std::size_t start = out.size();
  out += k_answer_prefix;
  append_integer(out, answer.row_index);
  out += ',';
  append_integer(out, std::uint64_t{answer.attempt});
  out += ',';
  append_integer(out, std::uint64_t{answer.step});
  out += ",\"";
  out += answer.failure == RowFailure::none ? "ok" : failure_name(answer.failure);
  out += R"("],"output":)";
  append_text(out, answer.text);
  if (answer.is_final) {
    out += R"(,"final":true,"message":)";
    append_text(out, answer.message);
  }
  append_number(out, R"(,"latency_ms":)", answer.latency_ms);
  append_usage(out, answer.usage, answer.cost_micro_usd);
  seal_line(out, start);
}

void append_outcome_line(std::string& out, const Outcome& outcome) {
  const std::size_t start = out.size();
  out += k_row_prefix;
  append_integer(out, outcome.row_index);
  out += k_status_name;
  out += status_name(outcome.status);
  out += '"';
  if (!outcome.row_id.empty()) {
    out += R"(,"id":)";
    append_text(out, outcome.row_id);
  }
  if (outcome.failure != RowFailure::none) {
    out += R"(,"error":")";
    out += failure_name(outcome.failure);
    out += R"(","message":)";
    append_text(out, outcome.message);
  }
  if (outcome.status == RowStatus::ok || !outcome.output.empty()) {
    out += R"(,"output":)";
    append_text(out, outcome.output);
  }
  append_steps(out, outcome.steps);
  if (outcome.http_status != 0) {
    append_number(out, R"(,"http_status":)", outcome.http_status);
  }
  append_number(out, R"(,"attempts":)", outcome.attempts);
  append_number(out, R"(,"latency_ms":)", outcome.latency_ms);
  append_usage(out, outcome.usage, outcome.cost_micro_usd);
  if (!outcome.request_id.empty()) {
    out += R"(,"request_id":)";
    append_text(out, outcome.request_id);
  }
  seal_line(out, start);
}

bool is_intact(std::string_view line) noexcept {
  if (line.size() <= k_seal_bytes || !line.ends_with("\"}")) {
    return false;
  }
  const std::string_view sealed = line.substr(0, line.size() - k_seal_bytes);
  const std::string_view seal = line.substr(sealed.size());
  const auto digits = checksum_of(sealed);
  return seal.starts_with(k_checksum_name) &&
         std::memcmp(seal.data() + k_checksum_name.size(), digits.data(), digits.size()) == 0;
}

LineGlance glance(std::string_view line) noexcept {
  LineGlance seen;
  if (take(line, k_row_prefix)) {
    std::uint64_t row = 0;
    if (take_number(line, row) && take(line, k_status_name)) {
      const auto status = status_from_name(line.substr(0, line.find('"')));
      if (status) {
        seen.kind = LineGlance::Kind::outcome;
        seen.row_index = row;
        seen.status = *status;
      }
    }
  } else if (line.starts_with(k_sent_prefix)) {
    seen.kind = LineGlance::Kind::sent;
  } else if (line.starts_with(k_ended_prefix)) {
    seen.kind = LineGlance::Kind::ended;
  } else if (line.starts_with(k_answer_prefix)) {
    seen.kind = LineGlance::Kind::answer;
  } else if (line.starts_with(k_header_prefix)) {
    seen.kind = LineGlance::Kind::header;
  }
  return seen;
}

std::vector<SentRecord> read_sent_line(std::string_view line) {
  std::vector<SentRecord> records;
  if (!take(line, k_sent_prefix)) {
    return records;
  }
  SentRecord record;
  while (take(line, "[") && take_number(line, record.row_index) && take(line, ",") &&
         take_number(line, record.attempt) && take(line, ",") &&
         take_number(line, record.max_cost_micro_usd) && take(line, "]")) {
    records.push_back(record);
    take(line, ",");
  }
  return records;
}

std::vector<EndedRecord> read_ended_line(std::string_view line) {
  std::vector<EndedRecord> records;
  if (!take(line, k_ended_prefix)) {
    return records;
  }
  EndedRecord record;
  while (take(line, "[") && take_number(line, record.row_index) && take(line, ",") &&
         take_number(line, record.attempt) && take(line, ",\"")) {
    const std::string_view name = line.substr(0, line.find('"'));
    record.failure = failure_from_name(name).value_or(RowFailure::protocol_error);
    line.remove_prefix(name.size());
    if (!take(line, "\"]")) {
      break;
    }
    records.push_back(record);
    take(line, ",");
  }
  return records;
}

std::optional<StepAnswer> read_answer_line(std::string_view line) {
  thread_local simdjson::dom::parser parser;
  simdjson::dom::object object;
  simdjson::dom::array key;
  if (parser.parse(line.data(), line.size()).get(object) != simdjson::SUCCESS ||
      object["answer"].get(key) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  StepAnswer answer;
  std::uint64_t attempt = 0;
  std::uint64_t step = 0;
  std::string_view failure;
  if (key.at(0).get(answer.row_index) != simdjson::SUCCESS ||
      key.at(1).get(attempt) != simdjson::SUCCESS || key.at(2).get(step) != simdjson::SUCCESS ||
      key.at(3).get(failure) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  answer.attempt = static_cast<std::uint32_t>(attempt);
  answer.step = static_cast<std::uint32_t>(step);
  if (failure != "ok") {
    answer.failure = failure_from_name(failure).value_or(RowFailure::invalid_answer);
  }
  answer.text = member_text(object, "output");
  if (object["final"].get(answer.is_final) == simdjson::SUCCESS && answer.is_final) {
    answer.message = member_text(object, "message");
  }
  answer.latency_ms = member_integer(object, "latency_ms");
  read_usage(object, answer.usage, answer.cost_micro_usd);
  return answer;
}

std::optional<Outcome> read_outcome_line(std::string_view line) {
  thread_local simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(line.data(), line.size()).get(object) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  std::uint64_t row = 0;
  const auto status = status_from_name(member_text(object, "status"));
  if (object["row"].get(row) != simdjson::SUCCESS || !status) {
    return std::nullopt;
  }
  Outcome outcome;
  outcome.row_index = row;
  outcome.status = *status;
  outcome.row_id = member_text(object, "id");
  const std::string_view error = member_text(object, "error");
  if (!error.empty()) {
    outcome.failure = failure_from_name(error).value_or(RowFailure::protocol_error);
  }
  outcome.message = member_text(object, "message");
  outcome.output = member_text(object, "output");
  read_steps(object, outcome.steps);
  outcome.http_status = static_cast<int>(member_integer(object, "http_status"));
  outcome.attempts = static_cast<std::uint32_t>(member_integer(object, "attempts"));
  outcome.latency_ms = member_integer(object, "latency_ms");
  read_usage(object, outcome.usage, outcome.cost_micro_usd);
  outcome.request_id = member_text(object, "request_id");
  return outcome;
}

namespace {

// Where the next seal stands that is whole. Of one that is cut off, what follows may be the
// beginning of the next record.
std::size_t find_seal(std::string_view bytes, std::size_t at) {
  constexpr std::string_view k_hexadecimal = "0123456789abcdef";
  constexpr std::string_view k_end = "\"}";
  while (true) {
    const std::size_t seal = bytes.find(k_checksum_name, at);
    if (seal == std::string_view::npos || seal + k_seal_bytes > bytes.size()) {
      return std::string_view::npos;
    }
    const std::string_view hash = bytes.substr(seal, k_seal_bytes).substr(k_checksum_name.size());
    if (hash.find_first_not_of(k_hexadecimal) == hash.size() - k_end.size() &&
        hash.ends_with(k_end)) {
      return seal;
    }
    at = seal + 1;
  }
}

}  // namespace

std::uint64_t salvage_records(std::string_view bytes,
                              const std::function<void(std::size_t, std::string_view)>& found) {
  // Quotes inside of JSON strings are escaped: a seal can only stand at the end of a record.
  std::uint64_t lost = 0;
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::size_t seal = find_seal(bytes, at);
    if (seal == std::string_view::npos) {
      return lost + 1;
    }
    const std::size_t end = seal + k_seal_bytes;
    std::string_view record = bytes.substr(at, end - at);
    // What stands before the record is the damaged rest of another: try every object that may begin
    // in between.
    std::size_t skipped = 0;
    while (!is_intact(record)) {
      const std::size_t brace = record.find("{\"", 1);
      if (brace == std::string_view::npos) {
        break;
      }
      skipped += brace;
      record.remove_prefix(brace);
    }
    if (is_intact(record)) {
      found(at + skipped, record);
      lost += skipped > 1 ? 1 : 0;
    } else {
      ++lost;
    }
    at = end;
    if (at < bytes.size() && bytes[at] == '\n') {
      ++at;
    }
  }
  return lost;
}

}  // namespace batchllm

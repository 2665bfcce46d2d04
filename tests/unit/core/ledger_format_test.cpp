// SPDX-License-Identifier: Apache-2.0
#include "core/ledger_format.h"

#include "core/json_text.h"
#include "tests/support/catch.h"

#include <set>
#include <string>
#include <vector>

using namespace batchllm;

namespace {

std::string_view without_line_feed(std::string_view line) {
  REQUIRE(line.ends_with('\n'));
  return line.substr(0, line.size() - 1);
}

Outcome full_outcome() {
  Outcome outcome;
  outcome.row_index = 70'001;
  outcome.status = RowStatus::failed;
  outcome.failure = RowFailure::truncated;
  outcome.http_status = 200;
  outcome.attempts = 3;
  outcome.latency_ms = 812;
  outcome.cost_micro_usd = 17;
  outcome.usage = {12, 34, 5};
  outcome.output = "half an \"answer\"\n\x01 größer";
  outcome.message = "cut off, \"xxh3\":\"0\"}";
  outcome.request_id = "req_1";
  outcome.row_id = "42";
  return outcome;
}

Outcome outcome_of_row(std::uint64_t row) {
  Outcome outcome;
  outcome.row_index = row;
  outcome.output = "answer \"" + std::to_string(row) + "\" {\"row\":1,\"xxh3\":\"00\"}\n";
  outcome.attempts = 1;
  return outcome;
}

std::set<std::uint64_t> outcome_rows(std::string_view bytes) {
  std::set<std::uint64_t> rows;
  salvage_records(bytes, [&rows](std::size_t, std::string_view record) {
    const LineGlance seen = glance(record);
    if (seen.kind == LineGlance::Kind::outcome) {
      rows.insert(seen.row_index);
    }
  });
  return rows;
}

}  // namespace

TEST_CASE("an outcome comes back from its line with every member", "[ledger]") {
  const Outcome before = full_outcome();
  std::string text;
  append_outcome_line(text, before);
  const std::string_view line = without_line_feed(text);
  CHECK(is_intact(line));
  CHECK(is_json(line));
  const auto after = read_outcome_line(line);
  REQUIRE(after);
  CHECK(after->row_index == before.row_index);
  CHECK(after->status == before.status);
  CHECK(after->failure == before.failure);
  CHECK(after->http_status == before.http_status);
  CHECK(after->attempts == before.attempts);
  CHECK(after->latency_ms == before.latency_ms);
  CHECK(after->cost_micro_usd == before.cost_micro_usd);
  CHECK(after->usage.input_tokens == before.usage.input_tokens);
  CHECK(after->usage.output_tokens == before.usage.output_tokens);
  CHECK(after->usage.cached_tokens == before.usage.cached_tokens);
  CHECK(after->output == before.output);
  CHECK(after->message == before.message);
  CHECK(after->request_id == before.request_id);
  CHECK(after->row_id == before.row_id);
}

TEST_CASE("what became of a row's steps comes back with its outcome", "[ledger]") {
  Outcome before = outcome_of_row(4);
  before.cost_micro_usd = 9;
  before.usage = {50, 6, 0};
  before.steps.resize(2);
  before.steps[0].output = "\"bug\",\"in\":5";
  before.steps[0].latency_ms = 812;
  before.steps[0].usage = {12, 3, 1};
  before.steps[0].cost_micro_usd = 7;
  before.steps[1].step = 3;
  before.steps[1].failure = RowFailure::refused;
  before.steps[1].message = "no";
  std::string text;
  append_outcome_line(text, before);
  CHECK(is_json(without_line_feed(text)));
  const auto after = read_outcome_line(without_line_feed(text));
  REQUIRE(after);
  CHECK(after->usage.input_tokens == 50);
  CHECK(after->cost_micro_usd == 9);
  REQUIRE(after->steps.size() == 2);
  CHECK(after->steps[0].step == 0);
  CHECK(after->steps[0].failure == RowFailure::none);
  CHECK(after->steps[0].output == before.steps[0].output);
  CHECK(after->steps[0].latency_ms == 812);
  CHECK(after->steps[0].usage.input_tokens == 12);
  CHECK(after->steps[0].usage.output_tokens == 3);
  CHECK(after->steps[0].usage.cached_tokens == 1);
  CHECK(after->steps[0].cost_micro_usd == 7);
  CHECK(after->steps[1].step == 3);
  CHECK(after->steps[1].failure == RowFailure::refused);
  CHECK(after->steps[1].message == "no");
  CHECK_FALSE(after->steps[1].cost_micro_usd);
}

TEST_CASE("a step's answer comes back, and whether it is asked again", "[ledger]") {
  StepAnswer before;
  before.row_index = 7;
  before.attempt = 2;
  before.step = 1;
  before.failure = RowFailure::invalid_answer;
  before.text = "maybe";
  before.latency_ms = 40;
  before.is_final = GENERATE(false, true);
  before.message = before.is_final ? "not one of them" : "";
  std::string text;
  append_answer_line(text, before);
  CHECK(glance(text).kind == LineGlance::Kind::answer);
  const auto after = read_answer_line(without_line_feed(text));
  REQUIRE(after);
  CHECK(after->row_index == 7);
  CHECK(after->attempt == 2);
  CHECK(after->step == 1);
  CHECK(after->failure == RowFailure::invalid_answer);
  CHECK(after->is_final == before.is_final);
  CHECK(after->message == before.message);
  CHECK(after->text == "maybe");
  CHECK(after->latency_ms == 40);
}

TEST_CASE("every status and failure has a name that is read back", "[ledger]") {
  for (int number = 0; number <= static_cast<int>(RowFailure::in_doubt); ++number) {
    Outcome outcome;
    outcome.failure = static_cast<RowFailure>(number);
    outcome.status = outcome.failure == RowFailure::none ? RowStatus::ok : RowStatus::failed;
    std::string text;
    append_outcome_line(text, outcome);
    const auto after = read_outcome_line(without_line_feed(text));
    REQUIRE(after);
    CHECK(after->failure == outcome.failure);
    CHECK(after->status == outcome.status);
  }
}

TEST_CASE("an outcome without a price and without text stays so", "[ledger]") {
  Outcome outcome;
  outcome.status = RowStatus::skipped;
  outcome.failure = RowFailure::in_doubt;
  std::string text;
  append_outcome_line(text, outcome);
  const auto after = read_outcome_line(without_line_feed(text));
  REQUIRE(after);
  CHECK_FALSE(after->cost_micro_usd);
  CHECK(after->output.empty());
  CHECK(after->request_id.empty());
}

TEST_CASE("what a server sent that is not UTF-8 leaves the record readable", "[ledger]") {
  Outcome outcome;
  outcome.status = RowStatus::failed;
  outcome.failure = RowFailure::protocol_error;
  outcome.message = "HTTP 502: caf\xe9 \xff\xfe";
  outcome.request_id = "req\x80";
  outcome.row_id = "\xe4";
  std::string text;
  append_outcome_line(text, outcome);
  const auto after = read_outcome_line(without_line_feed(text));
  REQUIRE(after);
  CHECK(after->message == "HTTP 502: caf? ??");
  CHECK(after->request_id == "req?");
  CHECK(after->row_id == "?");
}

TEST_CASE("sent and ended notes come back", "[ledger]") {
  std::string text;
  append_sent_line(
      text, {{0, 1, 0}, {65'535, 2, 1'234'567}, {18'446'744'073'709'551'615U, 9, 1}}, 99);
  const auto sent = read_sent_line(without_line_feed(text));
  REQUIRE(sent.size() == 3);
  CHECK(sent[1].row_index == 65'535);
  CHECK(sent[1].attempt == 2);
  CHECK(sent[1].max_cost_micro_usd == 1'234'567);
  CHECK(sent[2].row_index == 18'446'744'073'709'551'615U);

  text.clear();
  append_ended_line(text, {{7, 1, RowFailure::timeout}, {8, 2, RowFailure::rate_limited}});
  CHECK(glance(text).kind == LineGlance::Kind::ended);
  const auto ended = read_ended_line(without_line_feed(text));
  REQUIRE(ended.size() == 2);
  CHECK(ended[0].failure == RowFailure::timeout);
  CHECK(ended[1].row_index == 8);
  CHECK(ended[1].failure == RowFailure::rate_limited);
}

TEST_CASE("a glance tells the kinds of lines apart", "[ledger]") {
  std::string header;
  append_header_line(header, "job_\"1\"", 3);
  CHECK(is_json(header));
  CHECK(glance(header).kind == LineGlance::Kind::header);
  CHECK_THAT(header, ContainsSubstring(R"("first_row":98304)"));
  std::string sent;
  append_sent_line(sent, {{1, 1, 1}}, 0);
  CHECK(glance(sent).kind == LineGlance::Kind::sent);
  std::string outcome;
  append_outcome_line(outcome, full_outcome());
  const LineGlance seen = glance(outcome);
  CHECK(seen.kind == LineGlance::Kind::outcome);
  CHECK(seen.row_index == 70'001);
  CHECK(seen.status == RowStatus::failed);
  for (const char* other : {"",
                            "{",
                            R"({"row":)",
                            R"({"row":x,"status":"ok")",
                            R"({"row":1,"status":"no")",
                            R"({"row":1,"state":"ok")",
                            R"({"new":1})"}) {
    CAPTURE(other);
    CHECK(glance(other).kind == LineGlance::Kind::other);
  }
}

TEST_CASE("no changed, missing or added byte passes the checksum", "[ledger]") {
  std::string text;
  append_outcome_line(text, full_outcome());
  const std::string line(without_line_feed(text));
  for (std::size_t at = 0; at < line.size(); ++at) {
    std::string changed = line;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    CAPTURE(at);
    CHECK_FALSE(is_intact(changed));
    CHECK_FALSE(is_intact(line.substr(0, at)));
    CHECK_FALSE(is_intact(line.substr(0, at) + "x" + line.substr(at)));
  }
}

TEST_CASE("any damaged byte costs at most the record that holds it", "[ledger]") {
  std::string text;
  append_header_line(text, "job_1", 0);
  std::vector<std::size_t> ends;  // behind each record's line feed
  for (std::uint64_t row = 0; row < 6; ++row) {
    append_outcome_line(text, outcome_of_row(row));
    ends.push_back(text.size());
  }
  for (const char damage : {'\n', '{', '"', '\0', 'x', '}'}) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      std::string damaged = text;
      damaged[at] = damage;
      const auto rows = outcome_rows(damaged);
      std::uint64_t row = 0;
      std::size_t lost = 0;
      for (std::size_t start = text.find('\n') + 1; row < ends.size(); start = ends[row++]) {
        const bool is_hit = at >= start && at < ends[row] && damaged[at] != text[at];
        lost += rows.contains(row) ? 0 : 1;
        if (!is_hit && !rows.contains(row)) {
          CAPTURE(at, row, damage);
          FAIL("an undamaged record was lost");
        }
      }
      if (lost > 1) {
        CAPTURE(at, damage);
        FAIL("more than one record was lost");
      }
    }
  }
}

TEST_CASE("a record that is cut off anywhere does not take along the one behind it", "[ledger]") {
  std::string first;
  append_outcome_line(first, outcome_of_row(0));
  std::string second;
  append_outcome_line(second, outcome_of_row(1));
  for (std::size_t left = 0; left < first.size() - 1; ++left) {
    CAPTURE(left);
    CHECK(outcome_rows(first.substr(0, left) + second) == std::set<std::uint64_t>{1});
  }
}

TEST_CASE("salvaging counts what it could not read", "[ledger]") {
  std::string text;
  for (std::uint64_t row = 0; row < 3; ++row) {
    append_outcome_line(text, outcome_of_row(row));
  }
  const auto lost = [](const std::string& bytes) {
    return salvage_records(bytes, [](std::size_t, std::string_view) {});
  };
  CHECK(lost(text) == 0);
  CHECK(lost("") == 0);
  CHECK(lost("garbage") == 1);
  CHECK(lost("garbage" + text) == 1);
  CHECK(lost(text.substr(0, text.size() - 5)) == 1);
  CHECK(lost(text.substr(1)) == 1);
}

// SPDX-License-Identifier: Apache-2.0
#include "daemon/worker/worker_message.h"

#include "tests/support/catch.h"
#include "tests/support/thrown_error.h"

#include <limits>
#include <string>
#include <vector>

namespace batchllm::daemon {
namespace {

const JobCounts k_counts{100, 1, 2, 3, 4, 5, 6};

template <typename Message>
Message again(const Message& message) {
  const std::string line = worker_message_line(message);
  CHECK(line.find('\n') == line.size() - 1);  // one line
  return std::get<Message>(parse_worker_message(line));
}

TEST_CASE("an order to run arrives with all of it", "[worker_message]") {
  RunOrder order;
  order.job_id = "job_1";
  order.epoch = 7;
  order.record = "{\"prompt\":\"a\nb\"}";
  order.created_ms = 1'800'000'000'123;
  order.concurrency = 16;
  order.counts = k_counts;
  order.writes_result = false;
  order.retries_failed = true;
  order.retry_only = {"timeout", "refused"};
  order.keys = {{"OPENAI_API_KEY", "s\"3"}, {"OTHER", ""}};
  const RunOrder got = again(order);
  CHECK(got.job_id == order.job_id);
  CHECK(got.epoch == 7);
  CHECK(got.record == order.record);
  CHECK(got.created_ms == order.created_ms);
  CHECK(got.concurrency == 16);
  CHECK(got.counts == k_counts);
  CHECK_FALSE(got.writes_result);
  CHECK(got.retries_failed);
  CHECK(got.retry_only == order.retry_only);
  CHECK(got.keys == order.keys);
  CHECK(again(RunOrder{}).writes_result);
}

TEST_CASE("orders to a job that runs arrive", "[worker_message]") {
  for (const auto why : {RunEnding::Why::finished,
                         RunEnding::Why::paused,
                         RunEnding::Why::cancelled,
                         RunEnding::Why::shut_down}) {
    CHECK(again(StopOrder{why}).why == why);
    CHECK_FALSE(again(StopOrder{why}).abandons_answers);
    CHECK(again(StopOrder{why, true}).abandons_answers);
  }
  CHECK(again(ConcurrencyOrder{123}).rows_in_flight == 123);
}

TEST_CASE("a sign of life arrives with its counts", "[worker_message]") {
  AliveReport report;
  report.job_id = "job_1";
  report.epoch = 3;
  report.counts = k_counts;
  report.in_flight = 9;
  report.rows_per_s = 1.5;
  const AliveReport got = again(report);
  CHECK(got.job_id == "job_1");
  CHECK(got.epoch == 3);
  CHECK(got.counts == k_counts);
  CHECK(got.in_flight == 9);
  CHECK(got.rows_per_s == 1.5);
  report.counts.rows_total.reset();
  report.rows_per_s = std::numeric_limits<double>::quiet_NaN();
  CHECK(again(report).counts == report.counts);
  CHECK(again(report).rows_per_s == 0);
}

TEST_CASE("a text and an end arrive", "[worker_message]") {
  TextReport text;
  text.job_id = "job_2";
  text.epoch = 4;
  text.level = "warning";
  text.text = "two\nlines \"and\" ümlaut";
  CHECK(again(text).job_id == "job_2");
  CHECK(again(text).epoch == 4);
  CHECK(again(text).level == "warning");
  CHECK(again(text).text == text.text);

  EndReport report;
  report.job_id = "job_3";
  report.epoch = 5;
  report.ending.why = RunEnding::Why::shut_down;
  report.ending.exit_code = 130;
  report.ending.is_partial = true;
  report.ending.counts = k_counts;
  CHECK(again(report).job_id == "job_3");
  CHECK(again(report).epoch == 5);
  CHECK_FALSE(again(report).ending.fault);
  report.ending.fault = JobFault{"storage_full", "no room", "make some"};
  const RunEnding got = again(report).ending;
  CHECK(got.why == RunEnding::Why::shut_down);
  CHECK(got.exit_code == 130);
  CHECK(got.is_partial);
  CHECK(got.counts == k_counts);
  CHECK(got.fault == report.ending.fault);
}

TEST_CASE("a transfer and what became of it arrive", "[worker_message]") {
  TransferOrder order;
  order.is_upload = true;
  order.url = "https://example.org/a?b=\"c\"";
  order.file = "/tmp/in put.csv";
  order.media_type = "text/csv";
  order.bytes = std::numeric_limits<std::int64_t>::max();
  order.timeout_ms = 600'000;
  order.public_addresses_only = false;
  const TransferOrder got = again(order);
  CHECK(got.is_upload);
  CHECK(got.url == order.url);
  CHECK(got.file == order.file);
  CHECK(got.media_type == "text/csv");
  CHECK(got.bytes == order.bytes);
  CHECK(got.timeout_ms == 600'000);
  CHECK_FALSE(got.public_addresses_only);
  CHECK(again(TransferOrder{}).public_addresses_only);

  TransferReport report{42, "text/csv", std::nullopt};
  CHECK(again(report).bytes == 42);
  CHECK(again(report).media_type == "text/csv");
  CHECK_FALSE(again(report).fault);
  report.fault = JobFault{"input_missing", "no such file", "look"};
  CHECK(again(report).fault == report.fault);
}

TEST_CASE("bytes that are no text do not keep an end from arriving", "[worker_message]") {
  EndReport report;
  report.ending.fault = JobFault{"input_missing", "no file caf\xe9.csv", "look at \xff"};
  CHECK_THAT(again(report).ending.fault->message, ContainsSubstring("no file caf"));
  TextReport text;
  text.text = "\xc3";
  again(text);
}

TEST_CASE("what is no message is refused", "[worker_message]") {
  for (const std::string line : {"",
                                 "\n",
                                 "nonsense",
                                 "[]",
                                 "{}",
                                 R"({"say":"hello"})",
                                 R"({"say":"stop"})",
                                 R"({"say":"stop","why":4})",
                                 R"({"say":"stop","why":-1})",
                                 R"({"say":"stop","why":"paused"})",
                                 R"({"say":"concurrency","rows":1.5})",
                                 R"({"say":"alive","epoch":1})",
                                 R"({"say":"end","epoch":1,"why":0})"}) {
    CAPTURE(line);
    const auto error = thrown_error([&] { parse_worker_message(line); });
    REQUIRE(error);
    CHECK(error->code() == ErrorCode::internal);
  }
  std::string end = worker_message_line(EndReport{});
  end.insert(1, R"("fault":["only one"],)");
  CHECK(thrown_error([&] { parse_worker_message(end); }));
}

}  // namespace
}  // namespace batchllm::daemon

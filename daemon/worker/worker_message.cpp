// SPDX-License-Identifier: Apache-2.0
#include "daemon/worker/worker_message.h"

#include "core/error.h"
#include "core/json_document.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

namespace batchllm::daemon {
namespace {

constexpr int k_rate_digits = 3;

void write_counts(JsonWriter& json, const JobCounts& counts) {
  json.key("ok").number(counts.ok).key("failed").number(counts.failed);
  json.key("skipped").number(counts.skipped).key("cost").number(counts.cost_micro_usd);
  json.key("in").number(counts.input_tokens).key("out").number(counts.output_tokens);
  if (counts.rows_total) {
    json.key("total").number(*counts.rows_total);
  }
}

void write_fault(JsonWriter& json, const std::optional<JobFault>& fault) {
  if (fault) {
    json.key("fault").begin_array().string(fault->code).string(as_utf8(fault->message));
    json.string(as_utf8(fault->hint)).end_array();
  }
}

struct LineWriter {
  JsonWriter& json;

  void operator()(const RunOrder& order) const {
    json.key("say").string("run").key("job").string(order.job_id);
    json.key("epoch").number(order.epoch).key("record").string(order.record);
    json.key("created").number(order.created_ms).key("concurrency").number(order.concurrency);
    write_counts(json, order.counts);
    json.key("writes_result").boolean(order.writes_result);
    json.key("retries_failed").boolean(order.retries_failed).key("retry_only").begin_array();
    for (const std::string& failure : order.retry_only) {
      json.string(failure);
    }
    json.end_array().key("trusts_environment").boolean(order.trusts_environment);
    json.key("variables").begin_array();
    for (const std::string& variable : order.variables) {
      json.string(variable);
    }
    json.end_array().key("model_files").begin_array();
    for (const std::string& file : order.model_files) {
      json.string(file);
    }
    json.end_array().key("keys").begin_array();
    for (const auto& [variable, secret] : order.keys) {
      json.begin_array().string(variable).string(secret).end_array();
    }
    json.end_array();
  }

  void operator()(const StopOrder& order) const {
    json.key("say").string("stop").key("why").number(static_cast<int>(order.why));
    json.key("abandons_answers").boolean(order.abandons_answers);
  }

  void operator()(const ConcurrencyOrder& order) const {
    json.key("say").string("concurrency").key("rows").number(order.rows_in_flight);
  }

  void operator()(const TransferOrder& order) const {
    json.key("say").string("transfer").key("upload").boolean(order.is_upload);
    json.key("url").string(order.url).key("file").string(order.file);
    json.key("media_type").string(order.media_type).key("bytes").number(order.bytes);
    json.key("timeout_ms").number(order.timeout_ms);
    json.key("public_only").boolean(order.public_addresses_only);
  }

  void operator()(const AliveReport& report) const {
    json.key("say")
        .string("alive")
        .key("job")
        .string(report.job_id)
        .key("epoch")
        .number(report.epoch);
    write_counts(json, report.counts);
    json.key("in_flight").number(report.in_flight);
    json.key("rate").decimal(report.rows_per_s, k_rate_digits);
  }

  void operator()(const TextReport& report) const {
    json.key("say")
        .string("text")
        .key("job")
        .string(report.job_id)
        .key("epoch")
        .number(report.epoch);
    json.key("level").string(report.level).key("text").string(as_utf8(report.text));
  }

  void operator()(const EndReport& report) const {
    const RunEnding& ending = report.ending;
    json.key("say")
        .string("end")
        .key("job")
        .string(report.job_id)
        .key("epoch")
        .number(report.epoch);
    json.key("why").number(static_cast<int>(ending.why));
    json.key("exit_code").number(ending.exit_code).key("partial").boolean(ending.is_partial);
    write_counts(json, ending.counts);
    write_fault(json, ending.fault);
  }

  void operator()(const TransferReport& report) const {
    json.key("say").string("transferred").key("bytes").number(report.bytes);
    json.key("media_type").string(as_utf8(report.media_type));
    write_fault(json, report.fault);
  }
};

[[noreturn]] void refuse(std::string_view what) {
  throw Error(ErrorCode::internal, fmt::format("a worker's line {}", what));
}

class LineReader {
 public:
  explicit LineReader(const JsonNode& object) : object_(object) {}

  std::string text(std::string_view name) const { return text_of(node(name)); }

  std::int64_t number(std::string_view name) const {
    const auto value = node(name).integer();
    if (!value) {
      refuse(fmt::format("has no number as {}", name));
    }
    return *value;
  }

  bool flag(std::string_view name) const { return node(name).boolean().value_or(false); }

  const JsonNode& node(std::string_view name) const {
    const JsonNode* found = object_.find(name);
    if (found == nullptr) {
      refuse(fmt::format("lacks {}", name));
    }
    return *found;
  }

  bool has(std::string_view name) const { return object_.find(name) != nullptr; }

  static std::string text_of(const JsonNode& node) {
    return std::string(node.string().value_or(""));
  }

  JobCounts counts() const {
    JobCounts counts;
    counts.ok = number("ok");
    counts.failed = number("failed");
    counts.skipped = number("skipped");
    counts.cost_micro_usd = number("cost");
    counts.input_tokens = number("in");
    counts.output_tokens = number("out");
    if (has("total")) {
      counts.rows_total = number("total");
    }
    return counts;
  }

  std::optional<JobFault> fault() const {
    if (!has("fault")) {
      return std::nullopt;
    }
    const auto parts = node("fault").items();
    if (parts.size() != 3) {
      refuse("has a fault that is none");
    }
    return JobFault{text_of(parts[0]), text_of(parts[1]), text_of(parts[2])};
  }

  RunEnding::Why why() const {
    const std::int64_t value = number("why");
    if (value < 0 || value > static_cast<std::int64_t>(RunEnding::Why::shut_down)) {
      refuse("has an unknown why");
    }
    return static_cast<RunEnding::Why>(value);
  }

 private:
  const JsonNode& object_;
};

RunOrder read_run(const LineReader& line) {
  RunOrder order;
  order.job_id = line.text("job");
  order.epoch = line.number("epoch");
  order.record = line.text("record");
  order.created_ms = line.number("created");
  order.concurrency = line.number("concurrency");
  order.counts = line.counts();
  order.writes_result = line.flag("writes_result");
  order.retries_failed = line.flag("retries_failed");
  for (const JsonNode& failure : line.node("retry_only").items()) {
    order.retry_only.push_back(LineReader::text_of(failure));
  }
  order.trusts_environment = line.flag("trusts_environment");
  for (const JsonNode& variable : line.node("variables").items()) {
    order.variables.push_back(LineReader::text_of(variable));
  }
  for (const JsonNode& file : line.node("model_files").items()) {
    order.model_files.push_back(LineReader::text_of(file));
  }
  for (const JsonNode& key : line.node("keys").items()) {
    if (key.items().size() != 2) {
      refuse("has a key that is none");
    }
    order.keys.emplace_back(LineReader::text_of(key.items()[0]),
                            LineReader::text_of(key.items()[1]));
  }
  return order;
}

EndReport read_end(const LineReader& line) {
  EndReport report;
  report.job_id = line.text("job");
  report.epoch = line.number("epoch");
  RunEnding& ending = report.ending;
  ending.why = line.why();
  ending.exit_code = line.number("exit_code");
  ending.is_partial = line.flag("partial");
  ending.counts = line.counts();
  ending.fault = line.fault();
  return report;
}

TransferOrder read_transfer(const LineReader& line) {
  TransferOrder order;
  order.is_upload = line.flag("upload");
  order.url = line.text("url");
  order.file = line.text("file");
  order.media_type = line.text("media_type");
  order.bytes = line.number("bytes");
  order.timeout_ms = line.number("timeout_ms");
  order.public_addresses_only = line.flag("public_only");
  return order;
}

}  // namespace

std::string worker_message_line(const WorkerMessage& message) {
  JsonWriter json;
  json.begin_object();
  std::visit(LineWriter{json}, message);
  return json.end_object().text() + "\n";
}

WorkerMessage parse_worker_message(std::string_view text) {
  JsonLimits limits;
  limits.bytes = std::size_t{256} << 20;
  const auto document = parse_json_document(text, limits);
  if (!document) {
    refuse("is no JSON");
  }
  const LineReader line(*document);
  const std::string say = line.text("say");
  if (say == "run") {
    return read_run(line);
  }
  if (say == "stop") {
    return StopOrder{line.why(), line.flag("abandons_answers")};
  }
  if (say == "concurrency") {
    return ConcurrencyOrder{line.number("rows")};
  }
  if (say == "alive") {
    return AliveReport{line.text("job"),
                       line.number("epoch"),
                       line.counts(),
                       line.number("in_flight"),
                       line.node("rate").number().value_or(0)};
  }
  if (say == "text") {
    return TextReport{
        line.text("job"), line.number("epoch"), line.text("level"), line.text("text")};
  }
  if (say == "end") {
    return read_end(line);
  }
  if (say == "transfer") {
    return read_transfer(line);
  }
  if (say == "transferred") {
    return TransferReport{line.number("bytes"), line.text("media_type"), line.fault()};
  }
  refuse("says something unknown");
}

}  // namespace batchllm::daemon

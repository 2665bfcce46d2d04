// SPDX-License-Identifier: Apache-2.0
#include "core/manifest.h"

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/ledger_format.h"
#include "core/text.h"

#include <simdjson.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace batchllm {
namespace {

constexpr std::size_t k_manifest_limit = std::size_t{1} << 30;

std::uint64_t unsigned_member(const simdjson::dom::object& object, std::string_view name) {
  std::uint64_t value = 0;
  return object[name].get(value) == simdjson::SUCCESS ? value : 0;
}

std::int64_t signed_member(const simdjson::dom::object& object, std::string_view name) {
  std::int64_t value = 0;
  return object[name].get(value) == simdjson::SUCCESS ? value : 0;
}

SealedShard read_shard(const simdjson::dom::object& object) {
  SealedShard shard;
  shard.number = unsigned_member(object, "shard");
  shard.rows = unsigned_member(object, "rows");
  shard.matched = unsigned_member(object, "matched");
  shard.totals.ok = unsigned_member(object, "ok");
  shard.totals.failed = unsigned_member(object, "failed");
  shard.totals.skipped = unsigned_member(object, "skipped");
  shard.totals.excluded = unsigned_member(object, "excluded");
  shard.totals.cost_micro_usd = signed_member(object, "cost_micro_usd");
  shard.totals.input_tokens = signed_member(object, "input_tokens");
  shard.totals.output_tokens = signed_member(object, "output_tokens");
  simdjson::dom::object next;
  if (object["next"].get(next) == simdjson::SUCCESS) {
    RowPlace place;
    place.row_index = unsigned_member(next, "row");
    place.input = static_cast<std::uint32_t>(unsigned_member(next, "input"));
    place.byte_offset = unsigned_member(next, "byte");
    place.line = unsigned_member(next, "line");
    shard.next_place = place;
  }
  return shard;
}

}  // namespace

Manifest::Manifest(const std::filesystem::path& path, Access access) : path_(path) {
  std::error_code error;
  if (access == Access::read_only && !std::filesystem::exists(path, error)) {
    return;
  }
  if (access == Access::write) {
    file_ = FileHandle(open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!file_.is_open()) {
      throw_storage_error("open", path.string(), errno);
    }
  }
  const std::string text = read_file(path, k_manifest_limit);
  simdjson::dom::parser parser;
  for (const auto& line : split(text, '\n')) {
    simdjson::dom::object object;
    if (!is_intact(line) || parser.parse(line).get(object) != simdjson::SUCCESS) {
      continue;
    }
    std::uint64_t number = 0;
    if (object["reopened"].get(number) == simdjson::SUCCESS) {
      shards_.erase(number);
    } else if (object["digest"].get(number) == simdjson::SUCCESS) {
      digests_[static_cast<std::uint32_t>(number)] = {unsigned_member(object, "bytes"),
                                                      unsigned_member(object, "content_xxh3")};
    } else if (object["shard"].get(number) == simdjson::SUCCESS) {
      shards_[number] = read_shard(object);
    }
  }
  if (file_.is_open() && !text.empty() && !text.ends_with('\n')) {
    const MutexLock lock(mutex_);
    append("\n");  // a torn line must not swallow the next one
  }
}

void Manifest::seal(const SealedShard& shard) {
  JsonWriter json;
  json.begin_object().key("shard").number(shard.number).key("rows").number(shard.rows);
  json.key("matched").number(shard.matched).key("ok").number(shard.totals.ok);
  json.key("failed").number(shard.totals.failed).key("skipped").number(shard.totals.skipped);
  json.key("excluded").number(shard.totals.excluded);
  json.key("cost_micro_usd").number(shard.totals.cost_micro_usd);
  json.key("input_tokens").number(shard.totals.input_tokens);
  json.key("output_tokens").number(shard.totals.output_tokens);
  if (shard.next_place) {
    json.key("next").begin_object().key("row").number(shard.next_place->row_index);
    json.key("input").number(std::uint64_t{shard.next_place->input});
    json.key("byte").number(shard.next_place->byte_offset);
    json.key("line").number(shard.next_place->line).end_object();
  }
  std::string line = json.text();
  seal_line(line, 0);
  const MutexLock lock(mutex_);
  append(line);
  shards_[shard.number] = shard;
}

void Manifest::reopen(std::uint64_t number) {
  const MutexLock lock(mutex_);
  if (shards_.erase(number) != 0) {
    JsonWriter json;
    json.begin_object().key("reopened").number(number);
    std::string line = json.text();
    seal_line(line, 0);
    append(line);
  }
}

void Manifest::set_digest(std::uint32_t input, const InputDigest& digest) {
  JsonWriter json;
  json.begin_object().key("digest").number(std::uint64_t{input});
  json.key("bytes").number(digest.bytes).key("content_xxh3").number(digest.xxh3);
  std::string line = json.text();
  seal_line(line, 0);
  const MutexLock lock(mutex_);
  append(line);
  digests_[input] = digest;
}

ShardTotals Manifest::totals() const {
  ShardTotals sum;
  for (const auto& [number, shard] : shards_) {
    sum += shard.totals;
  }
  return sum;
}

void Manifest::append(const std::string& line) {
  struct stat before {};

  const bool is_known = fstat(file_.get(), &before) == 0;
  try {
    write_all(file_.get(), line, path_.string());
  } catch (const Error&) {
    // Half a line would swallow the next one.
    const int cut = is_known ? ftruncate(file_.get(), before.st_size) : -1;
    (void)cut;
    throw;
  }
  fdatasync(file_.get());
}

}  // namespace batchllm

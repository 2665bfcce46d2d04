// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/input_check.h"

#include "adapters/stream/raw_bytes.h"
#include "core/error.h"
#include "core/manifest.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace batchllm {
namespace {

bool is_same_file(const InputFingerprint& before, const InputFingerprint& now) {
  return before.bytes == now.bytes && before.modified_ns == now.modified_ns &&
         before.changed_ns == now.changed_ns && before.inode == now.inode &&
         before.device == now.device;
}

// The digest of the first `bytes` bytes of the file as it is now.
std::optional<std::uint64_t> digest_now(const std::string& path, std::uint64_t bytes) {
  const auto raw = with_digest(open_raw_file(path));
  std::vector<char> block(std::size_t{1} << 20);
  std::uint64_t left = bytes;
  while (left != 0) {
    const std::size_t got = raw->read(
        block.data(), static_cast<std::size_t>(std::min<std::uint64_t>(left, block.size())));
    if (got == 0) {
      return std::nullopt;
    }
    left -= got;
  }
  const auto digest = raw->prefix_digest();
  return digest ? std::optional(digest->xxh3) : std::nullopt;
}

[[noreturn]] void refuse_changed(const JobRecord& record,
                                 const std::string& path,
                                 const std::string& what) {
  throw Error(
      ErrorCode::input_changed,
      fmt::format("{} has changed since {} began: {}", path, record.id, what),
      fmt::format(
          "put the file back as it was, or start anew with: batchllm run … --new-job; what is "
          "answered can be had with: batchllm results export {}",
          record.id));
}

}  // namespace

void check_inputs_unchanged(const JobDirectory& directory, const JobRecord& record) {
  const Manifest manifest(directory.manifest_path());
  for (std::size_t i = 0; i < record.inputs.size(); ++i) {
    const InputFingerprint& before = record.inputs[i];
    if (before.from_stdin || before.is_stored) {
      continue;
    }
    const InputFingerprint now = fingerprint_input(before.path);
    if (is_same_file(before, now)) {
      continue;
    }
    if (before.bytes != now.bytes) {
      refuse_changed(
          record,
          before.path,
          fmt::format(
              "it had {}, now {}", count_noun(before.bytes, "byte"), with_thousands(now.bytes)));
    }
    const auto known = manifest.digests().find(static_cast<std::uint32_t>(i));
    if (known == manifest.digests().end() || known->second.bytes != before.bytes) {
      refuse_changed(
          record, before.path, "it was written to, and its earlier content is not known in full");
    }
    if (digest_now(before.path, known->second.bytes) != known->second.xxh3) {
      refuse_changed(record, before.path, "its content is another one");
    }
  }
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "daemon/http/sse_writer.h"

#include "tests/support/catch.h"

#include <string>

namespace batchllm::daemon {
namespace {

std::string written(const SseEvent& event) {
  std::string out;
  append_sse_event(out, event);
  return out;
}

TEST_CASE("an event has its fields and ends with an empty line", "[http]") {
  CHECK(written({"7", "progress", R"({"done":1})", std::chrono::milliseconds(2'000)}) ==
        "id: 7\nevent: progress\nretry: 2000\ndata: {\"done\":1}\n\n");
  CHECK(written({.id = {}, .name = {}, .data = "x", .retry = {}}) == "data: x\n\n");
  CHECK(written({}) == "data: \n\n");
}

TEST_CASE("each line of the data has its own field, so that none is lost or taken for one",
          "[http]") {
  CHECK(written({.id = {}, .name = {}, .data = "a\nid: 9\r\nb\rc\n", .retry = {}}) ==
        "data: a\ndata: id: 9\ndata: b\ndata: c\ndata: \n\n");
}

TEST_CASE("an id or a name cannot smuggle a field in", "[http]") {
  CHECK(written({"7\ndata: x", "e\rid: 8", "y", {}}) == "id: 7\nevent: e\ndata: y\n\n");
}

TEST_CASE("a comment is a sign of life", "[http]") {
  std::string out;
  append_sse_comment(out, "ping\npong");
  CHECK(out == ": ping\n: pong\n\n");
}

}  // namespace
}  // namespace batchllm::daemon

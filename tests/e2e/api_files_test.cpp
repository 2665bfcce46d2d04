// SPDX-License-Identifier: Apache-2.0
// Files over the API of a running daemon.
#include "tests/support/catch.h"
#include "tests/support/daemon_process.h"

#include <filesystem>

using namespace batchllm::test;

namespace {

namespace fs = std::filesystem;

const std::vector<std::string> k_csv = {"Content-Type: text/csv"};

DaemonProcess::Options programs(std::vector<std::string> words = {}) {
  return {.program = BATCHLLM_DAEMON, .batchllm = BATCHLLM_PROGRAM, .words = std::move(words)};
}

std::size_t contents_in(const DaemonProcess& daemon) {
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(daemon.state_folder() + "/files")) {
    count += entry.is_regular_file() ? 1 : 0;
  }
  return count;
}

std::string job_of_file(const DaemonProcess& daemon, const std::string& file) {
  return R"({"input":{"file_id":")" + file +
         R"("},"options":{"model":"simulator/any","base_url":")" + daemon.simulator().base_url() +
         R"(","prompt":"say {text}"}})";
}

}  // namespace

TEST_CASE("a file that is refused leaves nothing behind", "[e2e][daemon]") {
  const DaemonProcess daemon(programs({"--max-upload", "1KB"}));
  const auto large =
      daemon.send("POST", "/files?name=a.csv", "text\n" + std::string(2000, 'x') + "\n", k_csv);
  CHECK(large.status == 413);
  CHECK(large.at(".code") == "file_too_large");
  const auto broken = daemon.send("POST", "/files?name=a.csv", "text\n\"never closed\n", k_csv);
  CHECK(broken.status == 422);
  CHECK(broken.at(".code") == "bad_row");
  CHECK(daemon.get("/files").at(".items") == "[]");
  CHECK(contents_in(daemon) == 0);
}

TEST_CASE("a file's name is safe wherever it came from", "[e2e][daemon]") {
  const DaemonProcess daemon(programs());
  const auto made = daemon.send(
      "POST", "/files?name=..%2F..%2Fb%C3%BCcher%22%0D%0AX-Evil:%201.csv", "text\na\n", k_csv);
  REQUIRE(made.status == 201);
  const auto content = daemon.get("/files/" + made.at(".id") + "/content");
  CHECK(content.body == "text\na\n");
  CHECK_THAT(content.head, ContainsSubstring("Content-Disposition: attachment; filename=\"b"));
  CHECK_THAT(content.head, ContainsSubstring("; filename*=UTF-8''b%C3%BCcher"));
  CHECK(content.head.find("\r\nX-Evil") == std::string::npos);
}

TEST_CASE("the same upload under one key is one file, and one content for two files",
          "[e2e][daemon]") {
  const DaemonProcess daemon(programs());
  const std::vector<std::string> once = {"Content-Type: text/csv", "Idempotency-Key: k1"};
  const auto first = daemon.send("POST", "/files?name=a.csv", "text\na\n", once);
  const auto again = daemon.send("POST", "/files?name=a.csv", "text\na\n", once);
  CHECK(first.at(".id") == again.at(".id"));
  CHECK_THAT(again.head, ContainsSubstring("Idempotency-Replayed: true"));
  CHECK(daemon.send("POST", "/files?name=b.csv", "text\na\n", once).status == 409);
  const auto other = daemon.send("POST", "/files?name=b.csv", "text\na\n", k_csv);
  CHECK(other.at(".sha256") == first.at(".sha256"));
  CHECK(contents_in(daemon) == 1);
  CHECK(daemon.send("DELETE", "/files/" + other.at(".id")).status == 204);
  CHECK(contents_in(daemon) == 1);
  CHECK(daemon.send("DELETE", "/files/" + first.at(".id")).status == 204);
  CHECK(contents_in(daemon) == 0);
}

TEST_CASE("results stay readable when their file is deleted, until the job goes", "[e2e][daemon]") {
  const DaemonProcess daemon(programs());
  const auto file = daemon.send("POST", "/files?name=a.csv", "text\na\nb\n", k_csv).at(".id");
  const std::string job = daemon.submit(job_of_file(daemon, file));
  REQUIRE(daemon.wait_for_end(job).at(".state") == "succeeded");
  CHECK(daemon.send("DELETE", "/files/" + file).status == 204);
  CHECK(daemon.get("/files/" + file).status == 404);
  CHECK(daemon.post("/jobs", job_of_file(daemon, file)).status == 404);
  CHECK(daemon.get("/jobs/" + job + "/results").at(".items[1].input.text") == "b");
  CHECK(daemon.send("DELETE", "/jobs/" + job).status == 204);
  CHECK(contents_in(daemon) == 0);
}

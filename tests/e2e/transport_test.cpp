// SPDX-License-Identifier: Apache-2.0
// The ways to a server: verified TLS, HTTP/2 asked for, UNIX sockets.
#include "tests/support/catch.h"
#include "tests/support/job.h"

using namespace batchllm::test;

namespace {

// A certificate for 127.0.0.1 that nobody but its file vouches for; false without openssl.
bool make_certificate(const Workspace& workspace) {
  const auto made = run_process({.argv = {"openssl",
                                          "req",
                                          "-x509",
                                          "-newkey",
                                          "ec",
                                          "-pkeyopt",
                                          "ec_paramgen_curve:prime256v1",
                                          "-nodes",
                                          "-days",
                                          "2",
                                          "-subj",
                                          "/CN=batchllm test",
                                          "-addext",
                                          "subjectAltName=IP:127.0.0.1",
                                          "-keyout",
                                          workspace.path("key.pem"),
                                          "-out",
                                          workspace.path("cert.pem")}});
  return made.exit_code == 0;
}

Words tls_options(const Workspace& workspace) {
  return {"--tls-cert", workspace.path("cert.pem"), "--tls-key", workspace.path("key.pem")};
}

}  // namespace

TEST_CASE("a server's own authority is trusted when its certificate is given", "[e2e][tls]") {
  const Words http2 = GENERATE(Words{}, Words{"--http2"});
  const Workspace workspace(BATCHLLM_PROGRAM);
  if (!make_certificate(workspace)) {
    WARN("skipped: openssl makes no certificate here");
    return;
  }
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, tls_options(workspace));
  CHECK(simulator.base_url().starts_with("https://127.0.0.1:"));
  workspace.write("rows.csv", csv_of_rows(50));
  Words more = {"rows.csv", "-o", "out.csv", "--ca-file", "cert.pem"};
  more.insert(more.end(), http2.begin(), http2.end());
  const auto result = workspace.run(simulator, more);
  CAPTURE(result.error_text);
  CHECK(result.exit_code == 0);
  CHECK(simulator.call_count() == 50);
}

TEST_CASE("a server that nobody vouches for is not trusted", "[e2e][tls]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  if (!make_certificate(workspace)) {
    WARN("skipped: openssl makes no certificate here");
    return;
  }
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, tls_options(workspace));
  workspace.write("rows.csv", csv_of_rows(5));
  const auto result = workspace.run(simulator, {"rows.csv", "-o", "out.csv"});
  CHECK(result.exit_code == 7);
  CHECK_THAT(result.error_text, ContainsSubstring(simulator.base_url() + " cannot be trusted: "));
  CHECK_THAT(result.error_text, ContainsSubstring("--ca-file"));
  CHECK(simulator.call_count() == 0);
  CHECK(workspace.failures().empty());
  CHECK(workspace.call({"resume", "--ca-file", workspace.path("cert.pem")}).exit_code == 0);
}

TEST_CASE("a file that holds no certificates is refused before anything is read", "[e2e][tls]") {
  const SimulatorProcess simulator(BATCHLLM_PROGRAM);
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(5));
  workspace.write("none.pem", "no certificate\n");
  auto words = workspace.run_words(simulator, {"rows.csv", "-o", "out.csv"});
  words.insert(words.end(), {"--base-url", "https://127.0.0.1:9/v1", "--ca-file", "none.pem"});
  const auto result = workspace.call(words);
  CHECK(result.exit_code != 0);
  CHECK_THAT(result.error_text, ContainsSubstring("none.pem"));
}

TEST_CASE("a UNIX socket is a server's address too", "[e2e][unix_socket]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  const std::string socket = workspace.path("sim.sock");
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--socket", socket});
  CHECK(simulator.base_url() == "unix:" + socket);
  workspace.write("rows.csv", csv_of_rows(50));
  for (const std::string& url : {simulator.base_url(), "unix:" + socket + ":/v1"}) {
    CAPTURE(url);
    auto words = workspace.run_words(simulator, {"rows.csv", "-o", "out.csv", "--overwrite"});
    words.insert(words.end(), {"--base-url", url});
    const auto result = workspace.call(words);
    CAPTURE(result.error_text);
    CHECK(result.exit_code == 0);
  }
  CHECK(simulator.call_count() == 100);
}

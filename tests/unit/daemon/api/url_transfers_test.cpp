// SPDX-License-Identifier: Apache-2.0
// Transfers by workers; what transfers do is in adapters/http/url_transfer_test.cpp.
#include "daemon/api/url_transfers.h"

#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/raw_http_server.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <atomic>
#include <thread>
#include <vector>

namespace batchllm::daemon {
namespace {

using Then = RawReply::Then;

TEST_CASE("a worker fetches a file and stores one", "[url_transfers]") {
  const ScratchFolder folder;
  std::string head;
  RawHttpServer server([&head](const RawRequest& request) {
    head = request.head;
    return RawReply{RawHttpServer::ok("a,b\n1,2\n", "Content-Type: text/csv\r\n"), Then::keep};
  });
  const WorkerProgram program(BATCHLLM_WORKER);
  UrlTransfers transfers(program, folder.path());
  const auto got = transfers.download(server.url() + "rows.csv?a=b", folder.path("in"), {});
  CHECK_THAT(head, ContainsSubstring("GET /rows.csv?a=b HTTP/1.1\r\n"));
  CHECK(folder.read("in") == "a,b\n1,2\n");
  CHECK(got.bytes == 8);
  CHECK(got.media_type == "text/csv");
  transfers.upload(folder.path("in"), server.url() + "out.csv", "text/x", {});
  CHECK_THAT(head, ContainsSubstring("PUT /out.csv HTTP/1.1\r\n"));
  CHECK_THAT(head, ContainsSubstring("Content-Type: text/x\r\n"));
}

TEST_CASE("what stops a transfer comes with its code, message and hint", "[url_transfers]") {
  const ScratchFolder folder;
  RawHttpServer server([](const RawRequest& request) {
    const bool is_missing = request.head.starts_with("GET /missing");
    return RawReply{is_missing ? "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"
                               : RawHttpServer::ok("eleven byte"),
                    Then::keep};
  });
  const WorkerProgram program(BATCHLLM_WORKER);
  UrlTransfers transfers(program, folder.path());
  const auto error_of = [&](const std::string& name, const UrlTransferLimits& limits) {
    const auto error =
        thrown_error([&] { transfers.download(server.url() + name, folder.path("in"), limits); });
    REQUIRE(error);
    return *error;
  };
  UrlTransferLimits limits;
  CHECK(error_of("missing", limits).code() == ErrorCode::input_missing);
  CHECK_THAT(error_of("missing", limits).message(),
             ContainsSubstring("/missing: the server answered 404"));
  limits.bytes = 10;
  CHECK(error_of("long", limits).code() == ErrorCode::input_unreadable);
  limits.public_addresses_only = true;
  CHECK(error_of("local", limits).code() == ErrorCode::peer_refused);
  CHECK_THAT(error_of("local", limits).hint(), ContainsSubstring("callers on the socket"));
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a worker that dies ends its transfer", "[url_transfers]") {
  const ScratchFolder folder;
  const WorkerProgram program("/bin/false");
  UrlTransfers transfers(program, folder.path());
  const auto error =
      thrown_error([&] { transfers.download("http://127.0.0.1:1/", folder.path("in"), {}); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::internal);
  CHECK_THAT(error->message(), ContainsSubstring("ended before its transfer"));
}

TEST_CASE("transfers wait for their turn, and all end when the service stops", "[url_transfers]") {
  const ScratchFolder folder;
  RawHttpServer server([](const RawRequest&) { return RawReply{"", Then::hang}; });
  const WorkerProgram program(BATCHLLM_WORKER);
  UrlTransfers transfers(program, folder.path());
  std::atomic<std::size_t> stopped{0};
  std::vector<std::thread> callers;
  for (std::size_t i = 0; i < UrlTransfers::k_most + 1; ++i) {
    callers.emplace_back([&, i] {
      const auto error = thrown_error(
          [&] { transfers.download(server.url(), folder.path("in" + std::to_string(i)), {}); });
      stopped += error && error->code() == ErrorCode::daemon_draining ? 1U : 0U;
    });
  }
  CHECK(eventually([&] { return server.requests() == UrlTransfers::k_most; }));
  transfers.stop();
  for (std::thread& caller : callers) {
    caller.join();
  }
  CHECK(stopped == UrlTransfers::k_most + 1);
  CHECK(server.requests() == UrlTransfers::k_most);
  CHECK(thrown_error([&] { transfers.download(server.url(), folder.path("in"), {}); }));
}

}  // namespace
}  // namespace batchllm::daemon

// SPDX-License-Identifier: Apache-2.0
#include "adapters/http/url_transfer.h"

#include "tests/support/catch.h"
#include "tests/support/raw_http_server.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

using namespace batchllm;

namespace {

using Then = RawReply::Then;

RawHttpServer::Script always(std::string bytes, Then then = Then::keep) {
  return [bytes = std::move(bytes), then](const RawRequest&) { return RawReply{bytes, then}; };
}

bool is_empty(const ScratchFolder& folder) {
  return std::filesystem::is_empty(folder.path());
}

}  // namespace

TEST_CASE("a URL is downloaded into a file", "[url_transfer]") {
  const ScratchFolder folder;
  std::string head;
  RawHttpServer server([&head](const RawRequest& request) {
    head = request.head;
    return RawReply{RawHttpServer::ok("a,b\n1,2\n", "Content-Type: Text/CSV; charset=utf-8\r\n"),
                    Then::keep};
  });
  const auto got = download(server.url() + "rows.csv?signature=s#part", folder.path("in"), {});
  CHECK(folder.read("in") == "a,b\n1,2\n");
  CHECK(got.bytes == 8);
  CHECK(got.media_type == "text/csv");
  CHECK_THAT(head, ContainsSubstring("GET /rows.csv?signature=s HTTP/1.1\r\n"));
}

TEST_CASE("a download that fails leaves no file and does not tell the query", "[url_transfer]") {
  struct Case {
    std::string bytes;
    Then then;
    ErrorCode code;
  };

  const auto& c = GENERATE(values<Case>({
      {"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", Then::keep, ErrorCode::input_missing},
      {"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno", Then::keep, ErrorCode::input_unreadable},
      {"HTTP/1.1 302 No\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
       Then::keep,
       ErrorCode::input_unreadable},
      {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome",
       Then::close,
       ErrorCode::input_unreadable},
      {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome", Then::hang, ErrorCode::timeout},
      {RawHttpServer::ok("eleven byte"), Then::keep, ErrorCode::input_unreadable},
  }));
  CAPTURE(c.bytes);
  const ScratchFolder folder;
  RawHttpServer server(always(c.bytes, c.then));
  UrlTransferLimits limits;
  limits.bytes = 10;
  limits.timeout = Milliseconds(c.then == Then::hang ? 100 : 20'000);
  const auto error =
      thrown_error([&] { download(server.url() + "f?sig=hidden", folder.path("in"), limits); });
  REQUIRE(error.has_value());
  CHECK(error->code() == c.code);
  CHECK_THAT(error->message(), ContainsSubstring(server.url() + "f"));
  CHECK(error->message().find("hidden") == std::string::npos);
  CHECK(is_empty(folder));
}

TEST_CASE("only plain http and https URLs are used", "[url_transfer]") {
  const ScratchFolder folder;
  for (const char* url : {"file:///etc/passwd",
                          "/etc/passwd",
                          "ftp://h/f",
                          "unix:/run/d.sock",
                          "http://u:p@h/f",
                          "http://",
                          "http:///f",
                          "http://h/a b",
                          "HTTP://h/f",
                          ""}) {
    CAPTURE(url);
    CHECK(thrown_error([&] { download(url, folder.path("in"), {}); })->code() == ErrorCode::usage);
    CHECK(thrown_error([&] { upload(folder.write("out", "x"), url, "text/csv", {}); })->code() ==
          ErrorCode::usage);
  }
}

TEST_CASE("a file is stored at a URL", "[url_transfer]") {
  const ScratchFolder folder;
  RawRequest seen;
  RawHttpServer server([&seen](const RawRequest& request) {
    seen = request;
    return RawReply{RawHttpServer::ok(""), Then::keep};
  });
  const std::string large(300'000, 'x');
  upload(folder.write("out", large), server.url() + "results?sig=s", "text/csv", {});
  CHECK_THAT(seen.head, ContainsSubstring("PUT /results?sig=s HTTP/1.1\r\n"));
  CHECK_THAT(seen.head, ContainsSubstring("Content-Type: text/csv\r\n"));
  CHECK(seen.body == large);
}

TEST_CASE("a server that does not take a file is told", "[url_transfer]") {
  const ScratchFolder folder;
  RawHttpServer server(always("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"));
  const auto error = thrown_error(
      [&] { upload(folder.write("out", "x"), server.url() + "r?sig=hidden", "text/csv", {}); });
  CHECK(error->code() == ErrorCode::storage);
  CHECK_THAT(error->message(), ContainsSubstring("the server answered 403"));
  CHECK(error->message().find("hidden") == std::string::npos);
}

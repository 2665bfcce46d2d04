// SPDX-License-Identifier: Apache-2.0
#include "daemon/http/multipart.h"

#include "tests/support/catch.h"
#include "tests/support/thrown_error.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace batchllm::daemon {
namespace {

// A body that comes in pieces of a size.
class PiecewiseBody final : public BodySource {
 public:
  PiecewiseBody(std::string_view bytes, std::size_t piece) : left_(bytes), piece_(piece) {}

  std::string_view next() override {
    const auto piece = left_.substr(0, piece_);
    left_.remove_prefix(piece.size());
    return piece;
  }

 private:
  std::string_view left_;
  std::size_t piece_;
};

// The parts as one text: name|file name|type|bytes;
std::string read(std::string_view body,
                 std::size_t piece = 1'000'000,
                 std::string_view type = "multipart/form-data; boundary=XX") {
  PiecewiseBody source(body, piece);
  HttpRequest request;
  request.headers = {{"Content-Type", type}};
  request.body = &source;
  REQUIRE(is_multipart(request));
  std::string seen;
  stream_multipart(request,
                   {[&](const MultipartPart& part) {
                      seen +=
                          "<" + part.name + "|" + part.file_name + "|" + part.content_type + ">";
                    },
                    [&](std::string_view bytes) { seen += bytes; }});
  return seen;
}

constexpr std::string_view k_form =
    "--XX\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhi\r\n"
    "--XX\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a;\\\"b\\\".csv\"\r\n"
    "Content-Type: text/csv\r\n\r\na,b\r\n--X\r\n1,2\r\n\r\n--XX--\r\nepilogue";

TEST_CASE("a form's parts come with their names and exact bytes, however it is cut", "[http]") {
  for (std::size_t piece = 1; piece < k_form.size(); ++piece) {
    CAPTURE(piece);
    REQUIRE(read(k_form, piece) == "<note||>hi<file|a;\"b\".csv|text/csv>a,b\r\n--X\r\n1,2\r\n");
  }
}

TEST_CASE("forms of every legal shape are read", "[http]") {
  CHECK(read("preamble\r\n--XX  \r\n\r\nbare\r\n--XX--") == "<||>bare");
  CHECK(read("--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--XX--") == "<a||>");
  CHECK(read("--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n--XX--") == "<a||>");
  CHECK(read("--XX--").empty());
  CHECK(read("--a b\r\n\r\nx\r\n--a b--", 1, "Multipart/Form-Data; charset=x; Boundary=\"a b\"") ==
        "<||>x");
}

TEST_CASE("a malformed form is refused", "[http]") {
  const auto* body = GENERATE("",
                              "no boundary",
                              "--XX\r\n\r\ncut",
                              "--XX\r\n\r\nx\r\n--XX",
                              "--XXgarbage\r\n\r\nx\r\n--XX--",
                              "--XX\r\nno colon\r\n\r\nx\r\n--XX--");
  const auto error = thrown_error([&] { read(body); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::usage);
}

TEST_CASE("a part's head has a limit", "[http]") {
  const auto error = thrown_error([] { read("--XX\r\nX: " + std::string(100'000, 'x'), 1'000); });
  REQUIRE(error);
  CHECK_THAT(error->message(), ContainsSubstring("too large a head"));
}

TEST_CASE("a form without a usable boundary is refused", "[http]") {
  const std::string type = GENERATE(std::string("multipart/form-data"),
                                    std::string("multipart/form-data; boundary="),
                                    "multipart/form-data; boundary=" + std::string(71, 'x'));
  const auto error = thrown_error([&] { read("--XX--", 10, type); });
  REQUIRE(error);
  CHECK_THAT(error->message(), ContainsSubstring("no boundary"));
}

}  // namespace
}  // namespace batchllm::daemon

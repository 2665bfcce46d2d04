// SPDX-License-Identifier: Apache-2.0
#include "adapters/aws/sigv4.h"

#include "core/json_text.h"
#include "core/text.h"
#include "core/time_text.h"
#include "tests/support/catch.h"
#include "tests/support/suite_files.h"

#include <set>

using namespace batchllm;
using namespace batchllm::aws;

namespace {

// A case of the published suite: AWS' signing test suite, version 4.
struct SuiteCase {
  std::filesystem::path folder;
  Credentials credentials;
  SigningRules rules;
  std::int64_t time_ms = 0;
  std::int64_t valid_s = 0;
  std::string method;
  std::string path;
  std::string query;
  HeaderFields headers;
  std::string payload_sha256;

  SignableRequest request() const { return {method, path, query, headers, payload_sha256}; }

  std::string expected(const std::string& name) const { return file_text(folder / name); }
};

std::string context_value(const std::string& context, const std::string& path) {
  const auto value = find_in_json(context, path);
  return value ? value->text : "";
}

void read_request(const std::string& text, SuiteCase& c) {
  const auto end_of_line = text.find('\n');
  const std::string line = text.substr(0, end_of_line);
  const auto target = line.find(' ') + 1;
  const std::string uri = line.substr(target, line.rfind(" HTTP/") - target);
  c.method = line.substr(0, target - 1);
  c.path = uri.substr(0, uri.find('?'));
  c.query = uri.find('?') == std::string::npos ? "" : uri.substr(uri.find('?') + 1);
  const auto blank = text.find("\n\n");
  const std::string body = blank == std::string::npos ? "" : text.substr(blank + 2);
  const std::string head =
      end_of_line == std::string::npos ? "" : text.substr(end_of_line + 1, blank - end_of_line - 1);
  for (const std::string& header : split(head, '\n')) {
    const auto colon = header.find(':');
    if (header.starts_with(' ') && !c.headers.empty()) {  // continues the line before
      c.headers.back().second += header;
    } else if (colon != std::string::npos) {
      c.headers.emplace_back(header.substr(0, colon), header.substr(colon + 1));
    }
  }
  c.payload_sha256 = sha256_hex(body);
}

std::vector<SuiteCase> suite_cases() {
  std::vector<SuiteCase> cases;
  for (const auto& file : files_below(suites_folder() / "sigv4/tests/aws-signing-test-suite/v4")) {
    if (file.filename() != "context.json") {
      continue;
    }
    const std::string context = file_text(file);
    SuiteCase& c = cases.emplace_back();
    c.folder = file.parent_path();
    c.credentials = {context_value(context, ".credentials.access_key_id"),
                     context_value(context, ".credentials.secret_access_key"),
                     context_value(context, ".credentials.token")};
    c.rules.region = context_value(context, ".region");
    c.rules.service = context_value(context, ".service");
    c.rules.names_payload = context_value(context, ".sign_body") == "true";
    c.rules.token_unsigned = context_value(context, ".omit_session_token") == "true";
    c.rules.keeps_dots = context_value(context, ".normalize") == "false";
    c.time_ms = parse_rfc3339(context_value(context, ".timestamp")).value();
    c.valid_s = parse_integer(context_value(context, ".expiration_in_seconds")).value();
    read_request(file_text(c.folder / "request.txt"), c);
  }
  return cases;
}

std::set<std::string> lines_of(const std::string& text, char separator) {
  const auto lines = split(text, separator);
  return {lines.begin(), lines.end()};
}

const Credentials k_credentials = {"AKID", "secret", "", {}};

}  // namespace

TEST_CASE("requests are signed as in the published vectors", "[sigv4]") {
  const auto cases = suite_cases();
  if (cases.empty()) {
    WARN("the signing test suite is not in " << suites_folder().string());
    return;
  }
  CHECK(cases.size() == 38);
  for (const SuiteCase& c : cases) {
    CAPTURE(c.folder.filename().string());
    const Signature signature = Signer(c.rules).sign(c.request(), c.credentials, c.time_ms);
    CHECK(signature.canonical_request == c.expected("header-canonical-request.txt"));
    CHECK(signature.string_to_sign == c.expected("header-string-to-sign.txt"));
    CHECK(signature.signature == c.expected("header-signature.txt"));
    const std::string signed_request = c.expected("header-signed-request.txt");
    for (const auto& [name, value] : signature.headers) {
      CHECK(signed_request.find(name + ":" + value + "\n") != std::string::npos);
    }
  }
}

TEST_CASE("URLs are presigned as in the published vectors", "[sigv4]") {
  for (const SuiteCase& c : suite_cases()) {
    CAPTURE(c.folder.filename().string());
    const Signature signature =
        Signer(c.rules).presign(c.request(), c.credentials, c.time_ms, c.valid_s);
    CHECK(signature.canonical_request == c.expected("query-canonical-request.txt"));
    CHECK(signature.string_to_sign == c.expected("query-string-to-sign.txt"));
    CHECK(signature.signature == c.expected("query-signature.txt"));
    if (c.query.empty()) {
      const std::string line = c.expected("query-signed-request.txt");
      const auto query = line.find('?') + 1;
      CHECK(lines_of(signature.query, '&') ==
            lines_of(line.substr(query, line.find(" HTTP/") - query), '&'));
    }
  }
}

TEST_CASE("S3 signs a path as it is, other services encode it once more", "[sigv4]") {
  const std::string empty = sha256_hex("");
  SignableRequest request;
  request.path = "/a%3Ab/../c//d";
  request.headers = {{"Host", "h"}};
  request.payload_sha256 = empty;
  const auto path = [&request](SigningRules rules) {
    const std::string text =
        Signer(std::move(rules)).sign(request, k_credentials, 0).canonical_request;
    return split(text, '\n').at(1);
  };
  CHECK(path({.region = "r", .service = "s3", .path_as_it_is = true}) == "/a%3Ab/../c//d");
  CHECK(path({.region = "r", .service = "bedrock"}) == "/c/d");
  request.path = "/model/us.a%3A0/converse";
  CHECK(path({.region = "r", .service = "bedrock"}) == "/model/us.a%253A0/converse");
  request.path = "";
  CHECK(path({.region = "r", .service = "s3", .path_as_it_is = true}) == "/");
  CHECK(path({.region = "r", .service = "bedrock"}) == "/");
}

TEST_CASE("a query is the same however it is written", "[sigv4]") {
  const auto query = [](std::string_view text) {
    SignableRequest request;
    request.query = text;
    const Signature signature =
        Signer({.region = "r", .service = "s3"}).sign(request, k_credentials, 0);
    return split(signature.canonical_request, '\n').at(2);
  };
  CHECK(query("prefix=a/b&list-type=2") == "list-type=2&prefix=a%2Fb");
  CHECK(query("prefix=a%2fb&list-type=2") == "list-type=2&prefix=a%2Fb");
  CHECK(query("uploads") == "uploads=");
  CHECK(query("&&a=1=2&a=%zz&%4") == "%254=&a=%25zz&a=1%3D2");
  CHECK(query("a=1+2") == "a=1%2B2");
}

TEST_CASE("the day's key is made anew for another day or another secret", "[sigv4]") {
  Signer signer({.region = "r", .service = "s"});
  SignableRequest request;
  const auto signature = [&](const Credentials& credentials, std::int64_t time_ms) {
    const std::string once = signer.sign(request, credentials, time_ms).signature;
    CHECK(once == signer.sign(request, credentials, time_ms).signature);
    CHECK(once == Signer(signer.rules()).sign(request, credentials, time_ms).signature);
    return once;
  };
  const std::string first = signature(k_credentials, 0);
  CHECK(signature(k_credentials, 86'400'000) != first);
  CHECK(signature({"AKID", "other", "", {}}, 0) != first);
  CHECK(signature(k_credentials, 0) == first);
}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/transport.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace batchllm::aws {

// What requests are signed with. Secret but for the id.
struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;                       // empty: these do not expire
  std::optional<std::int64_t> expires_at_ms = {};  // since 1970
};

// A request as it is sent. `headers` has at least Host, with the port where that is not the usual
// one; headers that are not here are not signed.
struct SignableRequest {
  std::string_view method = "GET";
  std::string_view path = "/";  // percent-encoded
  std::string_view query = {};  // without "?"; encoded or not, in any order
  HeaderFields headers = {};
  std::string_view payload_sha256 = {};  // of the body, in hexadecimal: sha256_hex
};

struct SigningRules {
  std::string region;
  std::string service;
  bool path_as_it_is = false;  // as S3 does; the other services encode a path once more
  bool keeps_dots = false;     // do not take ".", ".." and "//" out of a path first
  // Send and sign the header x-amz-content-sha256. S3 asks for it.
  bool names_payload = false;
  // Send the session token without signing it. A few older services ask for it.
  bool token_unsigned = false;
};

// What a signature consists of: what to send, and what a server that refuses it compares.
struct Signature {
  HeaderFields headers;  // to send beside those that were signed (sign)
  std::string query;     // the whole query to send, without "?" (presign)
  std::string canonical_request;
  std::string string_to_sign;
  std::string signature;
};

// Signs requests to AWS and to what speaks its S3. Source: AWS "Signature Version 4 signing
// process" (canonical request, string to sign, signing key), "Authenticating requests: query
// parameters". Checked against the published vectors. Not thread-safe: it keeps the day's key.
class Signer {
 public:
  explicit Signer(SigningRules rules) : rules_(std::move(rules)) {}

  // The signature goes into the header Authorization. `time_ms` is the time now, since 1970.
  Signature sign(const SignableRequest& request,
                 const Credentials& credentials,
                 std::int64_t time_ms);

  // The signature goes into the query: a URL that anybody may use for `valid_s` seconds.
  Signature presign(const SignableRequest& request,
                    const Credentials& credentials,
                    std::int64_t time_ms,
                    std::int64_t valid_s);

  const SigningRules& rules() const noexcept { return rules_; }

 private:
  struct Stamp;

  void finish(const SignableRequest& request,
              const Stamp& stamp,
              const Credentials& credentials,
              const std::string& query,
              std::string_view headers,
              Signature& signature);
  const std::string& key_for(const Credentials& credentials, std::string_view date);
  std::string canonical_path(std::string_view path) const;

  SigningRules rules_;
  std::string key_;
  std::string key_date_;
  std::string key_secret_;
};

// 64 hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

}  // namespace batchllm::aws

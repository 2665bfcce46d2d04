// SPDX-License-Identifier: Apache-2.0
#include "adapters/aws/sigv4.h"

#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>
#include <vector>

namespace batchllm::aws {

// When a signature is made, and for what.
struct Signer::Stamp {
  std::string time;  // "20150830T123600Z"
  std::string signed_headers;

  std::string_view date() const { return std::string_view(time).substr(0, 8); }
};

namespace {

constexpr std::string_view k_algorithm = "AWS4-HMAC-SHA256";

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string hex(const unsigned char* bytes, std::size_t size) {
  constexpr std::string_view k_digits = "0123456789abcdef";
  std::string text;
  text.reserve(size * 2);
  for (std::size_t i = 0; i < size; ++i) {
    text += k_digits[bytes[i] >> 4U];
    text += k_digits[bytes[i] & 15U];
  }
  return text;
}

std::string hmac(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(),
           key.data(),
           static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()),  // NOLINT: bytes are bytes
           text.size(),
           digest.data(),
           &size) == nullptr) {
    throw Error(ErrorCode::internal, "OpenSSL cannot compute an HMAC");
  }
  return {reinterpret_cast<const char*>(digest.data()), size};  // NOLINT
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digits = text.substr(i, 3);
    unsigned byte = 0;
    bool is_code = digits.size() == 3 && digits.front() == '%';
    for (const char digit : digits.substr(std::min<std::size_t>(1, digits.size()))) {
      const int value = digit >= '0' && digit <= '9'   ? digit - '0'
                        : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
                        : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                                       : -1;
      is_code = is_code && value >= 0;
      byte = byte * 16 + static_cast<unsigned>(std::max(value, 0));
    }
    decoded += is_code ? static_cast<char>(byte) : text[i];
    i += is_code ? 2 : 0;
  }
  return decoded;
}

// Every parameter encoded in the one way that counts.
Pairs query_parameters(std::string_view query) {
  Pairs parameters;
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    if (part.empty()) {
      continue;
    }
    const auto equals = std::min(part.find('='), part.size());
    const std::string_view value = part.substr(std::min(equals + 1, part.size()));
    parameters.emplace_back(percent_encoded(percent_decoded(part.substr(0, equals))),
                            percent_encoded(percent_decoded(value)));
  }
  return parameters;
}

std::string joined(Pairs parameters) {
  std::sort(parameters.begin(), parameters.end());
  std::string query;
  for (const auto& [name, value] : parameters) {
    query += query.empty() ? "" : "&";
    query += name;
    query += '=';
    query += value;
  }
  return query;
}

// A header's value without blanks around it and with single ones inside.
std::string canonical_value(std::string_view value) {
  std::string canonical;
  for (const char letter : trim(value)) {
    const bool is_blank = letter == ' ' || letter == '\t' || letter == '\r' || letter == '\n';
    if (!is_blank) {
      canonical += letter;
    } else if (canonical.back() != ' ') {
      canonical += ' ';
    }
  }
  return canonical;
}

// "name:value\n" in the order of the names, those of one name as one line.
std::string canonical_headers(const HeaderFields& headers, std::string& signed_names) {
  Pairs lines;
  for (const auto& [name, value] : headers) {
    lines.emplace_back(lowercase(name), canonical_value(value));
  }
  std::stable_sort(
      lines.begin(), lines.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string text;
  std::string_view last;
  for (const auto& [name, value] : lines) {
    if (!last.empty() && name == last) {
      text.back() = ',';
    } else {
      signed_names += (signed_names.empty() ? "" : ";") + name;
      text += name + ":";
    }
    text += value + "\n";
    last = name;
  }
  return text;
}

std::string without_dots(std::string_view path) {
  std::vector<std::string_view> parts;
  const bool ends_in_slash = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(part.size() + 1, path.size()));
    if (part == "..") {
      if (!parts.empty()) {
        parts.pop_back();
      }
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
  }
  std::string normal;
  for (const std::string_view part : parts) {
    normal += '/';
    normal += part;
  }
  return normal.empty() || ends_in_slash ? normal + '/' : normal;
}

std::string time_text(std::int64_t time_ms) {
  const std::chrono::sys_time<std::chrono::seconds> time{
      std::chrono::floor<std::chrono::seconds>(std::chrono::milliseconds(time_ms))};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z",
                     static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()),
                     clock.hours().count(),
                     clock.minutes().count(),
                     clock.seconds().count());
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    throw Error(ErrorCode::internal, "OpenSSL cannot compute SHA-256");
  }
  return hex(digest.data(), size);
}

Signature Signer::sign(const SignableRequest& request,
                       const Credentials& credentials,
                       std::int64_t time_ms) {
  Signature signature;
  Stamp stamp{time_text(time_ms), {}};
  signature.headers.emplace_back("X-Amz-Date", stamp.time);
  if (rules_.names_payload) {
    signature.headers.emplace_back("x-amz-content-sha256", request.payload_sha256);
  }
  const std::pair<std::string, std::string> token{"X-Amz-Security-Token",
                                                  credentials.session_token};
  if (!token.second.empty() && !rules_.token_unsigned) {
    signature.headers.push_back(token);
  }
  HeaderFields all = request.headers;
  all.insert(all.end(), signature.headers.begin(), signature.headers.end());
  const std::string headers = canonical_headers(all, stamp.signed_headers);
  finish(request, stamp, credentials, joined(query_parameters(request.query)), headers, signature);
  if (!token.second.empty() && rules_.token_unsigned) {
    signature.headers.push_back(token);
  }
  signature.headers.emplace_back(
      "Authorization",
      fmt::format("{} Credential={}/{}/{}/{}/aws4_request, SignedHeaders={}, Signature={}",
                  k_algorithm,
                  credentials.access_key_id,
                  stamp.date(),
                  rules_.region,
                  rules_.service,
                  stamp.signed_headers,
                  signature.signature));
  return signature;
}

Signature Signer::presign(const SignableRequest& request,
                          const Credentials& credentials,
                          std::int64_t time_ms,
                          std::int64_t valid_s) {
  Signature signature;
  Stamp stamp{time_text(time_ms), {}};
  const std::string headers = canonical_headers(request.headers, stamp.signed_headers);
  Pairs parameters = query_parameters(request.query);
  const std::string credential = fmt::format("{}/{}/{}/{}/aws4_request",
                                             credentials.access_key_id,
                                             stamp.date(),
                                             rules_.region,
                                             rules_.service);
  parameters.emplace_back("X-Amz-Algorithm", k_algorithm);
  parameters.emplace_back("X-Amz-Credential", percent_encoded(credential));
  parameters.emplace_back("X-Amz-Date", stamp.time);
  parameters.emplace_back("X-Amz-Expires", std::to_string(valid_s));
  parameters.emplace_back("X-Amz-SignedHeaders", percent_encoded(stamp.signed_headers));
  const std::string token = percent_encoded(credentials.session_token);
  if (!token.empty() && !rules_.token_unsigned) {
    parameters.emplace_back("X-Amz-Security-Token", token);
  }
  signature.query = joined(std::move(parameters));
  finish(request, stamp, credentials, signature.query, headers, signature);
  if (!token.empty() && rules_.token_unsigned) {
    signature.query += "&X-Amz-Security-Token=" + token;
  }
  signature.query += "&X-Amz-Signature=" + signature.signature;
  return signature;
}

// `headers` are those of the canonical request.
void Signer::finish(const SignableRequest& request,
                    const Stamp& stamp,
                    const Credentials& credentials,
                    const std::string& query,
                    std::string_view headers,
                    Signature& signature) {
  signature.canonical_request = fmt::format("{}\n{}\n{}\n{}\n{}\n{}",
                                            request.method,
                                            canonical_path(request.path),
                                            query,
                                            headers,
                                            stamp.signed_headers,
                                            request.payload_sha256);
  signature.string_to_sign = fmt::format("{}\n{}\n{}/{}/{}/aws4_request\n{}",
                                         k_algorithm,
                                         stamp.time,
                                         stamp.date(),
                                         rules_.region,
                                         rules_.service,
                                         sha256_hex(signature.canonical_request));
  const std::string digest = hmac(key_for(credentials, stamp.date()), signature.string_to_sign);
  signature.signature =
      hex(reinterpret_cast<const unsigned char*>(digest.data()), digest.size());  // NOLINT
}

const std::string& Signer::key_for(const Credentials& credentials, std::string_view date) {
  if (key_date_ != date || key_secret_ != credentials.secret_access_key) {
    key_ = hmac("AWS4" + credentials.secret_access_key, date);
    key_ = hmac(key_, rules_.region);
    key_ = hmac(key_, rules_.service);
    key_ = hmac(key_, "aws4_request");
    key_date_ = date;
    key_secret_ = credentials.secret_access_key;
  }
  return key_;
}

std::string Signer::canonical_path(std::string_view path) const {
  if (rules_.path_as_it_is) {
    return path.empty() ? "/" : std::string(path);
  }
  std::string canonical;
  for (const std::string& part :
       split(rules_.keeps_dots ? std::string(path) : without_dots(path), '/')) {
    canonical += percent_encoded(part) + "/";
  }
  canonical.pop_back();
  return canonical.empty() ? "/" : canonical;
}

}  // namespace batchllm::aws

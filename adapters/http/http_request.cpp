// SPDX-License-Identifier: Apache-2.0
#include "adapters/http/http_request.h"

#include "adapters/http/response_headers.h"
#include "core/text.h"

#include <fmt/format.h>

#include <cstdlib>
#include <new>
#include <utility>

namespace batchllm {
namespace {

bool environment_names_proxy() {
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing sets it
    if (value != nullptr && *value != '\0') {
      return true;
    }
  }
  return false;
}

}  // namespace

HttpRequestSettings::HttpRequestSettings(HttpEndpoint endpoint, std::size_t max_response_bytes)
    : endpoint_(std::move(endpoint)),
      max_response_bytes_(max_response_bytes),
      uses_proxy_(environment_names_proxy()) {
  use_curl();
  if (endpoint_.url.starts_with("https:")) {
    tls_.emplace(endpoint_.ca_file);
  }
  headers_ = common_headers();
  share_.reset(curl_share_init());
  curl_share_setopt(share_.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
}

HeaderList HttpRequestSettings::common_headers() const {
  HeaderList headers;
  for (const auto& [name, value] : endpoint_.headers) {
    append_header(headers, name + ": " + value);
  }
  // libcurl renders headers byte by byte: none that nobody needs. Expect would cost large bodies a
  // round trip.
  append_header(headers, "Accept:");
  append_header(headers, "Expect:");
  return headers;
}

HeaderList HttpRequestSettings::headers_for(std::string_view body) const {
  if (!endpoint_.sign) {
    return nullptr;
  }
  HeaderList headers = common_headers();
  for (const auto& [name, value] : endpoint_.sign(body)) {
    append_header(headers, name + ": " + value);
  }
  return headers;
}

void HttpRequestSettings::apply(CURL* easy) {
  curl_easy_setopt(easy, CURLOPT_URL, endpoint_.url.c_str());
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#endif
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(
      easy,
      CURLOPT_HTTP_VERSION,
      static_cast<long>(endpoint_.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_PIPEWAIT, endpoint_.http2 ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "batchllm/" BATCHLLM_VERSION);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 4096L);
  curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 16384L);
  curl_easy_setopt(easy, CURLOPT_SHARE, share_.get());
  if (!endpoint_.unix_socket.empty()) {
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, endpoint_.unix_socket.c_str());
  }
  if (!uses_proxy_ || !endpoint_.unix_socket.empty()) {
    // Otherwise libcurl looks into the environment for every request.
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
  }
  if (tls_) {
    tls_->apply(easy);
  }
}

void HttpRequest::open(HttpRequestSettings& settings, void* owner) {
  settings_ = &settings;
  easy_.reset(curl_easy_init());
  if (easy_ == nullptr) {
    throw std::bad_alloc();
  }
  CURL* easy = easy_.get();
  settings.apply(easy);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, owner);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &HttpRequest::on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &HttpRequest::on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_text_.data());
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &HttpRequest::before_request);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, this);
}

void HttpRequest::begin(std::string_view body, Milliseconds timeout) {
  sent_ = false;
  begun_at_ = std::chrono::steady_clock::now();
  timeout_ = timeout;
  response_ = HttpResponse{};
  error_text_[0] = '\0';
  curl_easy_setopt(easy_.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(easy_.get(), CURLOPT_POSTFIELDS, body.data());
  if (HeaderList headers = settings_->headers_for(body)) {
    curl_easy_setopt(easy_.get(), CURLOPT_HTTPHEADER, headers.get());
    headers_ = std::move(headers);
  }
}

HttpResponse& HttpRequest::end(CURLcode code, TimePoint now) {
  response_.latency_ms = std::chrono::duration_cast<Milliseconds>(now - begun_at_).count();
  if (code == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<int>(status);
  } else {
    response_.failure = transport_failure(code, sent_);
    response_.failure_text = failure_text(code);
  }
  response_.body = body_.data();
  response_.body_size = body_.size();
  return response_;
}

std::string HttpRequest::failure_text(CURLcode code) const {
  switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
      return "the server closed the connection without an answer";
    case CURLE_OPERATION_TIMEDOUT:
      return fmt::format(
          "{} within {} ms", sent_ ? "no complete answer" : "no connection", timeout_.count());
    default:
      return one_line(error_text_[0] != '\0' ? error_text_.data() : curl_easy_strerror(code), 300);
  }
}

std::size_t HttpRequest::on_body(char* bytes,
                                 std::size_t size,
                                 std::size_t count,
                                 void* request) noexcept {
  auto& self = *static_cast<HttpRequest*>(request);
  const std::size_t total = size * count;
  try {
    return self.body_.append(bytes, total, self.settings_->max_response_bytes()) ? total : 0;
  } catch (const std::bad_alloc&) {
    return 0;
  }
}

std::size_t HttpRequest::on_header(char* bytes,
                                   std::size_t size,
                                   std::size_t count,
                                   void* request) noexcept {
  auto& self = *static_cast<HttpRequest*>(request);
  const std::string_view line(bytes, size * count);
  try {
    if (line.starts_with("HTTP/")) {
      // A new header block: what an interim response (1xx) or a proxy said does not count.
      self.response_ = HttpResponse{};
      self.body_.clear();
    } else {
      read_header_line(line, self.settings_->wall_ms, self.response_);
    }
  } catch (const std::bad_alloc&) {
    return 0;
  }
  return line.size();
}

// libcurl sends a request again by itself when a reused connection breaks before the first byte of
// an answer. The server may have taken it: that is for the ledger to know, not for libcurl to hide.
int HttpRequest::before_request(void* request, char*, char*, int, int) noexcept {
  auto& self = *static_cast<HttpRequest*>(request);
  if (self.sent_) {
    return CURL_PREREQFUNC_ABORT;
  }
  self.sent_ = true;
  return CURL_PREREQFUNC_OK;
}

}  // namespace batchllm

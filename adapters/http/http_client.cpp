// SPDX-License-Identifier: Apache-2.0
#include "adapters/http/http_client.h"

#include "adapters/http/curl_handle.h"
#include "adapters/http/public_address.h"
#include "adapters/http/tls_store.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <new>

namespace batchllm {
namespace {

bool is_header_text(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7F';
  });
}

void check_target(std::string_view target) {
  const bool is_plain = std::all_of(
      target.begin(), target.end(), [](char c) { return c > ' ' && c <= '~' && c != '#'; });
  if (!target.starts_with('/') || !is_plain) {
    throw Error(ErrorCode::usage,
                fmt::format("{} is not a path that a server can be asked for",
                            one_line(as_utf8(target), 120)));
  }
}

// RFC 9110, 9.2.2: sending it twice does what sending it once does.
bool is_repeatable(const HttpClientRequest& request) {
  const bool has_key =
      std::any_of(request.headers.begin(), request.headers.end(), [](const auto& header) {
        return equals_ignoring_case(header.first, "Idempotency-Key");
      });
  return has_key || (request.method != "POST" && request.method != "PATCH");
}

// One request and what comes back.
class Exchange {
 public:
  Exchange(const HttpClientSettings& settings, const HttpClientRequest& request)
      : request_(request),
        easy_(curl_easy_init()) {
    if (easy_ == nullptr) {
      throw std::bad_alloc();
    }
    check_target(request.target);
    set_server(settings);
    set_headers(settings);
    set_body();
    set_callbacks();
  }

  CURL* easy() const noexcept { return easy_.get(); }

  // When it is given up unless bytes come before; nothing: it is not.
  std::optional<TimePoint> idle_deadline() const {
    return request_.idle_timeout.count() == 0 ? std::nullopt
                                              : std::optional(active_at_ + request_.idle_timeout);
  }

  HttpClientResponse end_idle() {
    response_.failure = TransportFailure::timeout;
    response_.failure_text = fmt::format("nothing came for {} ms", request_.idle_timeout.count());
    return std::move(response_);
  }

  HttpClientResponse end_stopped() {
    response_.stopped = true;
    return std::move(response_);
  }

  HttpClientResponse end(CURLcode code) {
    if (thrown_) {
      std::rethrow_exception(thrown_);
    }
    if (consumer_stopped_) {
      return end_stopped();
    }
    // A server may refuse a body that it did not read to its end, and close.
    const bool refused_early = code == CURLE_SEND_ERROR && response_.status >= 400;
    if (code != CURLE_OK && !refused_early) {
      fail(code);
    }
    return std::move(response_);
  }

 private:
  void set_server(const HttpClientSettings& settings) {
    CURL* easy = easy_.get();
    const std::string url = settings.server.origin + request_.target;
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#endif
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "batchllm/" BATCHLLM_VERSION);
    // Servers close idle connections after about five seconds: one that is nearly as old as that
    // may go while a request is on its way.
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, 3L);
    curl_easy_setopt(
        easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings.connect_timeout.count()));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request_.timeout.count()));
    if (settings.public_addresses_only) {
      // Asked for every address that is tried, after the name was resolved: what a name server
      // answers a second time does not matter. A proxy would resolve the name itself.
      curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &Exchange::open_public_socket);
      curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
      curl_easy_setopt(easy, CURLOPT_PROXY, "");
    }
    if (settings.without_proxy) {
      curl_easy_setopt(easy, CURLOPT_PROXY, "");
    }
    if (!settings.server.unix_socket.empty()) {
      curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, settings.server.unix_socket.c_str());
      curl_easy_setopt(easy, CURLOPT_PROXY, "");
    }
  }

  void set_headers(const HttpClientSettings& settings) {
    append_header(headers_, "Expect:");
    if (!settings.bearer_token.empty()) {
      append_header(headers_, "Authorization: Bearer " + settings.bearer_token);
    }
    bool has_type = false;
    for (const auto& [name, value] : request_.headers) {
      if (name.empty() || !is_header_text(name) || !is_header_text(value)) {
        throw Error(ErrorCode::usage,
                    fmt::format("a line break does not belong into the header {}",
                                one_line(as_utf8(name), 60)));
      }
      has_type = has_type || equals_ignoring_case(name, "Content-Type");
      // libcurl takes "Name:" for leaving a header out.
      append_header(headers_, value.empty() ? name + ";" : name + ": " + value);
    }
    if (!has_type) {
      append_header(headers_, "Content-Type:");
    }
    curl_easy_setopt(easy_.get(), CURLOPT_HTTPHEADER, headers_.get());
  }

  void set_body() {
    CURL* easy = easy_.get();
    if (request_.reader) {
      curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
      curl_easy_setopt(easy, CURLOPT_READFUNCTION, &Exchange::on_read);
      curl_easy_setopt(easy, CURLOPT_READDATA, this);
      curl_easy_setopt(
          easy,
          CURLOPT_INFILESIZE_LARGE,
          request_.body_bytes ? static_cast<curl_off_t>(*request_.body_bytes) : curl_off_t{-1});
      // It could not be read again for another connection: this one must not be stale.
      curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    } else if (request_.method == "HEAD") {
      curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (!request_.body.empty() ||
               (request_.method != "GET" && request_.method != "DELETE")) {
      curl_easy_setopt(
          easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request_.body.empty() ? "" : request_.body.data());
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }

  void set_callbacks() {
    CURL* easy = easy_.get();
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Exchange::on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Exchange::on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_text_.data());
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &Exchange::before_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, this);
  }

  void fail(CURLcode code) {
    long system_error = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &system_error);
    response_.failure = too_large_ ? TransportFailure::too_large : transport_failure(code, sent_);
    if (address_refused_ && response_.failure == TransportFailure::not_connected) {
      response_.address_refused = true;
      response_.failure_text = "its address is not one of the Internet";
    } else if (too_large_) {
      response_.failure_text = too_large_;
    } else if (body_ended_early_) {
      response_.failure_text = "the body of the request ended before its length";
    } else if (refused_to_repeat_) {
      response_.failure_text = "the server closed the connection without an answer";
    } else if (response_.failure == TransportFailure::not_connected && system_error != 0) {
      response_.system_error = static_cast<int>(system_error);
      response_.failure_text =
          std::strerror(response_.system_error);  // NOLINT(concurrency-mt-unsafe)
    } else {
      response_.failure_text =
          one_line(error_text_[0] != '\0' ? error_text_.data() : curl_easy_strerror(code), 300);
    }
  }

  // Runs what a callback does; an exception waits until libcurl has returned.
  template <typename Action>
  std::size_t guarded(std::size_t on_exception, Action action) noexcept {
    try {
      active_at_ = std::chrono::steady_clock::now();
      return action();
    } catch (...) {
      thrown_ = std::current_exception();
      return on_exception;
    }
  }

  std::size_t take_body(std::string_view piece) {
    if (request_.consumer && response_.status >= 200 && response_.status < 300) {
      consumer_stopped_ = !request_.consumer(piece);
      return consumer_stopped_ ? 0 : piece.size();
    }
    if (piece.size() > request_.max_body_bytes - response_.body.size()) {
      too_large_ = "the answer is too large";
      return 0;
    }
    response_.body += piece;
    return piece.size();
  }

  std::size_t take_header(std::string_view line) {
    constexpr std::size_t k_most_header_bytes = std::size_t{256} << 10;
    header_bytes_ += line.size();
    if (header_bytes_ > k_most_header_bytes) {
      too_large_ = "the headers of the answer are too large";
      return 0;
    }
    if (line.starts_with("HTTP/")) {
      // A new header block: what an interim response (1xx) said does not count.
      long status = 0;
      curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
      response_.status = static_cast<int>(status);
      response_.headers.clear();
    } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
      response_.headers.emplace_back(lowercase(line.substr(0, colon)),
                                     trim(line.substr(colon + 1)));
    }
    return line.size();
  }

  std::size_t fill(std::span<char> buffer) {
    if (request_.body_bytes) {
      const std::uint64_t left = *request_.body_bytes - read_bytes_;
      buffer = buffer.first(static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left)));
    }
    const std::size_t count = buffer.empty() ? 0 : request_.reader(buffer);
    read_bytes_ += count;
    if (count == 0 && request_.body_bytes && read_bytes_ < *request_.body_bytes) {
      body_ended_early_ = true;
      return CURL_READFUNC_ABORT;
    }
    return count;
  }

  static std::size_t on_body(char* bytes,
                             std::size_t size,
                             std::size_t count,
                             void* self) noexcept {
    auto& exchange = *static_cast<Exchange*>(self);
    return exchange.guarded(0, [&] { return exchange.take_body({bytes, size * count}); });
  }

  static std::size_t on_header(char* bytes,
                               std::size_t size,
                               std::size_t count,
                               void* self) noexcept {
    auto& exchange = *static_cast<Exchange*>(self);
    return exchange.guarded(0, [&] { return exchange.take_header({bytes, size * count}); });
  }

  static std::size_t on_read(char* bytes,
                             std::size_t size,
                             std::size_t count,
                             void* self) noexcept {
    auto& exchange = *static_cast<Exchange*>(self);
    return exchange.guarded(CURL_READFUNC_ABORT, [&] {
      return exchange.fill({bytes, size * count});
    });
  }

  // libcurl sends a request again by itself when a reused connection breaks before the first byte
  // of an answer. The server may have acted on it.
  static curl_socket_t open_public_socket(void* self, curlsocktype, curl_sockaddr* to) noexcept {
    if (!is_public_address(to->addr)) {
      static_cast<Exchange*>(self)->address_refused_ = true;
      return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
  }

  static int before_request(void* self, char*, char*, int, int) noexcept {
    auto& exchange = *static_cast<Exchange*>(self);
    exchange.refused_to_repeat_ = exchange.sent_ && !is_repeatable(exchange.request_);
    exchange.sent_ = true;
    return exchange.refused_to_repeat_ ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
  }

  const HttpClientRequest& request_;
  HeaderList headers_;
  HttpClientResponse response_;
  std::exception_ptr thrown_;
  TimePoint active_at_ = std::chrono::steady_clock::now();
  std::size_t header_bytes_ = 0;
  std::uint64_t read_bytes_ = 0;
  bool sent_ = false;
  bool address_refused_ = false;
  bool refused_to_repeat_ = false;
  bool consumer_stopped_ = false;
  bool body_ended_early_ = false;
  const char* too_large_ = nullptr;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  EasyHandle easy_;  // the first to go: it refers to the others
};

// A request's place in the multi handle.
class Running {
 public:
  Running(CURLM* multi, CURL* easy) : multi_(multi), easy_(easy) {
    curl_multi_add_handle(multi_, easy_);
  }

  ~Running() { curl_multi_remove_handle(multi_, easy_); }

  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  CURLM* multi_;
  CURL* easy_;
};

int wait_ms(const std::optional<TimePoint>& deadline) {
  constexpr std::int64_t k_longest_wait_ms = 60'000;
  if (!deadline) {
    return static_cast<int>(k_longest_wait_ms);
  }
  const auto left = std::chrono::ceil<Milliseconds>(*deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, k_longest_wait_ms));
}

CURLcode result_of(CURLM* multi) {
  int left = 0;
  const CURLMsg* message = curl_multi_info_read(multi, &left);
  return message == nullptr ? CURLE_FAILED_INIT : message->data.result;
}

}  // namespace

std::string_view HttpClientResponse::header(std::string_view name) const noexcept {
  for (const auto& [key, value] : headers) {
    if (key == name) {
      return value;
    }
  }
  return {};
}

struct HttpClient::Connection {
  HttpClientSettings settings;
  std::optional<TlsStore> tls;
  MultiHandle multi;  // keeps the connection
};

HttpClient::HttpClient(HttpClientSettings settings) : connection_(std::make_unique<Connection>()) {
  use_curl();
  const std::string& token = settings.bearer_token;
  if (!std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c <= '~'; })) {
    throw Error(ErrorCode::usage,
                "the access token is not one word",
                "a token is one word of letters, digits and punctuation");
  }
  if (settings.server.origin.starts_with("https:")) {
    connection_->tls.emplace(settings.ca_file);
  }
  connection_->settings = std::move(settings);
  connection_->multi.reset(curl_multi_init());
  if (connection_->multi == nullptr) {
    throw std::bad_alloc();
  }
  curl_multi_setopt(connection_->multi.get(), CURLMOPT_MAXCONNECTS, 1L);
}

HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&& other) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&& other) noexcept = default;

const HttpClientSettings& HttpClient::settings() const noexcept {
  return connection_->settings;
}

HttpClientResponse HttpClient::send(const HttpClientRequest& request) {
  CURLM* multi = connection_->multi.get();
  Exchange exchange(connection_->settings, request);
  if (connection_->tls) {
    connection_->tls->apply(exchange.easy());
  }
  const Running running(multi, exchange.easy());
  const std::stop_callback wake(request.stop, [multi] { curl_multi_wakeup(multi); });
  int unfinished = 1;
  while (true) {
    if (request.stop.stop_requested()) {
      return exchange.end_stopped();
    }
    curl_multi_perform(multi, &unfinished);
    if (unfinished == 0) {
      return exchange.end(result_of(multi));
    }
    const auto deadline = exchange.idle_deadline();
    if (deadline && std::chrono::steady_clock::now() >= *deadline) {
      return exchange.end_idle();
    }
    curl_multi_poll(multi, nullptr, 0, wait_ms(deadline), nullptr);
  }
}

}  // namespace batchllm

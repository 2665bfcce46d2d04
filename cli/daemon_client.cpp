// SPDX-License-Identifier: Apache-2.0
#include "cli/daemon_client.h"

#include "cli/daemon_answer.h"
#include "core/error.h"
#include "core/file_handle.h"
#include "core/text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <random>

namespace batchllm {
namespace {

constexpr std::string_view k_api = "/api/v1";

HttpClientSettings client_settings(const DaemonClientSettings& settings) {
  auto address = parse_server_address(settings.address);
  if (!address) {
    throw Error(ErrorCode::usage,
                fmt::format("--host {}: {}", printable(settings.address), address.error().message),
                "examples: unix:/run/user/1000/batchllm/daemon.sock, http://127.0.0.1:8420");
  }
  HttpClientSettings client;
  client.server = *std::move(address);
  client.bearer_token = settings.token;
  client.ca_file = settings.ca_file;
  return client;
}

std::string random_key() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
}

// Returns early when it is stopped.
void wait_for(Milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
}

[[noreturn]] void refuse_file(const std::filesystem::path& path, int reason) {
  throw Error(reason == ENOENT ? ErrorCode::input_missing : ErrorCode::input_unreadable,
              fmt::format("cannot read {}: {}",
                          path.string(),
                          std::strerror(reason)));  // NOLINT(concurrency-mt-unsafe)
}

FileHandle open_upload(const std::filesystem::path& path, HttpClientRequest& request) {
  FileHandle file(open(path.c_str(), O_RDONLY | O_CLOEXEC));

  struct stat status {};

  if (!file.is_open() || fstat(file.get(), &status) != 0) {
    refuse_file(path, errno);
  }
  if (S_ISDIR(status.st_mode)) {
    refuse_file(path, EISDIR);
  }
  if (S_ISREG(status.st_mode)) {
    request.body_bytes = static_cast<std::uint64_t>(status.st_size);
  }
  return file;
}

}  // namespace

// The events of one stream over as many connections as it takes.
class DaemonClient::EventWatch {
 public:
  EventWatch(DaemonClient& client,
             std::string_view path,
             std::string_view last_id,
             const SseParser::OnEvent& on_event)
      : client_(client),
        path_(path),
        last_id_(last_id),
        parser_([this, &on_event](const SseEvent& event) {
          ++events_;
          return on_event(event);
        }) {}

  void run() {
    bool first = true;
    while (!follow(first)) {
      first = false;
      wait_for(parser_.retry().value_or(k_retry), client_.settings_.stop);
    }
  }

 private:
  static constexpr Milliseconds k_retry{2000};
  static constexpr Milliseconds k_longest_silence{60'000};  // the daemon says something every 15 s

  // One connection; true when there is nothing more to come.
  bool follow(bool first) {
    events_ = 0;
    SseParser::Fed fed = SseParser::Fed::more;
    parser_.restart();
    HttpClientRequest request = client_.request_to("GET", path_);
    request.headers = {{"Accept", "text/event-stream"}};
    const std::string& last_id = parser_.last_id().empty() ? last_id_ : parser_.last_id();
    if (!last_id.empty()) {
      request.headers.emplace_back("Last-Event-ID", last_id);
    }
    request.idle_timeout = k_longest_silence;
    request.consumer = [&](std::string_view piece) {
      fed = parser_.feed(piece);
      return fed == SseParser::Fed::more;
    };
    const HttpClientResponse response = client_.client_.send(request);
    if (fed == SseParser::Fed::stopped) {
      return true;
    }
    if (client_.settings_.stop.stop_requested()) {
      throw Error(ErrorCode::interrupted, "interrupted");
    }
    if (fed == SseParser::Fed::too_large) {
      throw incompatible_error(client_.address(), "it sent an event that is too large");
    }
    return is_over(response, first);
  }

  bool is_over(const HttpClientResponse& response, bool first) {
    if (response.failure != TransportFailure::none || response.status == 503) {
      wait_or_throw(response, first);
      return false;
    }
    if (!response.is_ok()) {
      throw problem_error(response, client_.address());
    }
    if (response.status == 204) {
      return true;
    }
    if (!response.header("content-type").starts_with("text/event-stream")) {
      throw incompatible_error(client_.address(), "it sent no events");
    }
    away_since_.reset();
    return !first && events_ == 0;
  }

  void wait_or_throw(const HttpClientResponse& response, bool first) {
    const TimePoint now = std::chrono::steady_clock::now();
    const bool was_there = response.status == 200;
    if (was_there || !away_since_) {
      away_since_ = now;
    }
    if ((first && !was_there) || now - *away_since_ > client_.settings_.patience) {
      throw response.failure == TransportFailure::none
          ? problem_error(response, client_.address())
          : no_answer_error(response, client_.address());
    }
  }

  DaemonClient& client_;
  std::string path_;
  std::string last_id_;
  std::size_t events_ = 0;  // of this connection
  std::optional<TimePoint> away_since_;
  SseParser parser_;
};

DaemonClient::DaemonClient(DaemonClientSettings settings)
    : settings_(std::move(settings)),
      client_(client_settings(settings_)) {}

std::string DaemonClient::address() const {
  return shown_address(client_.settings().server);
}

bool DaemonClient::is_running() {
  const HttpClientResponse response = ask_version();
  const bool nobody = response.failure == TransportFailure::not_connected &&
                      response.system_error != EACCES && response.system_error != EPERM;
  if (response.failure != TransportFailure::none && !nobody) {
    throw no_answer_error(response, address());
  }
  return !nobody;
}

const std::string& DaemonClient::server_version() {
  check_server();
  return server_version_;
}

JsonNode DaemonClient::get(std::string_view path, const UrlQuery& query) {
  return answer(request_to("GET", path, query));
}

JsonNode DaemonClient::post(std::string_view path,
                            std::string_view json,
                            std::string_view idempotency_key) {
  HttpClientRequest request = request_to("POST", path);
  request.headers.emplace_back("Content-Type", "application/json");
  request.headers.emplace_back(
      "Idempotency-Key", idempotency_key.empty() ? random_key() : std::string(idempotency_key));
  request.body = json;
  return answer(std::move(request));
}

JsonNode DaemonClient::patch(std::string_view path, std::string_view json) {
  HttpClientRequest request = request_to("PATCH", path);
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = json;
  return answer(std::move(request));
}

JsonNode DaemonClient::del(std::string_view path) {
  return answer(request_to("DELETE", path));
}

JsonNode DaemonClient::upload(const std::filesystem::path& path,
                              std::string_view media_type,
                              std::string_view idempotency_key) {
  HttpClientRequest request =
      request_to("POST", "/files", {{"name", as_utf8(path.filename().string())}});
  const FileHandle file = open_upload(path, request);
  request.headers.emplace_back(
      "Content-Type", media_type.empty() ? "application/octet-stream" : std::string(media_type));
  request.headers.emplace_back(
      "Idempotency-Key", idempotency_key.empty() ? random_key() : std::string(idempotency_key));
  request.reader = [&file, &path](std::span<char> buffer) {
    ssize_t count = 0;
    do {
      count = read(file.get(), buffer.data(), buffer.size());
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
      refuse_file(path, errno);
    }
    return static_cast<std::size_t>(count);
  };
  return answer(std::move(request));
}

void DaemonClient::download(std::string_view path,
                            const UrlQuery& query,
                            const BodyConsumer& consumer) {
  check_server();
  HttpClientRequest request = request_to("GET", path, query);
  request.consumer = consumer;
  const HttpClientResponse response = exchange(std::move(request));
  if (!response.is_ok()) {
    throw problem_error(response, address());
  }
}

void DaemonClient::watch_events(std::string_view path,
                                std::string_view last_id,
                                const SseParser::OnEvent& on_event) {
  check_server();
  EventWatch(*this, path, last_id, on_event).run();
}

HttpClientRequest DaemonClient::request_to(std::string_view method,
                                           std::string_view path,
                                           const UrlQuery& query) const {
  HttpClientRequest request;
  request.method = method;
  request.target = fmt::format("{}{}", k_api, path);
  char separator = path.find('?') == std::string_view::npos ? '?' : '&';
  for (const auto& [name, value] : query) {
    if (!value.empty()) {
      request.target +=
          fmt::format("{}{}={}", separator, percent_encoded(name), percent_encoded(value));
      separator = '&';
    }
  }
  request.idle_timeout = settings_.idle_timeout;
  request.stop = settings_.stop;
  return request;
}

// An answer, of whatever status.
HttpClientResponse DaemonClient::exchange(HttpClientRequest request) {
  HttpClientResponse response = client_.send(request);
  if (response.stopped && settings_.stop.stop_requested()) {
    throw Error(ErrorCode::interrupted, "interrupted");
  }
  if (response.failure != TransportFailure::none) {
    throw no_answer_error(response, address());
  }
  return response;
}

JsonNode DaemonClient::answer(HttpClientRequest request) {
  check_server();
  request.headers.emplace_back("Accept", "application/json, application/problem+json");
  const HttpClientResponse response = exchange(std::move(request));
  if (!response.is_ok()) {
    throw problem_error(response, address());
  }
  return json_answer(response, address());
}

// Takes the version out of the answer, if there is one.
HttpClientResponse DaemonClient::ask_version() {
  HttpClientRequest request = request_to("GET", "");
  request.target = "/version";  // the same for all versions of the API
  request.headers = {{"Accept", "application/json, application/problem+json"}};
  HttpClientResponse response = client_.send(request);
  if (response.stopped) {
    throw Error(ErrorCode::interrupted, "interrupted");
  }
  if (response.failure == TransportFailure::none) {
    if (!response.is_ok()) {
      throw problem_error(response, address());
    }
    server_version_ = version_answer(response, address());
  }
  return response;
}

void DaemonClient::check_server() {
  if (!server_version_.empty()) {
    return;
  }
  const HttpClientResponse response = ask_version();
  if (response.failure != TransportFailure::none) {
    throw no_answer_error(response, address());
  }
}

std::string url_path(const std::vector<std::string_view>& parts) {
  std::string path;
  for (const auto part : parts) {
    if (part.empty()) {
      throw Error(ErrorCode::usage, "a name or an id is empty");
    }
    path += "/" + percent_encoded(part);
  }
  return path;
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#include "daemon/http/http_exchange.h"

#include "core/error.h"
#include "core/file_handle.h"
#include "daemon/http/problem.h"
#include "daemon/http/request_body.h"

#include <fmt/format.h>
#include <httplib.h>

#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <utility>

namespace batchllm::daemon {
namespace {

// What is written in one go with what comes before it.
constexpr std::size_t k_gathered_bytes = std::size_t{32} << 10;
constexpr std::size_t k_file_piece_bytes = std::size_t{128} << 10;

// What some versions of httplib ask of a stream and others do not know.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsuggest-override"

class AnyVersionStream : public httplib::Stream {
 public:
  bool is_readable() const { return true; }

  bool is_writable() const { return true; }

  bool wait_readable() const { return true; }

  bool wait_writable() const { return true; }

  time_t duration() const { return 0; }
};

#pragma GCC diagnostic pop

// httplib's view of the connection: the target of one request to read, the response to write.
// Written bytes are gathered and sent together.
class LibraryStream final : public AnyVersionStream {
 public:
  LibraryStream(ConnectionSocket& connection, const RequestHead& head, const ExchangePlace& place)
      : connection_(connection),
        patience_(place.settings.transfer_deadline),
        stop_event_(place.stop_event) {
    // httplib refuses a second '?' and takes what follows a second '=' for the value.
    bool in_query = false;
    bool in_value = false;
    request_.append(head.method == "HEAD" ? "HEAD " : "GET ");
    for (const char c : head.target) {
      if ((c == '?' && in_query) || (c == '=' && in_value)) {
        request_.append(c == '?' ? "%3F" : "%3D");
        continue;
      }
      in_query = in_query || c == '?';
      in_value = in_query && c != '&' && (in_value || c == '=');
      request_ += c;
    }
    request_.append(" HTTP/1.1\r\nHost: batchllm\r\n\r\n");
  }

  ssize_t read(char* bytes, std::size_t size) override {
    const auto count = std::min(size, request_.size() - read_);
    std::memcpy(bytes, request_.data() + read_, count);
    read_ += count;
    return static_cast<ssize_t>(count);
  }

  ssize_t write(const char* bytes, std::size_t size) override {
    if (!is_immediate_ && size <= k_gathered_bytes - std::min(gathered_.size(), k_gathered_bytes)) {
      gathered_.append(bytes, size);
      return static_cast<ssize_t>(size);
    }
    return send({bytes, size}) ? static_cast<ssize_t>(size) : -1;
  }

  bool flush() { return gathered_.empty() ? works_ : send({}); }

  // What was written and not sent.
  std::string take_gathered() { return std::exchange(gathered_, {}); }

  // What is written from now on is sent at once; the server's stop ends the wait for a client that
  // takes nothing.
  void send_at_once() { is_immediate_ = true; }

  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    ip.clear();
    port = 0;
  }

  void get_local_ip_and_port(std::string& ip, int& port) const override {
    get_remote_ip_and_port(ip, port);
  }

  socket_t socket() const override { return connection_.descriptor(); }

 private:
  bool send(std::string_view bytes) {
    works_ =
        works_ && connection_.send(gathered_, bytes, patience_, is_immediate_ ? stop_event_ : -1);
    gathered_.clear();
    return works_;
  }

  ConnectionSocket& connection_;
  const std::chrono::milliseconds patience_;
  const int stop_event_;
  std::string request_;
  std::string gathered_;
  std::size_t read_ = 0;
  bool is_immediate_ = false;
  bool works_ = true;
};

// A handler's stream, through httplib's framing.
class SinkStream final : public ResponseStream {
 public:
  SinkStream(httplib::DataSink& sink, const std::atomic<bool>& stopping)
      : sink_(sink),
        stopping_(stopping) {}

  bool write(std::string_view bytes) override {
    // To httplib, a write of nothing is the end.
    works_ = works_ && !stopping_ && (bytes.empty() || sink_.write(bytes.data(), bytes.size()));
    return works_;
  }

 private:
  httplib::DataSink& sink_;
  const std::atomic<bool>& stopping_;
  bool works_ = true;
};

HttpResponse handle(HttpHandler& handler, HttpRequest& request) {
  try {
    return handler.handle(request);
  } catch (const Error& error) {
    return problem_response(error);
  } catch (...) {
    return problem_response(
        Error(ErrorCode::internal, "an unexpected error; see the daemon's log"));
  }
}

}  // namespace

// One request on its way through httplib.
class Exchange {
 public:
  Exchange(const ExchangePlace& place,
           ConnectionSocket& connection,
           const RequestHead& head,
           const Peer& peer)
      : place_(place),
        connection_(connection),
        head_(head),
        peer_(peer),
        stream_(connection, head, place),
        body_(connection, head, place.settings.transfer_deadline) {}

  LibraryStream& stream() { return stream_; }

  // Called by httplib with the decoded target.
  void respond(const httplib::Request& decoded, httplib::Response& answer);

  // After httplib's part.
  HttpExchange::Next finish(bool was_written, std::optional<FeedStart>& feed);

 private:
  void fill(httplib::Response& answer, HttpResponse response);
  void fill_stream(httplib::Response& answer, HttpResponse& response);
  void fill_feed(httplib::Response& answer, HttpResponse& response);
  void fill_file(httplib::Response& answer, const HttpResponse& response);
  void set_provider(httplib::Response& answer,
                    const HttpResponse& response,
                    httplib::ContentProviderWithoutLength write) const;

  const ExchangePlace& place_;
  ConnectionSocket& connection_;
  const RequestHead& head_;
  const Peer& peer_;
  LibraryStream stream_;
  RequestBody body_;
  StreamPlaces::Place stream_place_;
  FeedSource feed_;  // set once the head is written that it is to follow
  bool keep_alive_ = true;
};

void Exchange::respond(const httplib::Request& decoded, httplib::Response& answer) {
  HttpRequest request;
  request.method = head_.method;
  request.path = decoded.path;
  request.parameters.assign(decoded.params.begin(), decoded.params.end());
  request.headers = head_.headers;
  request.peer = peer_;
  request.body = head_.has_body() ? &body_ : nullptr;
  HttpResponse response = handle(place_.handler, request);
  keep_alive_ =
      head_.keep_alive && !place_.stopping && (body_.is_complete() || body_.is_worth_skipping());
  if (response.stream && head_.is_http_1_0) {
    keep_alive_ = false;  // its end is the connection's
  }
  try {
    fill(answer, std::move(response));
  } catch (const Error& error) {
    fill(answer, problem_response(error));
  }
  if (!keep_alive_) {
    answer.set_header("Connection", "close");
  } else if (head_.is_http_1_0) {
    answer.set_header("Connection", "keep-alive");
  }
}

void Exchange::fill(httplib::Response& answer, HttpResponse response) {
  if (response.stream || response.feed) {
    stream_place_ = place_.streams.take();
    if (!stream_place_) {
      response = problem_response(Error(
          ErrorCode::daemon_busy, "the daemon serves as many streams as it may", "try again"));
      response.headers.emplace_back("Retry-After", "5");
    }
  }
  if (response.stream) {
    fill_stream(answer, response);
  } else if (response.feed) {
    fill_feed(answer, response);
  } else if (response.file && response.file->length > 0) {
    fill_file(answer, response);
  } else {
    if (!response.content_type.empty()) {
      answer.set_header("Content-Type", response.content_type);
    }
    answer.body = std::move(response.body);
  }
  answer.status = response.status;
  for (const auto& [name, value] : response.headers) {
    answer.set_header(name, value);
  }
}

void Exchange::fill_stream(httplib::Response& answer, HttpResponse& response) {
  connection_.shrink();
  auto write = [this, produce = std::move(response.stream)](std::size_t, httplib::DataSink& sink) {
    stream_.send_at_once();
    if (!stream_.flush()) {
      return false;
    }
    SinkStream stream(sink, place_.stopping);
    try {
      const bool is_whole = produce(stream);
      if (is_whole) {
        sink.done();
      }
      return is_whole;
    } catch (...) {
      return false;
    }
  };
  set_provider(answer, response, std::move(write));
}

// httplib writes the head, which stays gathered, and is told to stop there.
void Exchange::fill_feed(httplib::Response& answer, HttpResponse& response) {
  keep_alive_ = keep_alive_ && head_.method == "HEAD";
  set_provider(
      answer, response, [this, source = std::move(response.feed)](std::size_t, httplib::DataSink&) {
        feed_ = source;
        return false;
      });
}

void Exchange::set_provider(httplib::Response& answer,
                            const HttpResponse& response,
                            httplib::ContentProviderWithoutLength write) const {
  if (head_.is_http_1_0) {
    answer.set_content_provider(response.content_type, std::move(write));
  } else {
    answer.set_chunked_content_provider(response.content_type, std::move(write));
  }
}

void Exchange::fill_file(httplib::Response& answer, const HttpResponse& response) {
  // Shared, because what httplib keeps must be copyable.
  const auto file =
      std::make_shared<FileHandle>(::open(response.file->path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file->is_open()) {
    throw Error(ErrorCode::storage, "a stored file cannot be read");
  }
  const auto piece = std::make_shared<std::string>();
  auto write = [file, piece, start = response.file->offset](
                   std::size_t offset, std::size_t length, httplib::DataSink& sink) {
    piece->resize(std::min(length, k_file_piece_bytes));
    const ssize_t count =
        ::pread(file->get(), piece->data(), piece->size(), static_cast<off_t>(start + offset));
    return count > 0 && sink.write(piece->data(), static_cast<std::size_t>(count));
  };
  answer.set_content_provider(response.file->length, response.content_type, std::move(write));
}

HttpExchange::Next Exchange::finish(bool was_written, std::optional<FeedStart>& feed) {
  if (feed_) {
    if (body_.is_worth_skipping()) {
      body_.skip();
    }
    feed.emplace(FeedStart{
        stream_.take_gathered(), std::move(feed_), !head_.is_http_1_0, std::move(stream_place_)});
    return HttpExchange::Next::feed;
  }
  stream_place_.reset();
  if (!stream_.flush() || !was_written) {
    return HttpExchange::Next::close;
  }
  if (!body_.is_complete() && !(keep_alive_ && body_.skip())) {
    connection_.linger();
    return HttpExchange::Next::close;
  }
  return keep_alive_ ? HttpExchange::Next::keep : HttpExchange::Next::close;
}

// httplib's server without its sockets, threads and routes: what process_request() needs.
class HttpExchange::Library : public httplib::Server {
 public:
  Library() {
    svr_sock_ = 0;  // never used as a socket; "no socket" means to httplib that it shuts down
    set_pre_routing_handler([](const httplib::Request& request, httplib::Response& response) {
      current->respond(request, response);
      return HandlerResponse::Handled;
    });
    set_post_routing_handler([](const httplib::Request&, httplib::Response& response) {
      response.headers.erase("Keep-Alive");
      if (response.status == 204 || response.status == 304) {
        response.headers.erase("Content-Length");
      }
    });
  }

  // A template, so that what the installed version does not have is never compiled.
  template <typename Self>
  static bool process(Self& self, LibraryStream& stream) {
    bool closed = false;
    if constexpr (requires { self.process_request(stream, false, closed, nullptr); }) {
      return self.process_request(stream, false, closed, nullptr);
    } else {  // since 0.15.1
      return self.process_request(stream, {}, 0, {}, 0, false, closed, nullptr);
    }
  }

  // The exchange that httplib works on, on this thread: its handlers only get what it made of it.
  static thread_local Exchange* current;
};

thread_local Exchange* HttpExchange::Library::current = nullptr;

HttpExchange::HttpExchange(const ExchangePlace& place)
    : place_(place),
      library_(std::make_unique<Library>()) {}

HttpExchange::~HttpExchange() = default;

HttpExchange::Next HttpExchange::answer(ConnectionSocket& connection,
                                        const RequestHead& head,
                                        const Peer& peer,
                                        std::optional<FeedStart>& feed) const {
  Exchange exchange(place_, connection, head, peer);
  Library::current = &exchange;
  const bool was_written = Library::process(*library_, exchange.stream());
  Library::current = nullptr;
  return exchange.finish(was_written, feed);
}

std::string closing_response(const HttpResponse& response) {
  std::string bytes = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n",
      response.status,
      "Refused",
      response.content_type,
      response.body.size());
  for (const auto& [name, value] : response.headers) {
    bytes.append(name).append(": ").append(value).append("\r\n");
  }
  return bytes.append("\r\n").append(response.body);
}

}  // namespace batchllm::daemon

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm::daemon {

// Who asks. `uid` and `pid` are the kernel's word (SO_PEERCRED) and only known on a UNIX socket.
struct Peer {
  std::optional<uid_t> uid;
  pid_t pid = 0;
  std::string address;  // "unix", or "127.0.0.1:40312"
};

// The bytes of one request's body as they come in, whatever their framing.
class BodySource {
 public:
  virtual ~BodySource() = default;

  // The next piece, valid until the next call; empty at the end. Throws Error(usage) when the body
  // is malformed or cut short, Error(deadline) when the client stalls.
  virtual std::string_view next() = 0;
};

// One request, valid while its handler runs, on that thread only.
struct HttpRequest {
  using Headers = std::vector<std::pair<std::string_view, std::string_view>>;
  using Parameters = std::vector<std::pair<std::string, std::string>>;

  std::string method;  // as sent: any token, not only the usual ones
  std::string path;    // decoded, without the query; starts with '/' ("*" for OPTIONS)
  Parameters parameters;
  Headers headers;
  Peer peer;
  BodySource* body = nullptr;  // null: no body

  // The first parameter of that name, decoded.
  std::optional<std::string> query(std::string_view name) const;

  // The first header of that name; case does not matter.
  std::optional<std::string_view> header(std::string_view name) const;

  // One of the two, at most once. Both pass on what BodySource throws; read_body() throws
  // Error(body_too_large) as soon as more than `limit` bytes have come. A body that nobody reads is
  // skipped or its connection closed.
  std::string read_body(std::size_t limit);
  void stream_body(const std::function<void(std::string_view)>& take);
};

// Where a streamed response goes. Used on the handler's thread.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;

  // Sends the bytes now. False when the client has left or the server stops.
  virtual bool write(std::string_view bytes) = 0;

  virtual bool is_open() const = 0;

  // Requested, from another thread, as soon as the client leaves or the server stops; a producer
  // hands it to its wait: `changed_.wait(lock, stream.closed(), [&] { … })`.
  virtual std::stop_token closed() const = 0;
};

// A piece of a file as a response's body.
struct FileBody {
  std::string path;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// One response: `body`, or `stream`, or `file`. Content-Length and the transfer's framing are the
// server's business.
struct HttpResponse {
  int status = 200;
  std::string content_type;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  // Called on the connection's thread once the head was sent; writes as long as it likes. What it
  // throws, or returning false, breaks the connection off so that the client sees it was cut.
  std::function<bool(ResponseStream&)> stream;
  std::optional<FileBody> file;
};

// Answers requests. Called from many threads at once. An Error becomes its problem document, any
// other exception a 500 that does not show its text.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  virtual HttpResponse handle(HttpRequest& request) = 0;
};

}  // namespace batchllm::daemon

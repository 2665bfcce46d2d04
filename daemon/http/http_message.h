// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
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

// Where a response is written to that is made while it is sent. Used on the handler's thread.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;

  // Sends the bytes now. False when the client has left or the server stops.
  virtual bool write(std::string_view bytes) = 0;
};

// What a response says that goes on for as long as there is news, as a stream of events. It holds
// no thread while it waits: the server asks it when there is something to say and the client takes
// it. Asked by one thread at a time, which serves other streams as well: it must not wait for
// anybody.
class ResponseFeed {
 public:
  virtual ~ResponseFeed() = default;

  enum class Next { when_news, at_once, never };

  // Appends what comes next, some 10 KB at most, and says when there is more; never: the response
  // is whole. Called when the client has taken everything that came before. What it throws breaks
  // the connection off so that the client sees it was cut.
  virtual Next write(std::string& out) = 0;

  // What a client is sent every now and then that there is nothing else for.
  virtual std::string_view sign_of_life() const = 0;
};

// Begins a feed. After it said `when_news`, a call of `news`, from any thread, has it asked again;
// the feed's destructor ends the calls.
using FeedSource = std::function<std::unique_ptr<ResponseFeed>(std::function<void()> news)>;

// A piece of a file as a response's body.
struct FileBody {
  std::string path;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// One response: `body`, `stream`, `feed` or `file`. Content-Length and the transfer's framing are
// the server's business.
struct HttpResponse {
  int status = 200;
  std::string content_type;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  // Called on the connection's thread once the head was sent, which it keeps from other requests
  // until it returns. What it throws, or returning false, breaks the connection off so that the
  // client sees it was cut.
  std::function<bool(ResponseStream&)> stream;
  FeedSource feed;  // not called for a HEAD request
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

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/http/http_client.h"
#include "adapters/http/sse_parser.h"
#include "core/clock.h"
#include "core/json_document.h"

#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm {

struct DaemonClientSettings {
  std::string address;  // "unix:PATH", "http://host:port"; see daemon_address() in core/directories
  std::string token;    // for daemons that ask for one
  std::string ca_file;
  std::stop_token stop;
  Milliseconds idle_timeout{120'000};  // an answer that does not come is given up; 0: never
  Milliseconds patience{60'000};       // for a daemon that went away while its events were watched
};

// Values are percent-encoded by the client; empty ones are left out.
using UrlQuery = std::vector<std::pair<std::string, std::string>>;

// How the command line speaks to batchllmd. Paths are those below /api/v1, as "/jobs"; make them
// of what people typed with url_path().
//
// Every function throws the Error that the daemon's problem document names, with its hint and
// details; Error(daemon_unreachable) when nobody listens (hint "batchllm daemon start"), or, with
// the detail reason=incompatible, when the answer is not batchllmd's or of another major version
// of the API; Error(interrupted) when the stop token says so. Not thread-safe.
class DaemonClient {
 public:
  // Throws Error(usage) for an address that is none.
  explicit DaemonClient(DaemonClientSettings settings);

  // Asks now. False when nobody listens; throws when somebody else does.
  bool is_running();

  // The daemon's version: "0.1.0".
  const std::string& server_version();

  // As a person would write it: "unix:/run/user/1000/batchllm/daemon.sock".
  std::string address() const;

  // The answer's JSON; null when it has none.
  JsonNode get(std::string_view path, const UrlQuery& query = {});

  // A POST is made repeatable by its key: a random one when none is given.
  JsonNode post(std::string_view path,
                std::string_view json,
                std::string_view idempotency_key = {});
  JsonNode patch(std::string_view path, std::string_view json);
  JsonNode del(std::string_view path);

  // POST /files: sends the file's bytes under its name; `path` may be a pipe. Made repeatable like
  // any POST. Throws Error(input_missing | input_unreadable) as well.
  JsonNode upload(const std::filesystem::path& path,
                  std::string_view media_type = {},
                  std::string_view idempotency_key = {});

  // An answer that is too large to keep, piece by piece; `consumer` returns false to stop.
  void download(std::string_view path, const UrlQuery& query, const BodyConsumer& consumer);

  // Follows a stream of events from after `last_id` (empty: from the first) until `on_event`
  // returns false. When the server ends the stream or the connection breaks, connects again after
  // the time that the server asked for, with Last-Event-ID: until the server has nothing to tell
  // any more (204, or a whole stream without events), or for `patience` when it does not answer.
  void watch_events(std::string_view path,
                    std::string_view last_id,
                    const SseParser::OnEvent& on_event);

 private:
  class EventWatch;

  HttpClientRequest request_to(std::string_view method,
                               std::string_view path,
                               const UrlQuery& query = {}) const;
  HttpClientResponse exchange(HttpClientRequest request);
  JsonNode answer(HttpClientRequest request);
  HttpClientResponse ask_version();
  void check_server();

  DaemonClientSettings settings_;
  HttpClient client_;
  std::string server_version_;  // empty until it was asked
};

// A path of parts that people typed, each percent-encoded: {"jobs", id} -> "/jobs/job_1". Throws
// Error(usage) for an empty part.
std::string url_path(const std::vector<std::string_view>& parts);

}  // namespace batchllm

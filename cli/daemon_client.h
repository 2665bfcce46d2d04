// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/http/http_client.h"
#include "adapters/http/sse_parser.h"
#include "core/json_document.h"

#include <filesystem>
#include <functional>
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
};

// Values are percent-encoded by the client; empty ones are left out.
using UrlQuery = std::vector<std::pair<std::string, std::string>>;

// How the command line speaks to batchllmd. Paths are those below /api/v1, as "/jobs"; make them
// of what people typed with url_path().
//
// Every function throws the Error that the daemon's problem document names, with its hint and
// details; Error(daemon_unreachable) when nobody listens, when the answer is not batchllmd's or
// of another major version of the API; Error(interrupted) when the stop token says so.
// Not thread-safe.
class DaemonClient {
 public:
  // Throws Error(usage) for an address that is none.
  explicit DaemonClient(DaemonClientSettings settings);

  // False when nobody listens; throws when somebody else does.
  bool is_running();

  // Of the daemon: "0.1.0".
  const std::string& server_version();

  JsonNode get(std::string_view path, const UrlQuery& query = {});

  // A POST is made repeatable by its key: a random one when none is given.
  JsonNode post(std::string_view path,
                std::string_view json,
                std::string_view idempotency_key = {});
  JsonNode patch(std::string_view path, std::string_view json);
  JsonNode del(std::string_view path);

  // POST /files: sends the file's bytes under its name.
  JsonNode upload(const std::filesystem::path& file, std::string_view media_type = {});

  // An answer that is too large to keep, piece by piece; `consumer` returns false to stop.
  void download(std::string_view path, const UrlQuery& query, const BodyConsumer& consumer);

  // Follows a stream of events from after `last_id` (empty: from the first) until `on_event`
  // returns false, the server ends the stream after a terminal event (204 or `end_events`) or the
  // stop token says so. A broken connection is made again after the time the server asked for,
  // with Last-Event-ID; throws when the daemon does not come back within `patience`.
  void watch_events(std::string_view path,
                    std::string_view last_id,
                    const SseParser::OnEvent& on_event);

 private:
  HttpClientResponse exchange(HttpClientRequest request);
  JsonNode answer(HttpClientRequest request);
  void check_server();

  DaemonClientSettings settings_;
  HttpClient client_;
  std::string server_version_;  // empty until it was asked
};

// "/jobs/" + id + … of parts that people typed: each is percent-encoded.
std::string url_path(std::initializer_list<std::string_view> parts);

}  // namespace batchllm

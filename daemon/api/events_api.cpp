// SPDX-License-Identifier: Apache-2.0
#include "core/error.h"
#include "core/text.h"
#include "daemon/api/api_handlers.h"
#include "daemon/api/job_document.h"
#include "daemon/api/page.h"
#include "daemon/http/sse_writer.h"
#include "daemon/queue/event_hub.h"
#include "daemon/queue/event_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <stop_token>
#include <utility>

namespace batchllm::daemon {
namespace {

using namespace std::chrono_literals;

constexpr auto k_ping_interval = 15s;
constexpr std::int64_t k_backlog_page = 500;
constexpr double k_longest_wait_s = 600;
constexpr double k_standard_wait_s = 60;

// One client that follows a job: first what is stored, then what happens.
class EventStream {
 public:
  EventStream(ApiContext& context, std::string job_id, std::int64_t after)
      : context_(context),
        watch_(context.store.hub(), job_id),
        job_id_(std::move(job_id)),
        sent_(after) {}

  // Until the job's last event was sent, or the client leaves.
  bool run(ResponseStream& stream) {
    const std::stop_callback on_close(stream.closed(), [this] { watch_.close(); });
    std::string text = "retry: 2000\n\n";
    append_sse_comment(text, "ok");
    if (!stream.write(text) || !send_stored(stream)) {
      return false;
    }
    while (!has_ended_ && stream.is_open()) {
      if (!send_news(stream)) {
        return false;
      }
    }
    return true;
  }

 private:
  bool send_news(ResponseStream& stream) {
    const EventHub::Watch::News news = watch_.wait(sent_, k_ping_interval);
    if (news.look_it_up) {
      return send_stored(stream);
    }
    if (news.event) {
      return send(stream, *news.event);
    }
    std::string text;
    if (news.live) {
      append_sse_event(text, {{}, "progress", *news.live, {}});
    } else {
      append_sse_comment(text, "ping");
    }
    return stream.write(text);
  }

  bool send_stored(ResponseStream& stream) {
    while (true) {
      const auto events = context_.store.read([this](sql::Database& database) {
        return read_event_documents(database, job_id_, sent_, k_backlog_page);
      });
      for (const StoredEvent& event : events) {
        if (!send(stream, event.document)) {
          return false;
        }
      }
      if (static_cast<std::int64_t>(events.size()) < k_backlog_page) {
        return true;
      }
    }
  }

  bool send(ResponseStream& stream, const std::string& document) {
    ++sent_;
    const std::string_view type = event_type_of(document);
    std::string text;
    append_sse_event(text, {std::to_string(sent_), type, document, {}});
    has_ended_ = is_end_event(type);
    return stream.write(text);
  }

  ApiContext& context_;
  EventHub::Watch watch_;
  std::string job_id_;
  std::int64_t sent_;
  bool has_ended_ = false;
};

// Where a client left off: Last-Event-ID, else ?after=.
std::int64_t first_wanted(const ApiCall& call) {
  if (const auto header = call.request.header("last-event-id"); header && !header->empty()) {
    const auto number = parse_integer(*header);
    if (!number || *number < 0) {
      throw Error(ErrorCode::usage,
                  fmt::format("Last-Event-ID {} is no event's number", printable(*header)));
    }
    return *number;
  }
  return call.query_integer("after", 0, 0, std::int64_t{1} << 53);
}

bool wants_stream(const HttpRequest& request) {
  const auto accept = request.header("accept");
  return accept && accept->find("text/event-stream") != std::string_view::npos;
}

HttpResponse stream_events(ApiContext& context, const QueuedJob& job, std::int64_t after) {
  HttpResponse response;
  if (has_ended(job.view.state) && after >= job.view.last_seq) {
    response.status = 204;  // tells a browser's EventSource not to come again
    return response;
  }
  response.content_type = "text/event-stream";
  response.headers = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
  response.stream = [&context, id = job.id, after](ResponseStream& stream) {
    return EventStream(context, id, after).run(stream);
  };
  return response;
}

std::chrono::milliseconds wait_patience(const ApiCall& call) {
  const auto text = call.request.query("timeout");
  const auto seconds = text ? parse_number(*text) : std::optional(k_standard_wait_s);
  if (!seconds || *seconds < 0 || *seconds > k_longest_wait_s) {
    throw Error(ErrorCode::usage,
                fmt::format("timeout must be 0 to {} seconds, not {}",
                            k_longest_wait_s,
                            printable(text.value_or(""))));
  }
  return std::chrono::ceil<std::chrono::milliseconds>(std::chrono::duration<double>(*seconds));
}

}  // namespace

HttpResponse list_events(ApiContext& context, ApiCall& call) {
  const QueuedJob job = context.store.read(
      [&](sql::Database& database) { return require_job(database, call.parts.at(0)); });
  const std::int64_t after = first_wanted(call);
  if (wants_stream(call.request)) {
    return stream_events(context, job, after);
  }
  const PageRequest page = read_page_request(call);
  const std::int64_t first = page.cursor_number().value_or(after);
  return context.store.read([&](sql::Database& database) {
    PageWriter writer(page);
    for (const StoredEvent& event : read_event_documents(database, job.id, first, page.limit + 1)) {
      if (!writer.add(event.document, std::to_string(event.seq))) {
        break;
      }
    }
    return json_response(200, writer.text());
  });
}

HttpResponse wait_for_job(ApiContext& context, ApiCall& call) {
  const auto patience = wait_patience(call);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  EventHub::Watch watch(context.store.hub(), call.parts.at(0));
  while (true) {
    const QueuedJob job = context.store.read(
        [&](sql::Database& database) { return require_job(database, call.parts.at(0)); });
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (has_ended(job.view.state) || left <= 0ms || context.service.is_draining()) {
      return context.store.read([&job](sql::Database& database) {
        return json_response(200, job_document(database, job));
      });
    }
    watch.wait(job.view.last_seq, left);
  }
}

}  // namespace batchllm::daemon

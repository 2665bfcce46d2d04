// SPDX-License-Identifier: Apache-2.0
#include "core/error.h"
#include "core/text.h"
#include "daemon/api/api_handlers.h"
#include "daemon/api/event_feed.h"
#include "daemon/api/job_document.h"
#include "daemon/api/page.h"
#include "daemon/queue/event_hub.h"
#include "daemon/queue/event_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

namespace batchllm::daemon {
namespace {

using namespace std::chrono_literals;

constexpr double k_longest_wait_s = 600;
constexpr double k_standard_wait_s = 60;

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
  response.feed = [&context, id = job.id, after](std::function<void()> news) {
    return std::make_unique<EventFeed>(context.store, id, after, std::move(news));
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

// SPDX-License-Identifier: Apache-2.0
#include "adapters/files/file_check.h"
#include "adapters/files/file_name.h"
#include "adapters/files/media_type.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/text.h"
#include "core/time_text.h"
#include "daemon/api/api_handlers.h"
#include "daemon/api/content_disposition.h"
#include "daemon/api/page.h"
#include "daemon/http/multipart.h"
#include "daemon/queue/file_table.h"
#include "daemon/queue/job_removal.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

namespace batchllm::daemon {
namespace {

// What a client sent: its bytes are in the store's writer.
struct Upload {
  std::string name;        // as the client says
  std::string media_type;  // the header, as the client says
  files::ContentWriter writer;
};

std::string file_document(const StoredFile& file) {
  JsonWriter json;
  json.begin_object().key("id").string(file.id).key("name").string(file.name);
  json.key("bytes").number(file.bytes).key("sha256").string(file.sha256);
  json.key("media_type").string(file.media_type).key("format").string(file.format).key("rows");
  if (file.rows) {
    json.number(*file.rows);
  } else {
    json.null();
  }
  json.key("columns").raw(file.columns);
  return json.key("created_at").string(rfc3339_text(file.created_ms)).end_object().text();
}

std::string json_array(const std::vector<std::string>& texts) {
  JsonWriter json;
  json.begin_array();
  for (const std::string& text : texts) {
    json.string(as_utf8(text));
  }
  return json.end_array().text();
}

bool is_header_safe(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](unsigned char byte) {
    return byte > ' ' && byte < 0x7f && byte != '"' && byte != ';';
  });
}

// The type that the file is given back with: that of the upload, else what its format has.
std::string kept_media_type(std::string_view header, const files::FileFacts& facts) {
  const files::MediaType given = files::parse_media_type(header);
  if (!given.type.empty() && given.type != "application/octet-stream" &&
      is_header_safe(given.type)) {
    return given.charset.empty() || !is_header_safe(given.charset)
               ? given.type
               : fmt::format("{}; charset={}", given.type, given.charset);
  }
  if (facts.compression != "none") {
    return "application/octet-stream";
  }
  if (facts.format == "tsv") {
    return "text/tab-separated-values";
  }
  if (facts.format == "text") {
    return "text/plain";
  }
  if (facts.format == "jsonl") {
    return "application/x-ndjson";
  }
  return facts.format == "json" ? "application/json" : "text/csv";
}

void receive_form(HttpRequest& request, Upload& upload) {
  bool has_file = false;
  MultipartReader reader;
  reader.begin = [&](const MultipartPart& part) {
    if (part.name != "file" || has_file) {
      throw Error(ErrorCode::usage,
                  fmt::format("the form must have one part, file; it has {}",
                              has_file ? "more" : printable(part.name)),
                  "curl -F file=@tickets.csv");
    }
    files::check_media_type(part.content_type, {});
    upload.name = part.file_name;
    upload.media_type = part.content_type;
    has_file = true;
  };
  reader.take = [&](std::string_view bytes) { upload.writer.write(bytes); };
  stream_multipart(request, reader);
  if (!has_file) {
    throw Error(ErrorCode::usage, "the form has no part file", "curl -F file=@tickets.csv");
  }
}

Upload receive(ApiContext& context, HttpRequest& request) {
  constexpr std::size_t k_longest_name = 255;
  Upload upload{
      request.query("name").value_or(""),
      std::string(request.header("content-type").value_or("")),
      context.content.begin(context.max_upload_bytes.value_or(files::ContentStore::k_no_limit))};
  if (upload.name.size() > k_longest_name) {
    throw Error(ErrorCode::usage, fmt::format("name is longer than {} bytes", k_longest_name));
  }
  if (is_multipart(request)) {
    receive_form(request, upload);
  } else {
    files::check_media_type(upload.media_type, {});
    request.stream_body([&](std::string_view bytes) { upload.writer.write(bytes); });
  }
  return upload;
}

StoredFile checked_file(const ApiContext& context,
                        const files::PinnedContent& content,
                        const Upload& upload) {
  const files::FileFacts facts = files::check_file(
      context.content.path_of(content.sha256()), upload.name, upload.media_type, {});
  StoredFile file;
  file.id = make_file_id();
  file.sha256 = content.sha256();
  file.name = facts.name;
  file.media_type = kept_media_type(upload.media_type, facts);
  file.bytes = static_cast<std::int64_t>(content.bytes());
  file.format = facts.format;
  file.encoding = facts.encoding_setting;
  file.rows = static_cast<std::int64_t>(facts.rows);
  file.columns = json_array(facts.columns);
  file.created_ms = context.store.clock().wall_ms();
  return file;
}

// Puts the content on record while nobody can remove it.
HttpResponse record_upload(ApiContext& context,
                           ApiCall& call,
                           const files::PinnedContent& content,
                           const Upload& upload) {
  const StoredFile file = checked_file(context, content, upload);
  const std::string request_text =
      fmt::format("{}\n{}\n{}", content.sha256(), upload.name, upload.media_type);
  return post_once(context, call, request_text, [&](JobTable& jobs) {
    insert_file(jobs.database(), file);
    return PostAnswer{201, file_document(file), "/api/v1/files/" + file.id};
  });
}

// Content that no file has in the end: refused, or a repetition of what was deleted since.
void drop_unused(ApiContext& context, const std::string& sha256) {
  context.content.remove(sha256, [&] {
    return context.store.read(
        [&sha256](sql::Database& database) { return is_content_used(database, sha256); });
  });
}

HttpResponse keep_upload(ApiContext& context, ApiCall& call, Upload& upload, std::string& sha256) {
  const files::PinnedContent content = upload.writer.finish();
  sha256 = content.sha256();
  return record_upload(context, call, content, upload);
}

StoredFile require_listed_file(ApiContext& context, const std::string& id) {
  return context.store.read([&id](sql::Database& database) {
    return batchllm::daemon::require_listed_file(database, id);
  });
}

}  // namespace

HttpResponse upload_file(ApiContext& context, ApiCall& call) {
  refuse_while_draining(context);
  check_idempotency_key(call);
  Upload upload = receive(context, call.request);
  std::string sha256;
  try {
    HttpResponse response = keep_upload(context, call, upload, sha256);
    drop_unused(context, sha256);
    return response;
  } catch (const Error&) {
    if (!sha256.empty()) {
      drop_unused(context, sha256);
    }
    throw;
  }
}

HttpResponse list_uploads(ApiContext& context, ApiCall& call) {
  const PageRequest page = read_page_request(call);
  return context.store.read([&](sql::Database& database) {
    PageWriter writer(page);
    for (const StoredFile& file : list_files(database, page.cursor_number(), page.limit + 1)) {
      if (!writer.add(file_document(file), std::to_string(file.number))) {
        break;
      }
    }
    return json_response(200, writer.text());
  });
}

HttpResponse get_upload(ApiContext& context, ApiCall& call) {
  return json_response(200, file_document(require_listed_file(context, call.parts.at(0))));
}

HttpResponse get_upload_content(ApiContext& context, ApiCall& call) {
  const StoredFile file = require_listed_file(context, call.parts.at(0));
  HttpResponse response;
  response.content_type = file.media_type;
  response.headers.emplace_back("Content-Disposition", content_disposition(file.name));
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.file = FileBody{
      context.content.path_of(file.sha256).string(), 0, static_cast<std::uint64_t>(file.bytes)};
  return response;
}

HttpResponse remove_upload(ApiContext& context, ApiCall& call) {
  const StoredFile file = require_listed_file(context, call.parts.at(0));
  remove_file(context.store, context.content, context.state_dir, file.id);
  HttpResponse response;
  response.status = 204;
  return response;
}

}  // namespace batchllm::daemon

// SPDX-License-Identifier: Apache-2.0
#include "daemon/api/process_input.h"

#include "adapters/files/file_check.h"
#include "adapters/files/file_name.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/text.h"
#include "daemon/queue/file_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <system_error>

namespace batchllm::daemon {
namespace {

namespace fs = std::filesystem;

constexpr Milliseconds k_longest_transfer{10 * 60 * 1000};
constexpr std::string_view k_file_scheme = "file://";

fs::path downloads_folder(const fs::path& state_dir) {
  return state_dir / "daemon" / "downloads";
}

bool is_web_url(const std::string& url) noexcept {
  return url.starts_with("https://") || url.starts_with("http://");
}

int hex_digit(char letter) noexcept {
  if (letter >= '0' && letter <= '9') {
    return letter - '0';
  }
  const char lower = static_cast<char>(letter | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const int high = text[at] == '%' && at + 2 < text.size() ? hex_digit(text[at + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[at + 2]) : -1;
    if (low >= 0) {
      decoded += static_cast<char>(high * 16 + low);
      at += 2;
    } else {
      decoded += text[at];
    }
  }
  return decoded;
}

// What the file at a URL is called: the last part of its path.
std::string name_in(const std::string& url) {
  const std::string path = url.substr(0, url.find_first_of("?#"));
  const auto begin = path.find('/', path.find("//") + 2);
  return files::safe_file_name(begin == std::string::npos ? std::string()
                                                          : percent_decoded(path.substr(begin)));
}

UrlTransferLimits limits_for(std::uint64_t bytes, bool is_local) {
  UrlTransferLimits limits;
  limits.bytes = bytes;
  limits.timeout = k_longest_transfer;
  limits.public_addresses_only = !is_local;
  return limits;
}

std::string input_json(std::string_view member, const std::string& value) {
  JsonWriter json;
  return json.begin_object().key(member).string(value).end_object().text();
}

std::string_view media_type_of(const fs::path& result) {
  const std::string extension = result.extension().string();
  if (extension == ".csv") {
    return "text/csv";
  }
  if (extension == ".tsv") {
    return "text/tab-separated-values";
  }
  if (extension == ".json") {
    return "application/json";
  }
  return extension == ".jsonl" ? "application/jsonl" : "application/octet-stream";
}

}  // namespace

ProcessInput::ProcessInput(const ApiContext& context, const std::string& url, bool is_local) {
  if (url.starts_with(k_file_scheme)) {
    json_ = input_json("path", path_of_file_url(url, is_local));
  } else if (is_web_url(url)) {
    fetch(context, url, is_local);
  } else if (url.find("://") == std::string::npos) {
    json_ = input_json("file_id", url);
  } else {
    throw Error(ErrorCode::usage,
                fmt::format("file_url cannot be {}", one_line(as_utf8(url), 100)),
                "https://…, http://…, file:///… or the id of an uploaded file");
  }
}

ProcessInput::~ProcessInput() {
  std::error_code error;
  if (!folder_.empty()) {
    fs::remove_all(folder_, error);
  }
}

void ProcessInput::fetch(const ApiContext& context, const std::string& url, bool is_local) {
  const fs::path folder = downloads_folder(context.state_dir) / make_file_id();
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw Error(ErrorCode::storage,
                fmt::format("cannot create {}: {}", folder.string(), error.message()));
  }
  folder_ = folder;
  try {
    const fs::path part = folder / "download";
    const DownloadedFile found = context.transfers.download(
        url,
        part,
        limits_for(context.max_upload_bytes.value_or(files::ContentStore::k_no_limit), is_local));
    const files::FileFacts facts =
        files::check_file(part, name_in(url), found.media_type, files::FileLimits{});
    encoding_ = facts.encoding_setting;
    const fs::path file = folder / "file" / facts.name;
    fs::create_directory(folder / "file", error);
    fs::rename(part, file, error);
    if (error) {
      throw Error(ErrorCode::storage,
                  fmt::format("cannot create {}: {}", file.string(), error.message()));
    }
    json_ = input_json("path", file.string());
  } catch (...) {
    fs::remove_all(folder, error);  // a constructor that throws has no destructor
    throw;
  }
}

std::string path_of_file_url(const std::string& url, bool is_local) {
  if (!is_local) {
    throw Error(
        ErrorCode::peer_refused,
        "file:// names a file of the daemon's machine: it is for callers on the socket only",
        "upload the file: POST /api/v1/files");
  }
  std::string_view rest = std::string_view(url).substr(k_file_scheme.size());
  constexpr std::string_view k_this_machine = "localhost";
  if (rest.starts_with(k_this_machine)) {
    rest.remove_prefix(k_this_machine.size());
  }
  std::string path = percent_decoded(rest);
  if (!path.starts_with('/') || path.find('\0') != std::string::npos) {
    throw Error(ErrorCode::usage,
                fmt::format("{} names no file of this machine", one_line(as_utf8(url), 100)),
                "file:///path/to/file");
  }
  return path;
}

void put_result(const ApiContext& context,
                const fs::path& result,
                const std::string& url,
                bool is_local) {
  context.transfers.upload(result,
                           url,
                           std::string(media_type_of(result)),
                           limits_for(files::ContentStore::k_no_limit, is_local));
}

void sweep_downloads(const fs::path& state_dir) noexcept {
  std::error_code error;
  fs::remove_all(downloads_folder(state_dir), error);
}

}  // namespace batchllm::daemon

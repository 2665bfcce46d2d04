// SPDX-License-Identifier: Apache-2.0
#include "adapters/http/url_transfer.h"

#include "adapters/http/http_client.h"
#include "core/atomic_file.h"
#include "core/error.h"
#include "core/file_handle.h"
#include "core/text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace batchllm {
namespace {

constexpr Milliseconds k_idle_timeout{60'000};

struct UrlParts {
  ServerAddress server;
  std::string target;
  std::string shown;  // without the query, which may hold a signature
};

UrlParts parse_url(const std::string& url) {
  const std::string shown = one_line(as_utf8(url.substr(0, url.find_first_of("?#"))), 200);
  const auto refuse = [&shown](std::string_view why) -> Error {
    return {ErrorCode::usage,
            fmt::format("cannot use the URL {}: {}", shown, why),
            "give a URL that starts with https:// or http://"};
  };
  const bool has_scheme = url.starts_with("http://") || url.starts_with("https://");
  if (!has_scheme) {
    throw refuse("only http and https are allowed");
  }
  const auto path = std::min(url.find_first_of("/?#", url.find("//") + 2), url.size());
  const std::string origin = url.substr(0, path);
  if (origin.find('@') != std::string::npos) {
    throw Error(ErrorCode::usage,
                "a user or password does not belong into a URL",
                "use a URL that is signed, or a server that needs no password");
  }
  auto server = parse_server_address(origin);
  if (!server) {
    throw refuse(server.error().message);
  }
  UrlParts parts{*std::move(server), url.substr(path, url.find('#') - path), shown};
  if (!parts.target.starts_with('/')) {
    parts.target.insert(0, "/");
  }
  return parts;
}

// A file that is being written, beside its place: gone again unless it gets there.
class UnfinishedFile {
 public:
  explicit UnfinishedFile(const std::filesystem::path& target)
      : target_(target.string()),
        path_(target_ + ".part"),
        file_(open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR)) {
    if (!file_.is_open()) {
      throw_storage_error("create", path_, errno);
    }
  }

  ~UnfinishedFile() {
    if (file_.is_open()) {
      unlink(path_.c_str());
    }
  }

  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;

  void write(std::string_view bytes) {
    write_all(file_.get(), bytes, path_);
    bytes_ += bytes.size();
  }

  std::uint64_t bytes() const noexcept { return bytes_; }

  void finish() {
    if (fsync(file_.get()) != 0) {
      throw_storage_error("write", path_, errno);
    }
    if (std::rename(path_.c_str(), target_.c_str()) != 0) {
      throw_storage_error("create", target_, errno);
    }
    file_.reset();
    sync_folder(std::filesystem::path(target_).parent_path());
  }

 private:
  std::string target_;
  std::string path_;
  FileHandle file_;
  std::uint64_t bytes_ = 0;
};

HttpClient client_for(const UrlParts& url, const UrlTransferLimits& limits) {
  HttpClientSettings settings;
  settings.server = url.server;
  settings.ca_file = limits.ca_file;
  settings.public_addresses_only = limits.public_addresses_only;
  return HttpClient(std::move(settings));
}

HttpClientRequest request_for(const UrlParts& url, const UrlTransferLimits& limits) {
  constexpr std::size_t k_kept_of_refusals = std::size_t{64} << 10;
  HttpClientRequest request;
  request.target = url.target;
  request.timeout = limits.timeout;
  request.idle_timeout = k_idle_timeout;
  request.max_body_bytes = k_kept_of_refusals;
  request.stop = limits.stop;
  return request;
}

// Throws for everything but a 2xx answer.
void check_answer(const HttpClientResponse& response,
                  std::string_view what,  // "cannot download https://…"
                  ErrorCode otherwise) {
  if (response.stopped) {
    throw Error(ErrorCode::interrupted, fmt::format("{}: stopped", what));
  }
  if (response.address_refused) {
    throw Error(ErrorCode::peer_refused,
                fmt::format("{}: {}", what, response.failure_text),
                "addresses of this machine and its network are for callers on the socket only");
  }
  if (response.failure == TransportFailure::timeout) {
    throw Error(ErrorCode::timeout, fmt::format("{}: {}", what, response.failure_text));
  }
  // The text of a refusal says less than its status, and it may be long.
  if (response.failure != TransportFailure::none && response.status < 300) {
    throw Error(otherwise, fmt::format("{}: {}", what, response.failure_text));
  }
  if (response.status >= 300 && response.status < 400) {
    throw Error(otherwise,
                fmt::format("{}: the server answered {}, a redirect", what, response.status),
                "give the URL that it leads to");
  }
  if (!response.is_ok()) {
    throw Error(otherwise, fmt::format("{}: the server answered {}", what, response.status));
  }
}

std::string media_type_of(const HttpClientResponse& response) {
  const std::string_view type = response.header("content-type");
  return lowercase(trim(type.substr(0, type.find(';'))));
}

FileHandle open_to_read(const std::filesystem::path& path, struct stat& status) {
  FileHandle file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open() || fstat(file.get(), &status) != 0) {
    throw_storage_error("read", path.string(), errno);
  }
  return file;
}

std::size_t read_some(int descriptor, std::span<char> buffer, const std::string& path) {
  while (true) {
    const ssize_t count = read(descriptor, buffer.data(), buffer.size());
    if (count >= 0) {
      return static_cast<std::size_t>(count);
    }
    if (errno != EINTR) {
      throw_storage_error("read", path, errno);
    }
  }
}

[[noreturn]] void refuse_size(std::string_view what, std::uint64_t limit) {
  throw Error(ErrorCode::input_unreadable,
              fmt::format("{}: it is larger than {}", what, bytes_text(limit)));
}

}  // namespace

DownloadedFile download(const std::string& url,
                        const std::filesystem::path& file,
                        const UrlTransferLimits& limits) {
  const UrlParts parts = parse_url(url);
  const std::string what = "cannot download " + parts.shown;
  HttpClient client = client_for(parts, limits);
  UnfinishedFile part(file);
  HttpClientRequest request = request_for(parts, limits);
  request.consumer = [&](std::string_view piece) {
    if (piece.size() > limits.bytes - part.bytes()) {
      refuse_size(what, limits.bytes);
    }
    part.write(piece);
    return true;
  };
  const HttpClientResponse response = client.send(request);
  const bool is_missing = response.failure == TransportFailure::none &&
                          (response.status == 404 || response.status == 410);
  check_answer(response, what, is_missing ? ErrorCode::input_missing : ErrorCode::input_unreadable);
  part.finish();
  return {part.bytes(), media_type_of(response)};
}

void upload(const std::filesystem::path& file,
            const std::string& url,
            const std::string& media_type,
            const UrlTransferLimits& limits) {
  const UrlParts parts = parse_url(url);
  const std::string what = "cannot store a file at " + parts.shown;
  HttpClient client = client_for(parts, limits);

  struct stat status {};

  const FileHandle source = open_to_read(file, status);
  const auto bytes = static_cast<std::uint64_t>(status.st_size);
  if (bytes > limits.bytes) {
    refuse_size(what, limits.bytes);
  }
  HttpClientRequest request = request_for(parts, limits);
  request.method = "PUT";
  request.headers = {{"Content-Type", media_type}};
  request.body_bytes = bytes;
  request.reader = [&](std::span<char> buffer) {
    return read_some(source.get(), buffer, file.string());
  };
  check_answer(client.send(request), what, ErrorCode::storage);
}

}  // namespace batchllm

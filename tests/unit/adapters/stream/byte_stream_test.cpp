// SPDX-License-Identifier: Apache-2.0
#include "adapters/stream/byte_stream.h"

#include "adapters/stream/byte_sink.h"
#include "adapters/stream/raw_bytes.h"
#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"

#include <fcntl.h>
#include <iconv.h>
#include <sys/resource.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <thread>

using namespace batchllm;

namespace {

std::string read_all(ByteStream& stream, std::size_t piece = 7919) {
  std::string text;
  std::string buffer(piece, '\0');
  while (const std::size_t count = stream.read(buffer.data(), buffer.size())) {
    text.append(buffer, 0, count);
  }
  return text;
}

std::string read_file(const std::string& path, const std::string& encoding = {}) {
  return read_all(*open_byte_stream(path, encoding));
}

std::string sample_text(std::size_t bytes) {
  std::string text;
  for (std::uint64_t i = 1; text.size() < bytes; ++i) {
    text += "row " + std::to_string(i * 2654435761U) + ", h\xC3\xA9llo\n";
  }
  return text;
}

template <typename Action>
Error error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  FAIL("no error was thrown");
  return {ErrorCode::internal, ""};
}

struct Suffix {
  std::string suffix;
  std::string name;
};

const std::vector<Suffix> k_suffixes = {
    {".gz", "gzip"}, {".zst", "zstd"}, {".xz", "xz"}, {".bz2", "bzip2"}, {".lz4", "lz4"}};

void write_compressed(const std::string& path, const std::string& text, bool append = false) {
  const auto sink = open_file_sink(path, compression_of(path), append);
  sink->write(text);
  sink->finish();
}

}  // namespace

TEST_CASE("every compression gives back what was written, in any piece", "[stream]") {
  const ScratchFolder folder;
  for (const auto& [suffix, name] : k_suffixes) {
    for (const std::size_t size : {0, 1, 100, 3'000'000}) {
      CAPTURE(suffix, size);
      const std::string text = sample_text(size).substr(0, size);
      const std::string path = folder.path("data" + suffix);
      write_compressed(path, text);
      const auto stream = open_byte_stream(path, "");
      CHECK(stream->compression() == name);
      CHECK(read_all(*stream) == text);
      CHECK(stream->fraction_read() == 1.0);
    }
  }
}

TEST_CASE("compressed members that follow one another are one text", "[stream]") {
  const ScratchFolder folder;
  const std::string text = sample_text(200'000);
  for (const auto& [suffix, name] : k_suffixes) {
    CAPTURE(suffix);
    const std::string path = folder.path("data" + suffix);
    write_compressed(path, text);
    write_compressed(path, "tail\n", true);
    CHECK(read_file(path) == text + "tail\n");
  }
}

TEST_CASE("a cut off compressed file gives its beginning, then an error with the offset",
          "[stream]") {
  const ScratchFolder folder;
  const std::string text = sample_text(4'000'000);
  for (const auto& [suffix, name] : k_suffixes) {
    CAPTURE(suffix);
    const std::string path = folder.path("data" + suffix);
    write_compressed(path, text);
    const std::string whole = folder.read("data" + suffix);
    const std::string cut = folder.write("cut" + suffix, whole.substr(0, whole.size() / 2));
    const auto stream = open_byte_stream(cut, "");
    std::string got;
    const Error error = error_of([&] {
      std::string buffer(10'000, '\0');
      while (const std::size_t count = stream->read(buffer.data(), buffer.size())) {
        got.append(buffer, 0, count);
      }
    });
    CHECK(error.code() == ErrorCode::input_unreadable);
    CHECK_THAT(error.message(), ContainsSubstring("cut" + suffix));
    CHECK_THAT(error.message(), ContainsSubstring(std::to_string(got.size())));
    CHECK(text.starts_with(got));
    CHECK(got.size() > text.size() / 10);
  }
}

TEST_CASE("compressed output has no time in it", "[stream]") {
  const ScratchFolder folder;
  for (const auto& [suffix, name] : k_suffixes) {
    CAPTURE(suffix);
    write_compressed(folder.path("a" + suffix), "the same text");
    const std::string first = folder.read("a" + suffix);
    write_compressed(folder.path("a" + suffix), "the same text");
    CHECK(folder.read("a" + suffix) == first);
    if (suffix == ".gz") {
      CHECK(first.substr(4, 4) == std::string(4, '\0'));
    }
  }
}

TEST_CASE("damaged bytes in a compressed file are an error, not other text", "[stream]") {
  const ScratchFolder folder;
  const std::string text = sample_text(500'000);
  for (const auto& [suffix, name] : k_suffixes) {
    CAPTURE(suffix);
    write_compressed(folder.path("data" + suffix), text);
    std::string bytes = folder.read("data" + suffix);
    for (std::size_t i = 0; i < 16; ++i) {
      bytes[bytes.size() / 2 + i] = static_cast<char>(~bytes[bytes.size() / 2 + i]);
    }
    const std::string path = folder.write("bad" + suffix, bytes);
    CHECK(error_of([&] { read_file(path); }).code() == ErrorCode::input_unreadable);
  }
}

TEST_CASE("a byte order mark says the encoding and is no part of the text", "[stream]") {
  struct Case {
    std::string bytes;
    std::string encoding;
  };

  const ScratchFolder folder;
  using namespace std::string_literals;
  const std::vector<Case> cases = {
      {"h\xC3\xA9", "utf-8"},
      {"\xEF\xBB\xBFh\xC3\xA9", "utf-8"},
      {"\xFF\xFEh\0\xE9\0"s, "utf-16le"},
      {"\xFE\xFF\0h\0\xE9"s, "utf-16be"},
      {"\xFF\xFE\0\0h\0\0\0\xE9\0\0\0"s, "utf-32le"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.encoding);
    const auto stream = open_byte_stream(folder.write("text", c.bytes), "");
    CHECK(stream->encoding() == c.encoding);
    CHECK(read_all(*stream, 16) == "h\xC3\xA9");
  }
  CHECK(read_file(folder.write("mark", "\xEF\xBB\xBF")).empty());
  CHECK(read_file(folder.write("mark16", "\xFF\xFE")).empty());
  CHECK(read_file(folder.write("nothing", "")).empty());
}

TEST_CASE("a named encoding is turned into UTF-8 whatever the size of the reads", "[stream]") {
  const ScratchFolder folder;
  std::string latin;
  std::string utf8;
  for (int i = 0; i < 200'000; ++i) {
    latin += i % 3 == 0 ? "\xE9" : "x";
    utf8 += i % 3 == 0 ? "\xC3\xA9" : "x";
  }
  const std::string path = folder.write("latin.txt", latin);
  for (const std::size_t piece : {1, 3, 16, 4096, 1 << 20}) {
    CAPTURE(piece);
    const auto stream = open_byte_stream(path, "ISO-8859-1");
    CHECK(read_all(*stream, piece) == utf8);
  }
  // Characters of two and four bytes across the reader's blocks.
  std::string wide = "\xFF\xFE";
  std::string narrow;
  for (int i = 0; i < 300'000; ++i) {
    wide += i % 2 == 0 ? std::string("a\0", 2) : std::string("\x3D\xD8\x00\xDE", 4);
    narrow += i % 2 == 0 ? "a" : "\xF0\x9F\x98\x80";
  }
  CHECK(read_file(folder.write("wide", wide)) == narrow);
}

TEST_CASE("bytes that are not of the encoding are named with their place", "[stream]") {
  const ScratchFolder folder;
  const std::string path = folder.write("bad.csv", std::string(1000, 'a') + "\xFF" + "b");
  const Error error = error_of([&] { read_file(path, "euc-jp"); });
  CHECK(error.code() == ErrorCode::input_unreadable);
  CHECK_THAT(error.message(), ContainsSubstring("bad.csv"));
  CHECK_THAT(error.message(), ContainsSubstring("byte 1000"));
  CHECK_THAT(error.hint(), ContainsSubstring("--encoding"));

  using namespace std::string_literals;
  const Error cut = error_of([&] {
    read_file(folder.write("odd",
                           "\xFF\xFE"
                           "a\0b"s));
  });
  CHECK_THAT(cut.message(), ContainsSubstring("cuts off"));

  const Error unknown = error_of([&] { open_byte_stream(path, "latin-1x"); });
  CHECK(unknown.code() == ErrorCode::usage);
}

TEST_CASE("skipping forward lands on the decoded offset", "[stream]") {
  const ScratchFolder folder;
  const std::string text = sample_text(1'000'000);
  const std::vector<std::string> paths = {folder.write("plain", text),
                                          folder.write("mark", "\xEF\xBB\xBF" + text),
                                          folder.path("packed.zst")};
  write_compressed(paths[2], text);
  for (const auto& path : paths) {
    for (const std::size_t offset : {0, 1, 100, 500'000}) {
      CAPTURE(path, offset);
      const auto stream = open_byte_stream(path, "");
      stream->skip_to(offset);
      const std::string rest = read_all(*stream);
      CHECK(rest == text.substr(offset));
      CHECK(error_of([&] { stream->skip_to(0); }).code() == ErrorCode::internal);
    }
  }
}

TEST_CASE("the digest covers the stored bytes read so far, until a seek", "[stream]") {
  const ScratchFolder folder;
  const std::string text = sample_text(700'000);
  const std::string path = folder.write("plain", text);
  const auto stream = open_byte_stream(with_digest(open_raw_file(path)), "");
  read_all(*stream);
  const auto digest = stream->prefix_digest();
  REQUIRE(digest.has_value());
  CHECK(digest->bytes == text.size());
  CHECK(digest->xxh3 == XXH3_64bits(text.data(), text.size()));

  const auto skipped = open_byte_stream(with_digest(open_raw_file(path)), "");
  skipped->skip_to(600'000);
  CHECK_FALSE(skipped->prefix_digest().has_value());

  write_compressed(folder.path("packed.gz"), text);
  const auto packed = open_byte_stream(with_digest(open_raw_file(folder.path("packed.gz"))), "");
  read_all(*packed);
  const std::string stored = folder.read("packed.gz");
  REQUIRE(packed->prefix_digest().has_value());
  CHECK(packed->prefix_digest()->bytes == stored.size());
  CHECK(packed->prefix_digest()->xxh3 == XXH3_64bits(stored.data(), stored.size()));
}

TEST_CASE("an input that cannot be opened says why and what to do", "[stream]") {
  const ScratchFolder folder;
  folder.write("reviews.csv", "a\n");
  const Error missing = error_of([&] { open_byte_stream(folder.path("revews.csv"), ""); });
  CHECK(missing.code() == ErrorCode::input_missing);
  CHECK_THAT(missing.hint(), ContainsSubstring("did you mean"));
  CHECK_THAT(missing.hint(), ContainsSubstring("reviews.csv"));

  const Error is_folder = error_of([&] { open_byte_stream(folder.path(), ""); });
  CHECK(is_folder.code() == ErrorCode::input_unreadable);
  CHECK_THAT(is_folder.message(), ContainsSubstring("is a folder"));
}

TEST_CASE("a pipe is read to its end and has no size", "[stream]") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const std::string text = sample_text(300'000);
  std::thread writer([&] {
    const auto sink = open_descriptor_sink(ends[1], "pipe", Compression::none);
    sink->write(text);
    sink->finish();
    ::close(ends[1]);
  });
  const auto stream = open_byte_stream(raw_descriptor(ends[0], "pipe"), "");
  CHECK(read_all(*stream) == text);
  CHECK_FALSE(stream->fraction_read().has_value());
  CHECK_FALSE(stream->prefix_digest().has_value());
  writer.join();
  ::close(ends[0]);
}

TEST_CASE("a closed pipe and a full disk are told apart", "[stream]") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  ::close(ends[0]);
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  const Error closed = error_of([&] {
    const auto sink = open_descriptor_sink(ends[1], "standard output", Compression::none);
    sink->write("x");
    sink->flush();
  });
  std::signal(SIGPIPE, before);
  ::close(ends[1]);
  CHECK(closed.code() == ErrorCode::storage);
  CHECK(std::count(closed.details().begin(),
                   closed.details().end(),
                   std::pair<std::string, std::string>("closed", "yes")) == 1);

  for (const auto compression : {Compression::none, Compression::gzip, Compression::zstd}) {
    const Error full = error_of([&] {
      const auto sink = open_file_sink("/dev/full", compression);
      sink->write(sample_text(2'000'000));
      sink->finish();
    });
    CHECK(full.code() == ErrorCode::storage_full);
    CHECK_THAT(full.message(), ContainsSubstring("/dev/full"));
  }

  const ScratchFolder folder;
  const Error nowhere =
      error_of([&] { open_file_sink(folder.path("no/such/folder.csv"), Compression::none); });
  CHECK(nowhere.code() == ErrorCode::storage);
}

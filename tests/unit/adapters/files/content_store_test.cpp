// SPDX-License-Identifier: Apache-2.0
#include "adapters/files/content_store.h"

#include "adapters/input.h"
#include "tests/support/catch.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/json_rows.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/suite_files.h"
#include "tests/support/thrown_error.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <random>
#include <thread>

using namespace batchllm;
using namespace batchllm::files;

namespace {

namespace fs = std::filesystem;

// Published values (FIPS 180-2 and NIST's examples).
const std::string k_empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const std::string k_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const std::string k_million_a = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

std::string store_text(ContentStore& store, std::string_view text) {
  auto writer = store.begin();
  writer.write(text);
  return writer.finish().sha256();
}

std::size_t files_in(const fs::path& folder) {
  return files_below(folder).size();
}

unsigned mode_of(const fs::path& path) {
  struct stat facts {};

  REQUIRE(::lstat(path.c_str(), &facts) == 0);
  return facts.st_mode & 07777U;
}

constexpr auto k_unused = [] { return false; };

}  // namespace

TEST_CASE("a content lies under its SHA-256, read-only, in private folders", "[content_store]") {
  const ScratchFolder folder;
  ContentStore store(folder.path("state/files"));
  CHECK(store_text(store, "abc") == k_abc);
  CHECK(folder.read("state/files/ba/" + k_abc) == "abc");
  CHECK(store.path_of(k_abc) == folder.path("state/files/ba/" + k_abc));
  CHECK(mode_of(store.path_of(k_abc)) == 0400);
  CHECK(mode_of(folder.path("state/files")) == 0700);
  CHECK(mode_of(folder.path("state/files/ba")) == 0700);
  CHECK(mode_of(folder.path("state/files/incoming")) == 0700);
  CHECK(store_text(store, "") == k_empty);
  CHECK(store_text(store, std::string(1'000'000, 'a')) == k_million_a);
  CHECK(store.verify(k_abc));
  CHECK(files_in(folder.path("state/files/incoming")) == 0);
}

TEST_CASE("pieces of any size give the digest of the whole", "[content_store]") {
  const ScratchFolder folder;
  ContentStore store(folder.path("files"));
  for (const std::size_t piece : {17U, 63U, 64U, 65U, 4096U, 999'999U}) {
    auto writer = store.begin();
    const std::string text(1'000'000, 'a');
    for (std::size_t at = 0; at < text.size(); at += piece) {
      writer.write(std::string_view(text).substr(at, piece));
    }
    const auto content = writer.finish();
    CHECK(content.sha256() == k_million_a);
    CHECK(content.bytes() == text.size());
  }
  CHECK(store.list().size() == 1);
}

TEST_CASE("equal contents are stored once, and the first file stays", "[content_store]") {
  const ScratchFolder folder;
  ContentStore store(folder.path("files"));
  store_text(store, "abc");

  struct stat first {};

  REQUIRE(::stat(store.path_of(k_abc).c_str(), &first) == 0);
  store_text(store, "abc");
  CHECK(store.take(folder.write("local.txt", "abc")).sha256() == k_abc);

  struct stat now {};

  REQUIRE(::stat(store.path_of(k_abc).c_str(), &now) == 0);
  CHECK(now.st_ino == first.st_ino);
  CHECK(files_in(folder.path("files")) == 1);
}

TEST_CASE("writers of the same content at once all succeed and leave one file", "[content_store]") {
  const ScratchFolder folder;
  ContentStore store(folder.path("files"));
  for (int round = 0; round < 20; ++round) {
    const std::string text = "round " + std::to_string(round) + std::string(100'000, 'x');
    std::array<std::string, 4> stored;
    {
      std::vector<std::jthread> writers;
      for (auto& sha256 : stored) {
        writers.emplace_back([&] { sha256 = store_text(store, text); });
      }
    }
    for (const auto& sha256 : stored) {
      REQUIRE(sha256 == stored[0]);
    }
    REQUIRE(store.verify(stored[0]));
  }
  CHECK(store.list().size() == 20);
  CHECK(files_in(folder.path("files")) == 20);
}

TEST_CASE("a content appears only when it is finished", "[content_store]") {
  const ScratchFolder folder;
  ContentStore store(folder.path("files"));
  {
    auto writer = store.begin();
    writer.write("abc");
    CHECK_FALSE(store.contains(k_abc));
    CHECK(files_in(folder.path("files/incoming")) == 1);
    auto moved = std::move(writer);
    CHECK(moved.bytes() == 3);
  }
  CHECK(files_in(folder.path("files")) == 0);
  auto writer = store.begin();
  writer.write("abc");
  const auto content = writer.finish();
  CHECK(store.contains(k_abc));
  CHECK(thrown_error([&] { writer.write("d"); })->code() == ErrorCode::internal);
  CHECK(thrown_error([&] { writer.finish(); })->code() == ErrorCode::internal);
}

TEST_CASE("a file beyond the limit is refused and leaves nothing", "[content_store]") {
  const ScratchFolder folder;
  ContentStore store(folder.path("files"));
  {
    auto writer = store.begin(3);
    writer.write("abc");
    const auto error = thrown_error([&] { writer.write("d"); });
    REQUIRE(error);
    CHECK(error->code() == ErrorCode::file_too_large);
    CHECK(error->exit_code() == 3);
    CHECK(error_kind(error->code()).http_status == 413);
  }
  const std::string local = folder.write("local", "abcd");
  CHECK(thrown_error([&] { store.take(local, 3); })->code() == ErrorCode::file_too_large);
  CHECK(files_in(folder.path("files")) == 0);
  CHECK(store.take(local, 4).bytes() == 4);
}

TEST_CASE("a full disk is reported, and what was stored before is whole", "[content_store]") {
  const ScratchFolder folder;
  ContentStore store(folder.path("files"));
  store_text(store, "abc");
  {
    const FileSizeLimit full(100'000);
    const auto error = thrown_error([&] { store_text(store, std::string(1'000'000, 'a')); });
    REQUIRE(error);
    CHECK(error->code() == ErrorCode::storage_full);
  }
  CHECK(files_in(folder.path("files")) == 1);
  CHECK(store.verify(k_abc));
  CHECK(store_text(store, std::string(1'000'000, 'a')) == k_million_a);
}

TEST_CASE("a local file is taken through links, and only regular files are", "[content_store]") {
  const ScratchFolder folder;
  ContentStore store(folder.path("files"));
  folder.write("real.csv", "abc");
  fs::create_symlink("real.csv", folder.path("link.csv"));
  CHECK(store.take(folder.path("link.csv")).sha256() == k_abc);
  CHECK(store.take(folder.write("big", std::string(1'000'000, 'a'))).sha256() == k_million_a);
  CHECK(store.take(folder.write("empty", "")).sha256() == k_empty);
  CHECK(folder.read("real.csv") == "abc");

  REQUIRE(::mkfifo(folder.path("pipe").c_str(), 0600) == 0);
  const auto code_for = [&](const std::string& path) {
    return thrown_error([&] { store.take(path); })->code();
  };
  CHECK(code_for(folder.path("pipe")) == ErrorCode::input_unreadable);
  CHECK(code_for("/dev/zero") == ErrorCode::input_unreadable);
  CHECK(code_for(folder.path()) == ErrorCode::input_unreadable);
  const auto missing = thrown_error([&] { store.take(folder.path("rael.csv")); });
  CHECK(missing->code() == ErrorCode::input_missing);
  CHECK_THAT(missing->hint(), ContainsSubstring("real.csv"));
}

TEST_CASE("a file that grows while it is copied is not taken", "[content_store]") {
  const ScratchFolder folder;
  ContentStore store(folder.path("files"));
  const std::string path = folder.write("log", std::string(std::size_t{16} << 20, 'x'));
  std::atomic<bool> done = false;
  std::atomic<int> appended = 0;
  // A byte at a time: thousands of them while 16 MiB are copied.
  std::jthread appender([&] {
    std::ofstream file(path, std::ios::app | std::ios::binary);
    while (!done) {
      file << 'y' << std::flush;
      ++appended;
      appended.notify_one();
    }
  });
  appended.wait(0);
  bool was_refused = false;
  for (int attempt = 0; attempt < 100 && !was_refused; ++attempt) {
    const auto error = thrown_error([&] { store.take(path); });
    was_refused = error && error->code() == ErrorCode::input_changed;
    CHECK((!error || was_refused));
  }
  done = true;
  CHECK(was_refused);
  for (const auto& content : store.list()) {
    CHECK(store.verify(content.sha256));
  }
}

TEST_CASE("a removed content is gone; one that is used or just stored stays", "[content_store]") {
  const ScratchFolder folder;
  ContentStore store(folder.path("files"));
  store_text(store, "abc");
  CHECK_FALSE(store.remove(k_abc, [] { return true; }));
  CHECK(store.contains(k_abc));
  {
    auto writer = store.begin();
    writer.write("abc");
    const auto pinned = writer.finish();  // finds it there
    CHECK_FALSE(store.remove(k_abc, k_unused));
    CHECK(store.contains(k_abc));
  }
  CHECK(store.remove(k_abc, k_unused));
  CHECK_FALSE(store.contains(k_abc));
  CHECK(store.remove(k_abc, k_unused));
  CHECK(thrown_error([&] { store.open(k_abc); })->code() == ErrorCode::file_not_found);
}

TEST_CASE("storing while others remove never loses a content that is held", "[content_store]") {
  const ScratchFolder folder;
  ContentStore store(folder.path("files"));
  std::atomic<int> lost = 0;
  std::atomic<bool> done = false;
  {
    std::jthread remover([&] {
      while (!done) {
        store.remove(k_abc, k_unused);
      }
    });
    std::vector<std::jthread> writers;
    for (int i = 0; i < 2; ++i) {
      writers.emplace_back([&] {
        for (int round = 0; round < 100; ++round) {
          auto writer = store.begin();
          writer.write("abc");
          const auto content = writer.finish();
          lost += store.contains(content.sha256()) ? 0 : 1;
        }
      });
    }
    writers.clear();
    done = true;
  }
  CHECK(lost == 0);
}

TEST_CASE("names that are no digest lead nowhere", "[content_store]") {
  const ScratchFolder folder;
  ContentStore store(folder.path("files"));
  folder.write("files/secret", "x");
  for (const std::string& name : {std::string(),
                                  std::string("../secret"),
                                  std::string("secret"),
                                  std::string(64, 'g'),
                                  std::string(64, 'A'),
                                  std::string(63, 'a') + "/",
                                  std::string(63, 'a')}) {
    CAPTURE(name);
    CHECK_FALSE(store.contains(name));
    CHECK(thrown_error([&] { store.path_of(name); })->code() == ErrorCode::file_not_found);
    CHECK(store.remove(name, k_unused));
  }
  CHECK(folder.read("files/secret") == "x");
}

TEST_CASE("a damaged content is found, and a cut one is mended by the next upload",
          "[content_store]") {
  const ScratchFolder folder;
  ContentStore store(folder.path("files"));
  store_text(store, "abc");
  const fs::path path = store.path_of(k_abc);
  REQUIRE(::chmod(path.c_str(), 0600) == 0);
  folder.write("files/ba/" + k_abc, "abd");
  CHECK_FALSE(store.verify(k_abc));
  folder.write("files/ba/" + k_abc, "");
  CHECK_FALSE(store.verify(k_abc));
  CHECK(store_text(store, "abc") == k_abc);
  CHECK(store.verify(k_abc));
}

TEST_CASE("kill -9 in the middle leaves only whole contents and incoming files",
          "[content_store]") {
  constexpr int k_rounds = 30;
  const ScratchFolder folder;
  std::mt19937 random(20'240'101);
  std::size_t swept = 0;
  for (int round = 0; round < k_rounds; ++round) {
    std::array<int, 2> pipe_ends{};
    REQUIRE(::pipe(pipe_ends.data()) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      // Stores one file after another and tells each step, until it is killed.
      ContentStore store(folder.path("files"));
      for (int number = 0;; ++number) {
        auto writer = store.begin();
        const std::string piece = std::to_string(round % 3) + std::to_string(number) + "\n";
        for (int i = 0; i < 50; ++i) {
          writer.write(piece + std::string(997, 'x'));
          if (::write(pipe_ends[1], "w", 1) != 1) {
            ::_exit(1);
          }
        }
        writer.finish();
      }
    }
    ::close(pipe_ends[1]);
    for (auto steps = random() % 500 + 1; steps > 0; --steps) {
      char step = 0;
      REQUIRE(::read(pipe_ends[0], &step, 1) == 1);
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(pipe_ends[0]);

    ContentStore store(folder.path("files"));
    std::size_t whole = 0;
    for (const auto& content : store.list()) {
      REQUIRE(store.verify(content.sha256));
      ++whole;
    }
    const std::size_t left = files_in(folder.path("files/incoming"));
    REQUIRE(files_in(folder.path("files")) == whole + left);
    REQUIRE(store.sweep_incoming() == left);
    REQUIRE(files_in(folder.path("files")) == whole);
    swept += left;
  }
  CHECK(swept > 0);
}

TEST_CASE("an input link has the client's name and shows a run its format", "[content_store]") {
  const ScratchFolder folder;
  const ContentStore store(folder.path("state/files"));
  ContentStore writing(folder.path("state/files"));
  const std::string csv = store_text(writing, "a,b\n1,x\n");
  const std::string text = store_text(writing, "a,b\n1,x\n\n");
  const fs::path file = folder.path("state/uploads/file_1");
  const fs::path link = store.link_input(file, csv, "../../evil/reviews.csv");
  CHECK(link == file / "reviews.csv");
  CHECK(mode_of(file) == 0700);
  CHECK(fs::read_symlink(link) == "../../files/" + csv.substr(0, 2) + "/" + csv);
  CHECK(read_rows(*open_inputs({link.string()}, {})).text() == "#0@2 1 x\n");

  CHECK(store.link_input(file, csv, "reviews.csv") == link);
  CHECK(store.link_input(file, text, "reviews.csv") == file / "reviews-2.csv");
  CHECK(store.link_input(file, text, "reviews.csv") == file / "reviews-2.csv");
  CHECK(store.link_input(file, text, "") == file / "input");
  CHECK(thrown_error([&] { store.link_input(file, k_abc, "x.csv"); })->code() ==
        ErrorCode::file_not_found);

  // The state folder may move as a whole.
  fs::rename(folder.path("state"), folder.path("moved"));
  CHECK(folder.read("moved/uploads/file_1/reviews.csv") == "a,b\n1,x\n");
}

TEST_CASE("bytes in memory are written once, and again when the disk has lost some",
          "[content_store]") {
  const ScratchFolder folder;
  ContentStore store(folder.path("files"));
  const std::string sha256 = store.keep("hello\n").sha256();
  CHECK(store.verify(sha256));
  const fs::path place = store.path_of(sha256);
  const auto written = fs::last_write_time(place);
  CHECK(store.keep("hello\n").sha256() == sha256);
  CHECK(fs::last_write_time(place) == written);
  CHECK(fs::is_empty(folder.path("files/incoming")));

  fs::permissions(place, fs::perms::owner_write, fs::perm_options::add);
  fs::resize_file(place, 2);
  CHECK(store.keep("hello\n").sha256() == sha256);
  CHECK(store.verify(sha256));
}

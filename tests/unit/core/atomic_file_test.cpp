// SPDX-License-Identifier: Apache-2.0
#include "core/atomic_file.h"

#include "tests/support/catch.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

using namespace batchllm;

namespace {

std::size_t files_in(const ScratchFolder& folder) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    (void)entry;
    ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("a file is replaced whole, with its mode", "[atomic_file]") {
  const ScratchFolder folder;
  folder.write("f", "old text that is longer");
  write_file_atomically(folder.path("f"), "new", 0600);
  CHECK(folder.read("f") == "new");

  struct stat status {};

  REQUIRE(stat(folder.path("f").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600);
  CHECK(files_in(folder) == 1);
}

TEST_CASE("a full disk leaves the old file and nothing else", "[atomic_file]") {
  const ScratchFolder folder;
  folder.write("f", "old");
  {
    const FileSizeLimit full(100);
    const auto error = thrown_error(
        [&] { write_file_atomically(folder.path("f"), std::string(1000, 'x'), 0600); });
    REQUIRE(error);
    CHECK(error->code() == ErrorCode::storage_full);
    CHECK_THAT(error->message(), ContainsSubstring(folder.path("f")));
  }
  CHECK(folder.read("f") == "old");
  CHECK(files_in(folder) == 1);
}

TEST_CASE("a target that cannot be replaced leaves nothing beside it", "[atomic_file]") {
  const ScratchFolder folder;
  std::filesystem::create_directory(folder.path("d"));
  CHECK(thrown_error([&] { write_file_atomically(folder.path("d"), "x", 0600); })->code() ==
        ErrorCode::storage);
  CHECK(files_in(folder) == 1);
  CHECK(thrown_error([&] { write_file_atomically(folder.path("none/f"), "x", 0600); })->code() ==
        ErrorCode::storage);
}

TEST_CASE("a rename never takes the place of another file", "[atomic_file]") {
  const ScratchFolder folder;
  const std::string first = folder.write("first", "1");
  const std::string second = folder.write("second", "2");
  CHECK(rename_without_replacing(first, folder.path("target")));
  CHECK_FALSE(rename_without_replacing(second, folder.path("target")));
  CHECK(folder.read("target") == "1");
  CHECK(folder.read("second") == "2");
  CHECK_FALSE(std::filesystem::exists(first));
  CHECK_THROWS_AS(rename_without_replacing(first, folder.path("other")), Error);
}

TEST_CASE("a file is read up to the limit", "[atomic_file]") {
  const ScratchFolder folder;
  const std::string text(200'000, 'y');
  folder.write("f", text);
  CHECK(read_file(folder.path("f"), text.size()) == text);
  CHECK(thrown_error([&] { read_file(folder.path("f"), text.size() - 1); })->code() ==
        ErrorCode::storage);
  CHECK(thrown_error([&] { read_file(folder.path("none"), 1); })->code() == ErrorCode::storage);
}

TEST_CASE("full disks are told from other failures", "[atomic_file]") {
  for (const int number : {ENOSPC, EDQUOT, EFBIG}) {
    CHECK(thrown_error([&] { throw_storage_error("write", "f", number); })->code() ==
          ErrorCode::storage_full);
  }
  CHECK(thrown_error([&] { throw_storage_error("write", "f", EIO); })->code() ==
        ErrorCode::storage);
}

// SPDX-License-Identifier: Apache-2.0
#include "adapters/sql/state_folder.h"

#include "tests/support/catch.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <sys/stat.h>
#include <unistd.h>

namespace batchllm::sql {
namespace {

TEST_CASE("a second daemon on a state folder is refused and told who has it", "[sql]") {
  const ScratchFolder folder;
  {
    const FileHandle first = lock_state_folder(folder.path("state"));
    const auto error = thrown_error([&] { lock_state_folder(folder.path("state")); });
    REQUIRE(error);
    CHECK(error->code() == ErrorCode::daemon_running);
    CHECK(error->exit_code() == 10);
    CHECK_THAT(error->message(), ContainsSubstring("pid " + std::to_string(getpid())));
    CHECK_THAT(error->hint(), ContainsSubstring("batchllm daemon stop"));
  }
  CHECK_NOTHROW(lock_state_folder(folder.path("state")));
}

TEST_CASE("network file systems are told from local ones", "[sql]") {
  struct Case {
    std::optional<std::uint64_t> type;
    std::optional<std::string_view> name;
  };

  const auto& c = GENERATE(values<Case>({{0x6969, "NFS"},
                                         {0xFE534D42, "SMB"},
                                         {0xFF534D42, "CIFS"},
                                         {0x65735546, "FUSE"},
                                         {0x01021997, "9p"},
                                         {0xEF53, std::nullopt},      // ext4
                                         {0x58465342, std::nullopt},  // xfs
                                         {std::nullopt, std::nullopt}}));
  const auto type = [&](const std::filesystem::path&) { return c.type; };
  CHECK(network_file_system("/somewhere", type) == c.name);
  const auto error = thrown_error([&] { refuse_network_file_system("/somewhere", type); });
  CHECK(error.has_value() == c.name.has_value());
  if (error) {
    CHECK(error->code() == ErrorCode::storage);
    CHECK_THAT(error->message(), ContainsSubstring("/somewhere"));
    CHECK_THAT(error->hint(), ContainsSubstring("BATCHLLM_STATE_DIR"));
  }
}

TEST_CASE("the type of a file system is what the system says", "[sql]") {
  CHECK(file_system_type("/proc") == 0x9fa0);
  CHECK(file_system_type("/none/such") == std::nullopt);
}

TEST_CASE("the reserve takes its room at once and gives it back once", "[sql]") {
  const ScratchFolder folder;
  ReserveFile reserve(folder.path("reserve"), 1 << 20);
  REQUIRE(reserve.make());

  struct stat about {};

  REQUIRE(stat(folder.path("reserve").c_str(), &about) == 0);
  CHECK(about.st_blocks * 512 >= 1 << 20);
  CHECK(reserve.make());
  CHECK(reserve.drop());
  CHECK_FALSE(std::filesystem::exists(folder.path("reserve")));
  CHECK_FALSE(reserve.drop());
}

TEST_CASE("a reserve that finds no room takes none", "[sql]") {
  const ScratchFolder folder;
  ReserveFile reserve(folder.path("reserve"), 1 << 20);
  {
    const FileSizeLimit limit(1000);
    CHECK_FALSE(reserve.make());
  }
  CHECK_FALSE(std::filesystem::exists(folder.path("reserve")));
}

}  // namespace
}  // namespace batchllm::sql

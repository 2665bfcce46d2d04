// SPDX-License-Identifier: Apache-2.0
#include "core/job_directory.h"

#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>

using namespace batchllm;

namespace {

JobRecord record_of(const std::string& id) {
  JobRecord record;
  record.id = id;
  record.created_ms = 5;
  return record;
}

unsigned mode_of(const std::filesystem::path& path) {
  struct stat status {};

  REQUIRE(stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777U;
}

constexpr const char* k_id = "job_20261121_074800_k3fz";

// Another process that has the job until the end of the scope.
class Holder {
 public:
  explicit Holder(const std::string& state_dir) {
    std::array<int, 2> ready{};
    REQUIRE(pipe(ready.data()) == 0);
    REQUIRE(pipe(end_.data()) == 0);
    pid_ = fork();
    if (pid_ == 0) {
      close(end_[1]);
      auto directory = JobDirectory::open(state_dir, k_id);
      directory.lock();
      char byte = '1';
      if (write(ready[1], &byte, 1) != 1 || read(end_[0], &byte, 1) != 0) {
        _exit(1);
      }
      _exit(0);
    }
    char byte = 0;
    close(ready[1]);
    REQUIRE(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
    close(end_[0]);
  }

  ~Holder() { end(); }

  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  void end() {
    if (pid_ > 0) {
      close(end_[1]);
      waitpid(pid_, nullptr, 0);
      pid_ = -1;
    }
  }

  pid_t pid() const { return pid_; }

 private:
  std::array<int, 2> end_{};
  pid_t pid_ = -1;
};

}  // namespace

TEST_CASE("a job's folder and files are private", "[job_directory]") {
  const ScratchFolder folder;
  const mode_t before = umask(0);
  {
    const auto directory = JobDirectory::create(folder.path("state"), record_of(k_id));
    CHECK(mode_of(folder.path("state")) == 0700);
    CHECK(mode_of(folder.path("state/jobs")) == 0700);
    CHECK(mode_of(directory.folder()) == 0700);
    CHECK(mode_of(directory.folder() / "job.json") == 0600);
    CHECK(mode_of(directory.folder() / "lock") == 0600);
  }
  umask(before);
}

TEST_CASE("a record is loaded as it was saved, and saving replaces it whole", "[job_directory]") {
  const ScratchFolder folder;
  const auto directory = JobDirectory::create(folder.path(), record_of(k_id));
  JobRecord record = directory.load();
  CHECK(record.created_ms == 5);
  record.status = JobStatus::succeeded;
  directory.save(record);
  CHECK(JobDirectory::open(folder.path(), k_id).load().status == JobStatus::succeeded);
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory.folder())) {
    CHECK(entry.path().extension() != ".tmp");
    ++files;
  }
  CHECK(files == 2);
}

TEST_CASE("a job that another process has cannot be taken or deleted", "[job_directory]") {
  const ScratchFolder folder;
  { const auto made = JobDirectory::create(folder.path(), record_of(k_id)); }
  Holder holder(folder.path());
  auto directory = JobDirectory::open(folder.path(), k_id);
  CHECK(directory.is_locked());
  const auto error = thrown_error([&] { directory.lock(); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::job_locked);
  CHECK(error->exit_code() == 10);
  CHECK_THAT(error->message(), ContainsSubstring(std::to_string(holder.pid())));
  CHECK(thrown_error([&] { directory.remove(); })->code() == ErrorCode::job_locked);
  CHECK(directory.load().id == k_id);
  holder.end();
  CHECK_FALSE(directory.is_locked());
  directory.lock();
  CHECK(directory.is_locked());
}

TEST_CASE("a removed job is gone", "[job_directory]") {
  const ScratchFolder folder;
  auto directory = JobDirectory::create(folder.path(), record_of(k_id));
  directory.remove();
  CHECK(list_job_ids(folder.path()).empty());
  CHECK(thrown_error([&] { JobDirectory::open(folder.path(), k_id); })->code() ==
        ErrorCode::job_not_found);
}

TEST_CASE("jobs are listed newest first, and nothing else", "[job_directory]") {
  const ScratchFolder folder;
  CHECK(list_job_ids(folder.path("none")).empty());
  for (const char* id :
       {"job_20261120_000000_aaaa", "job_20261121_000000_aaaa", "job_20261119_235959_zzzz"}) {
    JobDirectory::create(folder.path(), record_of(id));
  }
  std::filesystem::create_directory(folder.path("jobs/other"));
  CHECK(list_job_ids(folder.path()) == std::vector<std::string>{"job_20261121_000000_aaaa",
                                                                "job_20261120_000000_aaaa",
                                                                "job_20261119_235959_zzzz"});
}

TEST_CASE("an unknown job is answered with the nearest one, and no path leads out",
          "[job_directory]") {
  const ScratchFolder folder;
  JobDirectory::create(folder.path(), record_of(k_id));
  const auto error =
      thrown_error([&] { JobDirectory::open(folder.path(), "job_20261121_074800_k3fy"); });
  REQUIRE(error);
  CHECK_THAT(error->hint(), ContainsSubstring(k_id));
  for (const char* id : {"", ".", "..", "../jobs", "/etc", "job_20261121_074800_k3f/"}) {
    CAPTURE(id);
    CHECK(thrown_error([&] { JobDirectory::open(folder.path(), id); })->code() ==
          ErrorCode::job_not_found);
  }
}

TEST_CASE("two jobs cannot have one id", "[job_directory]") {
  const ScratchFolder folder;
  JobDirectory::create(folder.path(), record_of(k_id));
  CHECK(thrown_error([&] { JobDirectory::create(folder.path(), record_of(k_id)); })->code() ==
        ErrorCode::storage);
}

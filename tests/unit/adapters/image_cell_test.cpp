// SPDX-License-Identifier: Apache-2.0
#include "adapters/image_cell.h"

#include "tests/support/catch.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace batchllm;

namespace {

namespace fs = std::filesystem;

// A folder that goes with its test.
class ImageFolder {
 public:
  ImageFolder()
      : path_(fs::temp_directory_path() / ("batchllm-images-" + std::to_string(::getpid()))) {
    fs::create_directories(path_);
  }

  ~ImageFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  ImageFolder(const ImageFolder&) = delete;
  ImageFolder& operator=(const ImageFolder&) = delete;

  void write(const std::string& name, std::string_view bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
  }

  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

std::string failure(std::string_view cell, const std::string& folder) {
  const auto result = image_url_of_cell(cell, folder);
  REQUIRE_FALSE(result.has_value());
  return result.error().message;
}

}  // namespace

TEST_CASE("URLs stay as they are and an empty cell is no image", "[image]") {
  const std::string_view cell = GENERATE(as<std::string_view>(),
                                         "https://example.com/a.png?x=1",
                                         "HTTP://example.com/a",
                                         "data:image/png;base64,AAAA",
                                         "");
  CHECK(image_url_of_cell(cell, "/nowhere").value() == cell);
  CHECK(image_url_of_cell("  ", "/nowhere").value().empty());
}

TEST_CASE("a file becomes a data URL with the type of its content", "[image]") {
  using namespace std::string_view_literals;

  struct Case {
    std::string_view bytes;
    std::string_view url;
  };

  const auto c = GENERATE(values<Case>({
      {"\x89PNG\r\n\x1A\n"sv, "data:image/png;base64,iVBORw0KGgo="},
      {"\xFF\xD8\xFF\xE0"sv, "data:image/jpeg;base64,/9j/4A=="},
      {"GIF89a"sv, "data:image/gif;base64,R0lGODlh"},
      {"RIFF\0\0\0\0WEBPVP8 "sv, "data:image/webp;base64,UklGRgAAAABXRUJQVlA4IA=="},
  }));
  const ImageFolder folder;
  folder.write("ä name.txt", c.bytes);
  CHECK(image_url_of_cell(" ä name.txt", folder.path()).value() == c.url);
  CHECK(image_url_of_cell(folder.path() + "/ä name.txt", "/nowhere").value() == c.url);
}

TEST_CASE("a wrong image fails its row with a reason", "[image]") {
  const ImageFolder folder;
  folder.write("text.png", "not a picture");
  folder.write("empty.png", "");
  folder.write("large.png", "\x89PNG\r\n\x1A\n");
  fs::resize_file(fs::path(folder.path()) / "large.png", k_max_image_bytes + 1);
  fs::create_directory(fs::path(folder.path()) / "inner");
  REQUIRE(::mkfifo((folder.path() + "/pipe").c_str(), 0600) == 0);

  CHECK(failure("none.png", folder.path()) == "image none.png: No such file or directory");
  CHECK(failure("text.png", folder.path()) ==
        "image text.png is not a png, jpeg, gif or webp file");
  CHECK(failure("empty.png", folder.path()) ==
        "image empty.png is not a png, jpeg, gif or webp file");
  CHECK(failure("large.png", folder.path()) == "image large.png has 20.0 MB, the limit is 20.0 MB");
  CHECK(failure("inner", folder.path()) == "image inner is a folder, not a file");
  CHECK(failure("pipe", folder.path()) == "image pipe is a device or pipe, not a file");
  CHECK(failure(std::string_view("a\0b", 3), folder.path()) == "image a b is not a file name");
  CHECK(failure(std::string(10'000, 'x'), folder.path()).size() < 200);
}

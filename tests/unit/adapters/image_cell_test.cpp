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

std::string failure(std::string_view cell,
                    const std::optional<std::string>& folder,
                    const ImageLimits& limits = {}) {
  const auto result = image_url_of_cell(cell, folder, limits);
  REQUIRE_FALSE(result.has_value());
  return result.error().message;
}

}  // namespace

TEST_CASE("URLs stay as they are and an empty cell is no image", "[image]") {
  const std::string_view cell =
      GENERATE(as<std::string_view>(), "https://example.com/a.png?x=1", "HTTP://example.com/a", "");
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

TEST_CASE("a data URL says what its content is, not what it claims", "[image]") {
  CHECK(image_url_of_cell("data:image/jpeg;base64,iVBORw0KGgo=", std::nullopt).value() ==
        "data:image/png;base64,iVBORw0KGgo=");
  CHECK_THAT(failure("data:image/png;base64,bm90IG9uZQ==", "/"),
             ContainsSubstring("is not a png, jpeg, gif or webp"));
  CHECK_THAT(failure("data:image/png;base64,?", "/"), ContainsSubstring("base64"));
  CHECK_THAT(failure("data:image/png,abc", "/"), ContainsSubstring("base64"));
}

TEST_CASE("an image's size is read from its header", "[image]") {
  using namespace std::string_view_literals;
  CHECK(image_size("\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\x03\xE8\0\0\0\x02"sv) ==
        ImageSize{1000, 2});
  CHECK(image_size("GIF89a\x01\x02\x03\0"sv) == ImageSize{513, 3});
  CHECK(image_size("\xFF\xD8\xFF\xE0\0\x04\0\0\xFF\xC2\0\x0B\x08\0\x10\x01\0\x03"sv) ==
        ImageSize{256, 16});
  CHECK(image_size("RIFF\0\0\0\0WEBPVP8X\x0A\0\0\0\0\0\0\0\x0F\0\0\x07\0\0"sv) == ImageSize{16, 8});
  CHECK(image_size("RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9D\x01\x2A\x40\x01\xF0\0"sv) ==
        ImageSize{320, 240});
  for (const std::string_view cut : {"\x89PNG\r\n\x1A\n\0\0"sv,
                                     "GIF89a\x01"sv,
                                     "\xFF\xD8\xFF\xE0\xFF\xFF"sv,
                                     "\xFF\xD8\xFF\xE0\0\x04"sv,
                                     "RIFF\0\0\0\0WEBPVP8X"sv,
                                     "text"sv}) {
    CHECK_FALSE(image_size(cut));
  }
}

TEST_CASE("an image over the provider's limits is told with its own size", "[image]") {
  using namespace std::string_view_literals;
  const ImageFolder folder;
  folder.write("wide.png", "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\x23\x28\0\0\0\x64"sv);
  ImageLimits limits;
  limits.side = 8000;
  CHECK(failure("wide.png", folder.path(), limits) ==
        "image wide.png has 9000 x 100 pixels, the limit is 8000 a side");
  limits.side = 9000;
  CHECK(image_url_of_cell("wide.png", folder.path(), limits).has_value());
  limits.bytes = 10;
  CHECK_THAT(failure("wide.png", folder.path(), limits), ContainsSubstring("the limit is 10"));
  CHECK_THAT(failure("data:;base64,iVBORw0KGgoAAAANSUhEUg==", folder.path(), limits),
             ContainsSubstring("the limit is 10"));
}

TEST_CASE("rows that came from elsewhere name no files", "[image]") {
  CHECK_THAT(failure("/etc/hostname", std::nullopt), ContainsSubstring("cannot name files"));
  CHECK(image_url_of_cell("https://h/a.png", std::nullopt).value() == "https://h/a.png");
}

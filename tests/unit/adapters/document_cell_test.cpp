// SPDX-License-Identifier: Apache-2.0
#include "adapters/document_cell.h"

#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"

#include <filesystem>

using namespace batchllm;
using batchllm::test::ScratchFolder;

namespace {

std::string text_of(std::string_view bytes) {
  const ScratchFolder folder;
  folder.write("a.md", bytes);
  return document_of_cell("a.md", folder.path(), {}).value().text;
}

std::string failure(std::string_view cell,
                    const std::optional<std::string>& folder,
                    const DocumentLimits& limits = {}) {
  const auto result = document_of_cell(cell, folder, limits);
  REQUIRE_FALSE(result.has_value());
  return result.error().message;
}

}  // namespace

TEST_CASE("a text file is its text, whatever mark it begins with", "[document]") {
  using namespace std::string_view_literals;
  CHECK(text_of("größe\n") == "größe\n");
  CHECK(text_of("\xEF\xBB\xBF{}") == "{}");
  CHECK(text_of("\xFF\xFEg\0\xF6\0\x3D\xD8\x00\xDE"sv) == "gö\U0001F600");
  CHECK(text_of("\xFE\xFF\0g\0\xF6"sv) == "gö");
  CHECK(text_of("").empty());
  CHECK(document_of_cell(" ", std::nullopt, {}).value().text.empty());
}

TEST_CASE("what is no text is refused with its reason", "[document]") {
  using namespace std::string_view_literals;
  const ScratchFolder folder;
  folder.write("latin.txt", "gr\xF6\xDF");
  folder.write("zero.txt", "a\0b"sv);
  folder.write("half.txt", "\xFF\xFEg"sv);
  folder.write("lone.txt", "\xFF\xFE\x3D\xD8g\0"sv);
  for (const char* name : {"latin.txt", "zero.txt", "half.txt", "lone.txt"}) {
    CAPTURE(name);
    CHECK_THAT(failure(name, folder.path()), ContainsSubstring("is neither text"));
  }
  folder.write("long.txt", "x");
  std::filesystem::resize_file(folder.path("long.txt"), k_max_document_text + 1);
  CHECK_THAT(failure("long.txt", folder.path()), ContainsSubstring("the limit is 4.0 MB"));
  CHECK_THAT(failure("none.txt", folder.path()), ContainsSubstring("No such file"));
  CHECK_THAT(failure("/etc/hostname", std::nullopt), ContainsSubstring("cannot name files"));
}

TEST_CASE("a PDF is a part of its own for models that take it", "[document]") {
  const ScratchFolder folder;
  folder.write("a.txt", "%PDF-1.7 x");
  DocumentLimits limits;
  limits.model = "ollama/m";
  CHECK(failure("a.txt", folder.path(), limits) ==
        "document a.txt is a PDF, which ollama/m does not take");
  limits.takes_pdf = true;
  const auto document = document_of_cell(folder.path("a.txt"), folder.path(), limits).value();
  REQUIRE(document.part);
  CHECK(*document.part ==
        Attachment{
            Attachment::Kind::document, "data:application/pdf;base64,JVBERi0xLjcgeA==", "a.txt"});
  limits.bytes = 5;
  CHECK_THAT(failure("a.txt", folder.path(), limits), ContainsSubstring("the limit is 5"));
}

// SPDX-License-Identifier: Apache-2.0
#include "adapters/files/file_check.h"

#include "adapters/files/media_type.h"
#include "adapters/input.h"
#include "adapters/input_format.h"
#include "adapters/stream/byte_sink.h"
#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/suite_files.h"
#include "tests/support/thrown_error.h"

#include <fmt/format.h>

using namespace batchllm;
using namespace batchllm::files;
using namespace std::string_literals;

namespace {

const std::string k_csv = "a,b\n1,x\n2,y\n";
const std::string k_json = "[{\"a\":1},{\"a\":2},{\"a\":3}]";
const std::string k_jsonl = "{\"a\":1,\"b\":2}\n{\"a\":3,\"b\":4}\n";

// The file lies under a name that says nothing, as in the content store.
class Upload {
 public:
  explicit Upload(std::string_view bytes) : path_(folder_.write("content", bytes)) {}

  Upload(std::string_view bytes, Compression compression) : path_(folder_.path("content")) {
    const auto sink = open_file_sink(path_, compression);
    sink->write(bytes);
    sink->finish();
  }

  FileFacts check(std::string_view name,
                  std::string_view media_type = {},
                  const FileLimits& limits = {},
                  const InputSettings& settings = {}) const {
    return check_file(path_, name, media_type, limits, settings);
  }

  Error error(std::string_view name,
              std::string_view media_type = {},
              const FileLimits& limits = {},
              const InputSettings& settings = {}) const {
    const auto error = thrown_error([&] { check(name, media_type, limits, settings); });
    REQUIRE(error);
    return *error;
  }

  const ScratchFolder& folder() const { return folder_; }

 private:
  ScratchFolder folder_;
  std::string path_;
};

}  // namespace

TEST_CASE("the format comes from the name, else the media type, else the content", "[file_check]") {
  struct Case {
    std::string bytes;
    std::string name;
    std::string media_type;
    std::string facts;  // name format rows columns
  };

  for (const auto& c : std::vector<Case>{
           {k_csv, "a.csv", "", "a.csv csv 2 a,b"},
           {k_csv, "a.csv", "text/csv; charset=utf-8", "a.csv csv 2 a,b"},
           {k_csv, "a.csv", "application/octet-stream", "a.csv csv 2 a,b"},
           {k_csv, "a.csv", "application/vnd.ms-excel", "a.csv csv 2 a,b"},
           {k_csv, "a.csv", "text/plain", "a.csv csv 2 a,b"},
           {"a\tb\n1\tx\n", "a.tsv", "", "a.tsv tsv 1 a,b"},
           {"a\tb\n1\tx\n", "upload", "text/tab-separated-values", "upload.tsv tsv 1 a,b"},
           {k_json, "a.json", "", "a.json json 3 a"},
           {k_json, "upload", "Application/JSON", "upload.json json 3 a"},
           {k_json, "upload", "application/vnd.api+json", "upload.json json 3 a"},
           {k_jsonl, "a.jsonl", "", "a.jsonl jsonl 2 a,b"},
           {k_jsonl, "upload", "application/x-ndjson", "upload.jsonl jsonl 2 a,b"},
           {k_csv, "upload", "", "upload csv 2 a,b"},
           {k_json, "upload", "", "upload json 3 a"},
           {k_csv, "", "", "input csv 2 a,b"},
           {k_csv, "../x/.secret.csv", "", "secret.csv csv 2 a,b"},
           {k_csv, "wrong.json", "", "wrong.json csv 2 a,b"},
           {k_json, "wrong.csv", "", "wrong.csv json 3 a"},
           {k_csv, "notes.txt", "", "notes.txt text 1 path,name,text"},
           {k_csv, "notes.txt", "text/plain", "notes.txt text 1 path,name,text"},
           {k_csv, "rows.txt", "text/csv", "rows.txt.csv csv 2 a,b"},
           {"# title", "readme", "text/markdown", "readme.txt text 1 path,name,text"},
           {"a,b\n", "only-header.csv", "", "only-header.csv csv 0 a,b"},
       }) {
    CAPTURE(c.name, c.media_type);
    const Upload upload(c.bytes);
    const FileFacts facts = upload.check(c.name, c.media_type);
    CHECK(fmt::format(
              "{} {} {} {}", facts.name, facts.format, facts.rows, fmt::join(facts.columns, ",")) ==
          c.facts);
    CHECK(facts.encoding == "utf-8");
    CHECK(facts.compression == "none");
    CHECK(facts.encoding_setting.empty());
    CHECK(facts.decoded_bytes == c.bytes.size());
    // A run that finds the bytes under that name sees the same.
    const auto run = open_inputs({upload.folder().write("input/" + facts.name, c.bytes)}, {});
    CHECK(run->columns() == facts.columns);
    CHECK(run->describe().at(0).facts.at(0).second == facts.format);
  }
}

TEST_CASE("compressed files are checked by what is in them", "[file_check]") {
  for (const auto& [compression, name] :
       std::vector<std::pair<Compression, std::string>>{{Compression::gzip, "gzip"},
                                                        {Compression::zstd, "zstd"},
                                                        {Compression::xz, "xz"},
                                                        {Compression::bzip2, "bzip2"},
                                                        {Compression::lz4, "lz4"}}) {
    CAPTURE(name);
    const Upload upload(k_csv, compression);
    CHECK(upload.check("a.csv").compression == name);
    CHECK(upload.check("a.csv.gz", "application/gzip").rows == 2);
    CHECK(upload.check("notes.txt").compression == name);
    CHECK(upload.check("a.csv").decoded_bytes == k_csv.size());
  }
}

TEST_CASE("what is unpacked beyond the limit is refused", "[file_check]") {
  const std::string rows = "a\n" + std::string(500'000, '\n') + "1\n";
  FileLimits limits;
  limits.decoded_bytes = rows.size() - 1;
  for (const auto compression : {Compression::gzip, Compression::zstd}) {
    const Upload bomb(rows, compression);
    for (const std::string name : {"a.csv", "a.jsonl", "a.json", "a.txt", "upload"}) {
      CAPTURE(name);
      const Error error = bomb.error(name, "", limits);
      // JSON ends at the first line that is none.
      CHECK((error.code() == ErrorCode::file_too_large || name.find(".json") == 1));
    }
    FileLimits roomy;
    roomy.decoded_bytes = rows.size();
    CHECK(bomb.check("a.csv", "", roomy).decoded_bytes == rows.size());
  }
  // One giant value is bounded by the longest row, whatever the limit.
  const Upload giant("{\"a\":\"" + std::string(20'000'000, 'x') + "\"}", Compression::zstd);
  CHECK(giant.error("a.jsonl").code() == ErrorCode::bad_row);
  FileLimits small;
  small.decoded_bytes = 500'000;
  CHECK(giant.error("a.jsonl", "", small).code() == ErrorCode::file_too_large);
  CHECK(giant.error("a.txt", "", small).code() == ErrorCode::file_too_large);
}

TEST_CASE("a bad row is the error that a run gives, naming the line", "[file_check]") {
  const Upload ragged("a,b\n1,x\n2,y,z\n3,z\n");
  const Error error = ragged.error("rows.csv");
  CHECK(error.code() == ErrorCode::bad_row);
  CHECK(error_kind(error.code()).http_status == 422);
  CHECK_THAT(error.message(), ContainsSubstring("rows.csv:3: row 2: "));
  CHECK(error.details().at(1) == std::pair<std::string, std::string>("line", "3"));

  FileLimits counting;
  counting.on_bad_row = BadRowPolicy::reject;
  CHECK(ragged.check("rows.csv", "", counting).rows == 2);
  CHECK(ragged.check("rows.csv", "", counting).bad_rows == 1);

  CHECK_THAT(Upload(k_jsonl + "{\"a\":\n").error("x.jsonl").message(),
             ContainsSubstring("x.jsonl:3"));
  CHECK_THAT(Upload("a\ncaf\xE9\n").error("x.csv").message(), ContainsSubstring("x.csv:2"));
  CHECK_THAT(Upload("caf\xE9").error("x.txt").message(), ContainsSubstring("x.txt:1"));
}

TEST_CASE("messages never show where the content lies", "[file_check]") {
  for (const std::string& bytes : {""s,
                                   "a\n\xE9\n"s,
                                   "[{\"a\":1},"s,
                                   "\x1F\x8B\x08\x00 damaged gzip"s,
                                   "\x28\xB5\x2F\xFD damaged zstd"s}) {
    for (const std::string name : {"x.csv", "x.json", "x.jsonl", "x.txt"}) {
      const Upload upload(bytes);
      const auto error = thrown_error([&] { upload.check(name); });
      CAPTURE(bytes, name);
      if (error) {
        CHECK_THAT(error->message(), ContainsSubstring(name));
        CHECK(error->message().find(upload.folder().path()) == std::string::npos);
        CHECK(error->hint().find(upload.folder().path()) == std::string::npos);
      } else {
        // Any characters are a text.
        CHECK((bytes.empty() || name == "x.txt"));
      }
    }
  }
}

TEST_CASE("types that are no input are refused", "[file_check]") {
  const Upload csv(k_csv);
  for (const std::string type : {"image/png",
                                 "application/pdf",
                                 "application/zip",
                                 "video/mp4",
                                 "audio/mpeg",
                                 "font/woff2",
                                 "application/x-parquet",
                                 "nonsense"}) {
    CAPTURE(type);
    const auto early = thrown_error([&] { check_media_type(type, {}); });
    REQUIRE(early);
    CHECK(early->code() == ErrorCode::file_type_refused);
    CHECK(csv.error("a.csv", type).code() == ErrorCode::file_type_refused);
  }
  CHECK(error_kind(ErrorCode::file_type_refused).http_status == 415);
  check_media_type("", {});
  check_media_type("TEXT/CSV ; charset=\"UTF-8\"", {});
  check_media_type("application/octet-stream", {});

  // What is no text, under a name that promises none.
  CHECK(Upload("\x89PNG\r\n\x1A\n\0\0\0\rIHDR"s).error("a.png").code() ==
        ErrorCode::file_type_refused);
  CHECK(Upload("%PDF-1.7\n").error("a.pdf").code() == ErrorCode::file_type_refused);
  CHECK(Upload("PK\x03\x04\x14\0\x06\0"s).error("a.xlsx").code() == ErrorCode::file_type_refused);
  const Upload packed("ustar\0\0\0"s, Compression::gzip);
  CHECK(packed.error("a.tar.gz").code() == ErrorCode::file_type_refused);
}

TEST_CASE("only the allowed formats are taken", "[file_check]") {
  FileLimits only_jsonl;
  only_jsonl.formats = {InputFormat::jsonl};
  CHECK(Upload(k_jsonl).check("a.jsonl", "", only_jsonl).rows == 2);
  CHECK(Upload(k_csv).error("a.csv", "", only_jsonl).code() == ErrorCode::file_type_refused);
  CHECK(Upload(k_csv).error("a.jsonl", "", only_jsonl).code() == ErrorCode::file_type_refused);
  CHECK(thrown_error([&] { check_media_type("text/csv", only_jsonl); }));
  CHECK_FALSE(thrown_error([&] { check_media_type("application/x-ndjson", only_jsonl); }));
}

TEST_CASE("an encoding that a run cannot find itself is noted", "[file_check]") {
  const Upload latin("a\ncaf\xE9\n");
  const FileFacts facts = latin.check("a.csv", "text/csv; charset=ISO-8859-1");
  CHECK(facts.encoding == "iso-8859-1");
  CHECK(facts.encoding_setting == "iso-8859-1");
  InputSettings settings;
  settings.encoding = "windows-1252";
  CHECK(latin.check("a.csv", "", {}, settings).encoding_setting == "windows-1252");
  CHECK(latin.error("a.csv", "text/csv; charset=klingon").code() == ErrorCode::usage);

  const Upload utf16(
      "\xFF\xFE"
      "a\0\n\0"
      "1\0\n\0"s);
  CHECK(utf16.check("a.csv").encoding == "utf-16le");
  CHECK(utf16.check("a").rows == 1);
  CHECK(utf16.check("a.csv").encoding_setting.empty());
}

TEST_CASE("a check of files that others made agrees with reading them", "[file_check]") {
  std::size_t checked = 0;
  auto paths = files_below(suites_folder() / "csv-spectrum-npm");
  const auto odd = files_below(suites_folder() / "duckdb-csv");
  paths.insert(paths.end(), odd.begin(), odd.end());
  for (const auto& path : paths) {
    const InputFormat by_name = format_by_name(path.string());
    if (by_name == InputFormat::automatic || by_name == InputFormat::text) {
      continue;
    }
    CAPTURE(path);
    FileLimits counting;
    counting.on_bad_row = BadRowPolicy::reject;
    std::optional<std::uint64_t> rows;
    const auto run_error = thrown_error([&] {
      const auto source = open_inputs({path.string()}, {});
      RowBatch batch;
      for (rows = 0; source->next_batch(batch);) {
        *rows += batch.row_count();
      }
    });
    const auto error = thrown_error([&] {
      const FileFacts facts = check_file(path, path.filename().string(), "", counting);
      CHECK(facts.rows == rows);
    });
    REQUIRE(error.has_value() == run_error.has_value());
    CHECK((!error || error->code() == run_error->code()));
    ++checked;
  }
  if (checked == 0) {
    WARN("the suites csv-spectrum and duckdb-csv are not here");
  }
}

// SPDX-License-Identifier: Apache-2.0
#include "adapters/output.h"

#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/support/json_rows.h"
#include "tests/support/memory_byte_sink.h"
#include "tests/support/scratch_folder.h"

using namespace batchllm;

TEST_CASE("an output's kind is read from its name", "[output]") {
  struct Case {
    std::string path;
    OutputFormat format;
    Compression compression;
  };

  for (const auto& c : std::vector<Case>{
           {"a.csv", OutputFormat::csv, Compression::none},
           {"a.TSV", OutputFormat::tsv, Compression::none},
           {"a.json.gz", OutputFormat::json, Compression::gzip},
           {"a.ndjson.zst", OutputFormat::jsonl, Compression::zstd},
           {"-", OutputFormat::jsonl, Compression::none},
           {"a.out.xz", OutputFormat::jsonl, Compression::xz},
       }) {
    CAPTURE(c.path);
    const OutputKind kind = output_kind(c.path, OutputFormat::automatic, OutputFormat::jsonl);
    CHECK(kind.format == c.format);
    CHECK(kind.compression == c.compression);
  }
  CHECK(output_kind("a.csv", OutputFormat::json, OutputFormat::csv).format == OutputFormat::json);
  CHECK_THROWS_AS(output_kind("a.parquet", OutputFormat::automatic, OutputFormat::csv), Error);
}

TEST_CASE("JSON rows go into CSV with their values as text", "[output]") {
  std::string written;
  RowSinkOptions options;
  options.format = OutputFormat::csv;
  const auto sink = make_row_sink(std::make_unique<MemoryByteSink>(written), options);
  const auto source = json_source("{\"a\":1.0,\"b\":{\"x\":[1,2]},\"c\":null}\n");
  sink->begin(source->columns(), {"output"});
  RowBatch batch;
  REQUIRE(source->next_batch(batch));
  sink->write(batch, 0, std::vector<NewCell>{{"fine"}});
  sink->finish();
  CHECK(written == "a,b,c,output\n1.0,\"{\"\"x\"\":[1,2]}\",,fine\n");
}

TEST_CASE("a compressed output holds whole rows", "[output]") {
  const ScratchFolder folder;
  RowSinkOptions options;
  options.format = OutputFormat::jsonl;
  const auto sink = open_output(folder.path("out.jsonl.gz"), Compression::gzip, options);
  sink->begin({}, {"n"});
  RowBatch batch;
  batch.places.resize(1);
  sink->write(batch, 0, std::vector<NewCell>{{"1", CellKind::json}});
  sink->finish();
  const auto stream = open_byte_stream(folder.path("out.jsonl.gz"), "");
  std::string text(100, '\0');
  text.resize(stream->read(text.data(), text.size()));
  CHECK(text == "{\"n\":1}\n");
}

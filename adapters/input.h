// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/stream/byte_stream.h"
#include "core/input_settings.h"
#include "core/row_source.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace batchllm {

// What was found out about one input, in the order in which a person wants to read it:
// {"format","csv"}, {"delimiter",","}, {"quote","\""}, {"header","yes"}, {"encoding","utf-8"}, ….
struct InputDescription {
  std::string path;
  std::vector<std::pair<std::string, std::string>> facts;
  std::vector<std::string> warnings;  // renamed columns and the like
};

// A source together with what a person may want to know about its files.
class InputSource : public RowSource {
 public:
  virtual std::vector<InputDescription> describe() const = 0;

  // For input number `input`; nullopt when it was not read from its start, or no digest is kept.
  virtual std::optional<PrefixDigest> prefix_digest(std::size_t input) const = 0;

  // Rows so far with fewer fields than the header (filled up with empty cells).
  virtual std::uint64_t padded_rows() const = 0;
};

// Files behind what the user typed; files and "-" stay as they are. A folder becomes the files in
// it and in its subfolders, sorted bytewise: those of the given format, or with `automatic` its
// text files (when it has none, its CSV and JSON files). Hidden files and folders are left out,
// links to folders are not followed. A pattern (`*?[`) that no shell has expanded becomes the files
// that match. Throws Error(input_missing) naming what matched nothing.
std::vector<std::string> expand_inputs(const std::vector<std::string>& arguments,
                                       const InputSettings& settings);

// Opens the inputs as one source: all of one kind, read in the order given, rows numbered through.
// Columns of CSV files must be the same set (order may differ); those of JSON files are put
// together.
//
// The format is InputSettings::format; else what the content and the extension say, where a content
// that is clearly something else wins. Several files that have no data format's extension are text
// files. Throws Error(input_missing | input_unreadable | input_malformed | usage).
//
// `seek` may go back where the input can be opened again, which a pipe cannot.
std::unique_ptr<InputSource> open_inputs(const std::vector<std::string>& paths,
                                         const InputSettings& settings,
                                         OpenStream open = {});

}  // namespace batchllm

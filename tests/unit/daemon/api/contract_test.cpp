// SPDX-License-Identifier: Apache-2.0
// The document against the tables of the program: what both say must be the same.
#include "daemon/api/contract.h"

#include "core/config_keys.h"
#include "core/error.h"
#include "core/job_id.h"
#include "core/outcome.h"
#include "core/request_options.h"
#include "tests/support/catch.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

using namespace batchllm;

namespace {

using Names = std::set<std::string, std::less<>>;

class Document {
 public:
  Document() : root_(parser_.parse(simdjson::padded_string(daemon::openapi_document()))) {}

  simdjson::dom::element schema(std::string_view name) const {
    return root_["components"]["schemas"][name];
  }

  Names choices(std::string_view schema_name) const { return strings(schema(schema_name)["enum"]); }

  static Names strings(simdjson::dom::array array) {
    Names names;
    for (const std::string_view name : array) {
      names.emplace(name);
    }
    return names;
  }

 private:
  simdjson::dom::parser parser_;
  simdjson::dom::element root_;
};

// Options of `run` that a request may say; acts such as --dry-run make no sense in a queue, and
// files with prompts and keys are the caller's.
template <typename Visit>
void for_each_setting(const Visit& visit) {
  for (const OptionKey& option : option_table()) {
    if (is_request_option(option)) {
      visit(option);
    }
  }
}

}  // namespace

TEST_CASE("the document that is served is the file of share", "[contract]") {
  std::ifstream file(BATCHLLM_SHARE "/openapi.json", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  REQUIRE(!bytes.empty());
  CHECK(daemon::openapi_document() == bytes);
}

TEST_CASE("RunOptions has the settings of run, no more and no fewer", "[contract]") {
  const Document document;
  Names documented;
  for (const auto& [name, schema] : document.schema("RunOptions")["properties"].get_object()) {
    documented.emplace(name);
  }
  Names known;
  for_each_setting([&](const OptionKey& option) { known.emplace(name_of(option)); });
  CHECK(documented == known);
}

TEST_CASE("RunOptions allows the choices, the ranges and the defaults of run", "[contract]") {
  const Document document;
  const simdjson::dom::object options = document.schema("RunOptions")["properties"];
  for_each_setting([&](const OptionKey& option) {
    CAPTURE(option.key);
    const simdjson::dom::object schema = options[name_of(option)];
    if (option.kind == ValueKind::choice) {
      std::string choices;
      for (const std::string_view choice : schema["enum"]) {
        choices += (choices.empty() ? "" : "|") + std::string(choice);
      }
      // Vectors are made by `embed`, which the daemon does not do.
      const bool has_vectors = option.key == "run.output_format";
      CHECK(choices + (has_vectors ? "|npy" : "") == option.choices);
    }
    if (option.kind == ValueKind::count || option.kind == ValueKind::number) {
      CHECK(double(schema["minimum"]) == option.least);
      CHECK(double(schema["maximum"]) == option.most);
    }
    simdjson::dom::element fallback;
    if (schema["default"].get(fallback) == simdjson::SUCCESS) {
      const std::string text = fallback.is_string() ? std::string(std::string_view(fallback))
                                                    : simdjson::minify(fallback);
      CHECK(text == option.default_text);
    } else {
      CHECK((option.default_text.empty() || option.default_text == "none"));
    }
  });
}

TEST_CASE("every error code of the program is in the document with its status", "[contract]") {
  const Document document;
  const Names documented = document.choices("ErrorCode");
  const std::string text(std::string_view(document.schema("ErrorCode")["description"]));
  for (int i = 0; i < 256; ++i) {
    const ErrorKind& kind = error_kind(static_cast<ErrorCode>(i));
    if (kind.code != static_cast<ErrorCode>(i)) {
      continue;  // no such code
    }
    CAPTURE(kind.name);
    CHECK(documented.count(kind.name) == 1);
    CHECK(text.find(fmt::format("| `{}` | {} |", kind.name, kind.http_status)) !=
          std::string::npos);
  }
}

TEST_CASE("every error code of the document is one of the program", "[contract]") {
  const Document document;
  for (const std::string& name : document.choices("ErrorCode")) {
    CAPTURE(name);
    CHECK(find_error_code(name).has_value());
  }
}

TEST_CASE("every way in which a row fails is in the document", "[contract]") {
  const Document document;
  Names known;
  for (int i = 1; i <= static_cast<int>(RowFailure::in_doubt); ++i) {
    known.emplace(failure_name(static_cast<RowFailure>(i)));
  }
  CHECK(document.choices("RowFailure") == known);
}

TEST_CASE("ids of jobs fit the pattern of the document", "[contract]") {
  const Document document;
  const std::regex pattern(std::string(std::string_view(document.schema("JobId")["pattern"])));
  CHECK(std::regex_match(make_job_id(1'795'247'280'000, 0x1234'5678U), pattern));
  CHECK(!std::regex_match("job_20261121_074800_K3fz", pattern));
}

// SPDX-License-Identifier: Apache-2.0
#include "adapters/csv/csv_dialect.h"

#include "adapters/csv/csv_splitter.h"
#include "core/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>

namespace batchllm {
namespace {

constexpr std::array k_delimiters = {',', '\t', ';', '|'};
constexpr std::size_t k_sample_rows = 1000;

void check_setting(char byte, std::string_view what) {
  if (byte == '\n' || byte == '\r' || static_cast<unsigned char>(byte) >= 0x80) {
    throw Error(ErrorCode::usage,
                fmt::format("the {} must be one ASCII character other than a line break", what),
                "give a single character, for example --delimiter ';'");
  }
}

// The sample cut into records with one dialect. What ends with the sample, not with a line, is left
// out: it may be half a record.
class Trial {
 public:
  Trial(std::string_view sample, bool whole_input, const CsvDialect& dialect)
      : sample_(sample),
        dialect_(dialect),
        splitter_(dialect) {
    splitter_.scan(sample.data(), sample.size());
    // A single cut off record says more than nothing.
    if (whole_input || splitter_.records().empty()) {
      splitter_.finish();
    }
  }

  template <typename Visitor>
  void for_each_record(Visitor visit) const {
    std::size_t seen = 0;
    for (const auto& record : splitter_.records()) {
      if (record.begin == record.end) {
        continue;
      }
      visit(record);
      if (++seen == k_sample_rows) {
        return;
      }
    }
  }

  template <typename Visitor>
  void for_each_field(Visitor visit) const {
    for_each_record([this, &visit](const CsvRecord& record) {
      for (std::size_t i = 0; i < record.fields; ++i) {
        visit(field(record, i));
      }
    });
  }

  std::string_view field(const CsvRecord& record, std::size_t i) const {
    return splitter_.raw_field(sample_.data(), record, i);
  }

  const CsvDialect& dialect() const { return dialect_; }

 private:
  std::string_view sample_;
  CsvDialect dialect_;
  CsvSplitter splitter_;
};

bool is_wrapped(std::string_view field, char quote) {
  return field.size() >= 2 && field.front() == quote && field.back() == quote;
}

// True when `field` holds quotes but is not wrapped in them: a sign of the wrong delimiter.
bool has_stray_quote(std::string_view field, const CsvDialect& dialect) {
  return dialect.has_quote() && field.find(dialect.quote) != std::string_view::npos &&
         !is_wrapped(field, dialect.quote);
}

// How well a delimiter explains the sample: the share of records that have the most frequent number
// of fields, when that is more than one, less half the share of those with stray quotes.
double regularity(const Trial& trial) {
  std::map<std::uint32_t, std::size_t> counts;
  std::size_t records = 0;
  std::size_t strays = 0;
  trial.for_each_record([&](const CsvRecord& record) {
    ++counts[record.fields];
    ++records;
    bool stray = false;
    for (std::size_t i = 0; i < record.fields && !stray; ++i) {
      stray = has_stray_quote(trial.field(record, i), trial.dialect());
    }
    strays += stray ? 1 : 0;
  });
  std::size_t most = 0;
  for (const auto& [fields, count] : counts) {
    if (fields > 1) {
      most = std::max(most, count);
    }
  }
  return records == 0 ? 0
                      : (static_cast<double>(most) - 0.5 * static_cast<double>(strays)) /
                            static_cast<double>(records);
}

char find_delimiter(std::string_view sample, bool whole_input, char quote) {
  char best = k_delimiters.front();
  double best_regularity = 0;
  for (const char delimiter : k_delimiters) {
    if (delimiter == quote) {
      continue;
    }
    const double found = regularity(Trial(sample, whole_input, {delimiter, quote}));
    if (found > best_regularity) {
      best = delimiter;
      best_regularity = found;
    }
  }
  return best;
}

// An apostrophe quotes when every field that begins with one also ends with one, there is more than
// one such field, and nothing is quoted the usual way.
bool quotes_with_apostrophe(const Trial& trial) {
  std::size_t wrapped = 0;
  std::size_t against = 0;
  trial.for_each_field([&](std::string_view field) {
    if (is_wrapped(field, '\'')) {
      ++wrapped;
    } else if (!field.empty() && (field.front() == '\'' || field.front() == '"')) {
      ++against;
    }
  });
  return wrapped > 1 && against == 0;
}

}  // namespace

CsvDialect detect_csv_dialect(std::string_view sample,
                              bool whole_input,
                              const InputSettings& settings,
                              bool tab_separated) {
  CsvDialect dialect;
  dialect.quote = settings.quote.value_or('"');
  check_setting(dialect.quote, "quote");
  if (settings.delimiter) {
    dialect.delimiter = *settings.delimiter;
    check_setting(dialect.delimiter, "delimiter");
  } else if (tab_separated) {
    dialect.delimiter = '\t';
  } else {
    dialect.delimiter = find_delimiter(sample, whole_input, dialect.quote);
  }
  if (!settings.quote) {
    CsvDialect other{dialect.delimiter, '\''};
    if (!settings.delimiter && !tab_separated) {
      other.delimiter = find_delimiter(sample, whole_input, '\'');
    }
    if (other.delimiter != '\'' && quotes_with_apostrophe(Trial(sample, whole_input, other))) {
      dialect = other;
    }
  }
  if (dialect.delimiter == dialect.quote) {
    throw Error(ErrorCode::usage,
                fmt::format("delimiter and quote are both \"{}\"", dialect.quote),
                "choose different characters, or --quote none");
  }
  return dialect;
}

}  // namespace batchllm

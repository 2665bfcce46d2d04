// SPDX-License-Identifier: Apache-2.0
#include "adapters/sql/database_care.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

namespace batchllm::sql {
namespace {

// Names come from the schema, not from a user; quoted all the same.
std::string quoted_name(std::string_view name) {
  std::string text = "\"";
  for (const char letter : name) {
    text.append(letter == '"' ? 2 : 1, letter);
  }
  return text + '"';
}

std::vector<std::string> columns_of(Database& database, std::string_view table) {
  std::vector<std::string> names;
  Statement rows = database.prepare("SELECT name FROM pragma_table_info(?)");
  rows.bind(1, table);
  while (rows.step()) {
    names.push_back(rows.string(0));
  }
  return names;
}

// One table. The rows' own numbers order the scan; where the scan breaks off, it goes on behind the
// damage, and from the other side up to it.
class TableSalvage {
 public:
  TableSalvage(Database& source, Database& target, std::string_view table)
      : source_(source),
        target_(target),
        table_(table) {}

  Salvaged run() {
    Salvaged result{std::string(table_), 0, false};
    try {
      if (!find_columns()) {
        result.is_complete = true;
        return result;
      }
    } catch (const Error&) {
      return result;
    }
    const std::int64_t before = rows_in_target();
    TransactionScope transaction(target_, TransactionScope::Kind::write);
    result.is_complete = (has_row_numbers_ ? scan_by_number() : scan_by_key()) && !has_misfits_;
    transaction.commit();
    result.rows = rows_in_target() - before;
    return result;
  }

 private:
  static constexpr std::int64_t k_first = std::numeric_limits<std::int64_t>::min();
  static constexpr std::int64_t k_last = std::numeric_limits<std::int64_t>::max();

  std::int64_t rows_in_target() {
    return target_.integer("SELECT count(*) FROM " + quoted_name(table_)).value_or(0);
  }

  // False: one of the two does not have the table.
  bool find_columns() {
    const auto theirs = columns_of(source_, table_);
    for (const std::string& name : columns_of(target_, table_)) {
      if (std::find(theirs.begin(), theirs.end(), name) != theirs.end()) {
        columns_ += (columns_.empty() ? "" : ", ") + quoted_name(name);
        ++column_count_;
      }
    }
    const auto definition =
        source_.string("SELECT sql FROM sqlite_schema WHERE type='table' AND name=?", table_);
    has_row_numbers_ = definition.value_or("").find("WITHOUT ROWID") == std::string::npos;
    std::string marks;
    for (int column = 0; column < column_count_; ++column) {
      marks += column == 0 ? "?" : ", ?";
    }
    insert_ = fmt::format(
        "INSERT OR IGNORE INTO {} ({}) VALUES ({})", quoted_name(table_), columns_, marks);
    return column_count_ > 0;
  }

  // The rows that `sql` yields from `source_`; nullopt when it cannot even be begun.
  std::optional<Statement> begin(const std::string& sql) {
    try {
      return source_.prepare(sql);
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  static bool has_row(Statement& rows, bool& is_readable) {
    try {
      return rows.step();
    } catch (const Error&) {
      is_readable = false;
      return false;
    }
  }

  // Copies what `rows` yields; the table's values begin at column `first`. `number`, when given,
  // becomes what column 0 said last. Rows that do not fit the schema are left out. False: it broke
  // off.
  bool copy(Statement& rows, int first, std::int64_t* number) {
    bool is_whole = true;
    while (has_row(rows, is_whole)) {
      if (number != nullptr) {
        *number = rows.integer(0);
      }
      try {
        Statement insert = target_.prepare(insert_);
        for (int column = 0; column < column_count_; ++column) {
          insert.bind_column(column + 1, rows, first + column);
        }
        insert.run();
      } catch (const ConstraintError&) {
        has_misfits_ = true;
      }
    }
    return is_whole;
  }

  bool copy_from(std::string_view condition, std::int64_t bound, std::int64_t& number) {
    auto rows = begin(fmt::format(
        "SELECT rowid, {} FROM {} NOT INDEXED WHERE {}", columns_, quoted_name(table_), condition));
    return rows && copy(rows->bind(1, bound), 1, &number);
  }

  bool scan_by_number() {
    std::int64_t last = k_first;
    if (copy_from("rowid >= ? ORDER BY rowid", k_first, last)) {
      return true;
    }
    std::int64_t from_end = k_last;
    copy_from("rowid <= ? ORDER BY rowid DESC", k_last, from_end);
    // Between the two ends there may be islands of good pages: step over the damage, twice as far
    // each time nothing is found.
    last = std::max<std::int64_t>(last, 0);
    for (std::int64_t step = 1; last < from_end && step < from_end - last;) {
      const std::int64_t probe = last + step;
      std::int64_t reached = probe - 1;
      if (copy_from("rowid >= ? ORDER BY rowid", probe, reached)) {
        break;
      }
      if (reached >= probe) {
        std::int64_t back = reached;
        copy_from("rowid < ? ORDER BY rowid DESC", probe, back);
        last = reached;
        step = 1;
      } else {
        step = step > (from_end - last) / 2 ? from_end - last : step * 2;
      }
    }
    return false;
  }

  bool scan_by_key() {
    if (copy_in_order("")) {
      return true;
    }
    // The key backwards, from the other end up to the damage.
    std::string key;
    Statement names =
        source_.prepare("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk");
    names.bind(1, table_);
    while (names.step()) {
      key += (key.empty() ? "" : ", ") + quoted_name(names.text(0)) + " DESC";
    }
    copy_in_order(" ORDER BY " + key);
    return false;
  }

  bool copy_in_order(const std::string& order) {
    auto rows =
        begin(fmt::format("SELECT {} FROM {} NOT INDEXED{}", columns_, quoted_name(table_), order));
    return rows && copy(*rows, 0, nullptr);
  }

  Database& source_;
  Database& target_;
  std::string_view table_;
  std::string columns_;
  int column_count_ = 0;
  bool has_row_numbers_ = true;
  bool has_misfits_ = false;
  std::string insert_;
};

// For each reference of `table` to others, the statement that deletes the rows whose reference
// leads nowhere.
std::vector<std::string> orphan_deletions(Database& target, std::string_view table) {
  struct Reference {
    std::string parent;
    std::string is_set;
    std::string matches;
  };

  std::map<std::int64_t, Reference> references;
  Statement rows = target.prepare(
      "SELECT id, \"table\", \"from\", coalesce(\"to\", (SELECT name FROM "
      "pragma_table_info(f.\"table\") "
      "WHERE pk = f.seq + 1)) FROM pragma_foreign_key_list(?) AS f ORDER BY id, seq");
  rows.bind(1, table);
  while (rows.step()) {
    Reference& reference = references[rows.integer(0)];
    const char* joint = reference.parent.empty() ? "" : " AND ";
    reference.parent = quoted_name(rows.text(1));
    const std::string child = fmt::format("{}.{}", quoted_name(table), quoted_name(rows.text(2)));
    reference.is_set += fmt::format("{}{} IS NOT NULL", joint, child);
    reference.matches += fmt::format("{}parent.{} = {}", joint, quoted_name(rows.text(3)), child);
  }
  std::vector<std::string> deletions;
  for (const auto& [id, reference] : references) {
    deletions.push_back(
        fmt::format("DELETE FROM {} WHERE {} AND NOT EXISTS (SELECT 1 FROM {} AS parent WHERE {})",
                    quoted_name(table),
                    reference.is_set,
                    reference.parent,
                    reference.matches));
  }
  return deletions;
}

// Until every reference leads somewhere: deleting may make new orphans.
void delete_orphans(Database& target, std::span<const std::string_view> tables) {
  std::int64_t deleted = 1;
  while (deleted > 0) {
    deleted = 0;
    TransactionScope transaction(target, TransactionScope::Kind::write);
    for (const std::string_view table : tables) {
      for (const std::string& deletion : orphan_deletions(target, table)) {
        deleted += target.run(deletion);
      }
    }
    transaction.commit();
  }
}

}  // namespace

std::vector<Salvaged> salvage(const std::filesystem::path& source,
                              Database& target,
                              std::span<const std::string_view> tables) {
  std::vector<Salvaged> results;
  std::optional<Database> damaged;
  try {
    damaged.emplace(Database::open(source, Access::read_only, target.options()));
    damaged->integer("SELECT count(*) FROM sqlite_schema");
  } catch (const Error&) {
    damaged.reset();
  }
  target.execute("PRAGMA foreign_keys=OFF");
  for (const std::string_view table : tables) {
    results.push_back(damaged ? TableSalvage(*damaged, target, table).run()
                              : Salvaged{std::string(table), 0, false});
  }
  delete_orphans(target, tables);
  target.execute("PRAGMA foreign_keys=ON");
  return results;
}

}  // namespace batchllm::sql

// SPDX-License-Identifier: Apache-2.0
#include "core/config_keys.h"

#include "core/text.h"
#include "tests/support/catch.h"

#include <set>

using namespace batchllm;

namespace {

const OptionKey& option(std::string_view key) {
  const OptionKey* found = find_option(key);
  REQUIRE(found != nullptr);
  return *found;
}

}  // namespace

TEST_CASE("no two options share a key, a variable, or a flag of one command", "[config_keys]") {
  std::set<std::string> keys;
  std::set<std::string> variables;
  std::set<std::string> flags;
  for (const OptionKey& row : option_table()) {
    CAPTURE(row.key);
    CHECK(keys.insert(std::string(row.key)).second);
    if (const std::string name = environment_of(row); !name.empty()) {
      CHECK(variables.insert(name).second);
    }
    for (std::size_t number = 1; number < CommandSet::k_most_commands; ++number) {
      if (row.commands.contains(static_cast<Command>(number))) {
        CHECK(flags.insert(std::to_string(number) + flag_of(row)).second);
        if (row.short_flag != '\0') {
          CHECK(flags.insert(std::to_string(number) + "-" + row.short_flag).second);
        }
      }
    }
  }
}

TEST_CASE("every row of the table is complete", "[config_keys]") {
  for (const OptionKey& row : option_table()) {
    CAPTURE(row.key);
    CHECK_FALSE(row.help.empty());
    CHECK_FALSE(row.group.empty());
    CHECK(row.help.back() != '.');
    CHECK(is_flag(row) == row.placeholder.empty());
    const bool needs_choices = row.kind == ValueKind::choice || row.kind == ValueKind::choices;
    CHECK(needs_choices == !row.choices.empty());
    if (!row.default_text.empty() && !is_repeatable(row) && row.kind != ValueKind::path) {
      CHECK(why_invalid(row, row.default_text) ==
            (row.key == "simulate.latency" ? "" : why_invalid(row, row.default_text)));
      CHECK(why_invalid(row, row.default_text).empty());
    }
  }
}

TEST_CASE("a cloned repository cannot decide where requests go or what they cost",
          "[config_keys]") {
  for (const auto* key : {"run.base_url",
                          "run.key_env",
                          "run.key_file",
                          "run.ca_file",
                          "run.output",
                          "run.max_cost",
                          "run.overwrite",
                          "run.append",
                          "state_dir",
                          "yes",
                          "config",
                          "host",
                          "simulate.host",
                          "simulate.log"}) {
    CAPTURE(key);
    CHECK(option(key).set_by < SetBy::anyone);
  }
  CHECK(option("run.model").set_by == SetBy::anyone);
}

TEST_CASE("flags and variables follow from the key", "[config_keys]") {
  CHECK(flag_of(option("run.max_cost")) == "--max-cost");
  CHECK(environment_of(option("run.max_cost")) == "BATCHLLM_MAX_COST");
  CHECK(environment_of(option("simulate.rpm")) == "BATCHLLM_SIMULATE_RPM");
  CHECK(environment_of(option("state_dir")) == "BATCHLLM_STATE_DIR");
  CHECK(environment_of(option("run.dry_run")).empty());
  CHECK(find_flag(Command::simulate, "rpm")->key == "simulate.rpm");
  CHECK(environment_of(option("host")) == "BATCHLLM_HOST");
  CHECK(find_flag(Command::jobs_list, "host")->key == "host");
  CHECK(find_flag(Command::simulate, "host")->key == "simulate.host");
  CHECK(find_flag(Command::run, "max-cost")->key == "run.max_cost");
  CHECK(find_flag(Command::version, "max-cost") == nullptr);
}

TEST_CASE("values that an option cannot have are told apart", "[config_keys]") {
  struct Case {
    std::string key;
    std::string text;
    std::string why;  // empty: it can
  };

  const auto c = GENERATE(values<Case>({
      {"run.concurrency", "64", ""},
      {"run.concurrency", "0", "must be between 1 and 65536"},
      {"run.concurrency", "65537", "must be between 1 and 65536"},
      {"run.concurrency", "-1", "must be between 1 and 65536"},
      {"run.concurrency", "many", "expected a whole number"},
      {"run.concurrency", "", "expected a whole number"},
      {"run.concurrency", "1.5", "expected a whole number"},
      {"run.concurrency", "64 ", "expected a whole number"},
      {"run.concurrency", "99999999999999999999999", "is too large"},
      {"run.limit", "0", "must be at least 1"},
      {"run.limit", "none", ""},
      {"run.temperature", "0.7", ""},
      {"run.temperature", "hot", "expected a number"},
      {"run.temperature", "nan", "expected a number"},
      {"run.temperature", "-1", "must be between 0 and 10"},
      {"run.max_row_bytes", "16MiB", ""},
      {"run.max_row_bytes", "big", "expected a size, as 512, 64KB or 16MiB"},
      {"run.max_row_bytes", "1", "must be between 64 B and 4.0 GB"},
      {"run.request_timeout", "90s", ""},
      {"run.request_timeout", "soon", "expected a time, as 250ms, 30s, 5m or 2h"},
      {"run.request_timeout", "0", "must be longer than 0"},
      {"run.deadline", "none", ""},
      {"run.max_cost", "5", ""},
      {"run.max_cost", "$0.25", ""},
      {"run.max_cost", "0.0000001", "expected an amount in USD, as 5 or 0.25"},
      {"run.max_cost", "-5", "expected an amount in USD, as 5 or 0.25"},
      {"run.max_cost", "1e3", "expected an amount in USD, as 5 or 0.25"},
      {"run.max_cost", "0", "must be more than 0"},
      {"run.max_failures", "20", ""},
      {"run.max_failures", "2.5%", ""},
      {"run.max_failures", "101%", "expected a share between 0% and 100%"},
      {"run.max_failures", "few", "expected a number of rows, as 20, or a share of them, as 5%"},
      {"run.delimiter", ";", ""},
      {"run.delimiter", "\\t", ""},
      {"run.delimiter", "::", "expected one ASCII character, or \\t"},
      {"run.delimiter", "\n", "expected one ASCII character, or \\t"},
      {"run.order", "completion", ""},
      {"run.order", "completed", "must be input or completion (did you mean completion?)"},
      {"run.in_doubt", "x", "must be retry, skip or fail"},
      {"run.include", "meta", ""},
      {"run.include", "metta", "must be meta or steps (did you mean meta?)"},
      {"run.var", "a=1", ""},
      {"run.var", "a", "expected NAME=VALUE"},
      {"run.var", "=1", "expected NAME=VALUE"},
      {"run.output", "", "expected a file name"},
      {"run.prompt", "\xff", "is not valid UTF-8"},
      {"run.http2", "perhaps", "expected true or false"},
      {"simulate.port", "65536", "must be between 0 and 65535"},
  }));
  CAPTURE(c.key, c.text);
  CHECK(why_invalid(option(c.key), c.text) == c.why);
}

TEST_CASE("money is read without rounding", "[config_keys]") {
  CHECK(parse_usd("5") == 5'000'000);
  CHECK(parse_usd("0.1") == 100'000);
  CHECK(parse_usd(".000001") == 1);
  CHECK(parse_usd("12.") == 12'000'000);
  CHECK(parse_usd("999999999.999999") == 999'999'999'999'999);
  CHECK_FALSE(parse_usd("1000000000").has_value());
  CHECK_FALSE(parse_usd(".").has_value());
  CHECK_FALSE(parse_usd("").has_value());
  CHECK_FALSE(parse_usd("5 USD").has_value());
}

TEST_CASE("lists are split at commas outside quotes", "[config_keys]") {
  using List = std::vector<std::string>;
  CHECK(split_list("a,b") == List{"a", "b"});
  CHECK(split_list(" a , b ") == List{"a", "b"});
  CHECK(split_list("\"a,b\",c") == List{"a,b", "c"});
  CHECK(split_list("\" a \"") == List{" a "});
  CHECK(split_list("First Name,x") == List{"First Name", "x"});
  CHECK(split_list(",,") == List{});
  CHECK(split_list("") == List{});
  CHECK(split_list("say \"hi\"") == List{"say \"hi\""});
}

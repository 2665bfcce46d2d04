// SPDX-License-Identifier: Apache-2.0
// Writes rows of one fixed shape to standard output, the same bytes every time:
//   generate_rows csv|csvplain|jsonl BYTES
// Seven columns of which one is long text; `csv` quotes that one (with commas, doubled quotes and
// line breaks inside), `csvplain` has no quotes at all, `jsonl` nests two of the values.
#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

class Dice {
 public:
  // A number from 0 to `sides` - 1 (xorshift64).
  unsigned roll(unsigned sides) noexcept {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<unsigned>(state_ % sides);
  }

 private:
  std::uint64_t state_ = 0x2545F4914F6CDD1D;
};

constexpr std::array<std::string_view, 30> k_words = {
    "account", "after",  "again",   "always",  "answer", "battery", "because", "broken",
    "café",    "charge", "company", "deliver", "error",  "för",     "invoice", "late",
    "love",    "manual", "never",   "order",   "please", "quality", "refund",  "screen",
    "support", "thanks", "update",  "wait",    "wrong",  "电池"};

enum class Shape { csv, csvplain, jsonl };

void append_words(std::string& out, Dice& dice, unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    out += i == 0 ? "" : " ";
    out += k_words[dice.roll(k_words.size())];
  }
}

// Text in which every fortieth word is followed by a comma, a line break or a word in quotes.
void append_review(std::string& out, Dice& dice, Shape shape) {
  const unsigned words = 10 + dice.roll(60);
  for (unsigned i = 0; i < words; ++i) {
    append_words(out, dice, 1);
    const unsigned extra = shape == Shape::csvplain ? 39 : dice.roll(40);
    if (extra == 0) {
      out += ',';
    } else if (extra == 1) {
      out += shape == Shape::jsonl ? "\\n" : "\n";
    } else if (extra == 2) {
      out += shape == Shape::jsonl ? " \\\"fine\\\"" : " \"\"fine\"\"";
    }
    out += i + 1 < words ? " " : "";
  }
}

void append_row(std::string& out, Dice& dice, Shape shape, std::uint64_t id) {
  const auto created = fmt::format(
      "2026-{:02}-{:02}T08:{:02}:00Z", 1 + dice.roll(12), 1 + dice.roll(28), dice.roll(60));
  const auto score = fmt::format("{}.{:02}", dice.roll(5), dice.roll(100));
  const unsigned category = dice.roll(12);
  std::string title;
  append_words(title, dice, 3 + dice.roll(6));
  const auto url = fmt::format("https://shop.example.com/p/{}", dice.roll(1'000'000));
  if (shape == Shape::jsonl) {
    out += fmt::format(
        R"({{"id":{},"created_at":"{}","category":"group_{}","score":{},"title":"{}","review":")",
        id,
        created,
        category,
        score,
        title);
    append_review(out, dice, shape);
    out += fmt::format(R"(","meta":{{"url":"{}","tags":["a","b","c"]}}}})", url);
  } else {
    const std::string_view quote = shape == Shape::csv ? "\"" : "";
    out += fmt::format("{},{},group_{},{},{},{}", id, created, category, score, title, quote);
    append_review(out, dice, shape);
    out += fmt::format("{},{}", quote, url);
  }
  out += '\n';
}

int generate(Shape shape, std::uint64_t bytes) {
  Dice dice;
  std::uint64_t written = 0;
  std::uint64_t rows = 0;
  std::string out;
  if (shape != Shape::jsonl) {
    out = "id,created_at,category,score,title,review,url\n";
  }
  while (written + out.size() < bytes) {
    append_row(out, dice, shape, ++rows);
    if (out.size() >= (std::size_t{1} << 20)) {
      written += std::fwrite(out.data(), 1, out.size(), stdout);
      out.clear();
    }
  }
  std::fwrite(out.data(), 1, out.size(), stdout);
  fmt::print(stderr, "{} rows\n", rows);
  return std::fflush(stdout) == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view name = argc == 3 ? argv[1] : "";
  const std::uint64_t bytes = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 0;
  if (name == "csv") {
    return generate(Shape::csv, bytes);
  }
  if (name == "csvplain") {
    return generate(Shape::csvplain, bytes);
  }
  if (name == "jsonl") {
    return generate(Shape::jsonl, bytes);
  }
  fmt::print(stderr, "usage: generate_rows csv|csvplain|jsonl BYTES\n");
  return 2;
}

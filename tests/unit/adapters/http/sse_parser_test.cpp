// SPDX-License-Identifier: Apache-2.0
#include "adapters/http/sse_parser.h"

#include "tests/support/catch.h"

#include <vector>

using namespace batchllm;

namespace {

using namespace std::string_literals;
using Fed = SseParser::Fed;

struct Collected {
  std::vector<std::string> events;  // "type|data|last id"
  SseParser parser{[this](const SseEvent& event) {
    events.push_back(event.type + "|" + event.data + "|" + event.last_id);
    return true;
  }};
};

}  // namespace

TEST_CASE("a stream has the events of the standard, wherever it is cut", "[sse]") {
  struct Case {
    std::string stream;
    std::vector<std::string> events;
  };

  const auto& c = GENERATE(values<Case>({
      // Examples of the standard.
      {"data: This is the first message.\n\ndata: This is the second message, it\n"
       "data: has two lines.\n\ndata: This is the third message.\n\n",
       {"message|This is the first message.|",
        "message|This is the second message, it\nhas two lines.|",
        "message|This is the third message.|"}},
      {"event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\n",
       {"add|73857293|", "remove|2153|"}},
      {": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third "
       "event\n\n",
       {"message|first event|1", "message|second event|", "message| third event|"}},
      {"data\n\ndata\ndata\n\ndata:", {"message||", "message|\n|"}},
      {"data:test\n\ndata: test\n\n", {"message|test|", "message|test|"}},
      // Ends of lines.
      {"data: a\r\n\r\ndata: b\r\rdata: c\n\n", {"message|a|", "message|b|", "message|c|"}},
      {"data: a\rdata: b\ndata: c\r\n\n", {"message|a\nb\nc|"}},
      {"\r\n\r\n\n\r: only comments\n\n", {}},
      // A mark at the start is no part of the first field; a second one is.
      {"\xEF\xBB\xBF"
       "data: a\n\n",
       {"message|a|"}},
      {"\xEF\xBB\xBF\xEF\xBB\xBF"
       "data: a\n\n",
       {}},
      {"data: a\n\n\xEF\xBB\xBF"
       "data: b\n\n",
       {"message|a|"}},
      // Ids stay, but for one with NUL.
      {"id: 7\ndata: a\n\ndata: b\n\nid: 8\0x\ndata: c\n\n"s,
       {"message|a|7", "message|b|7", "message|c|7"}},
      {"id: 7\n\ndata: a\n\n", {"message|a|7"}},
      // An event without data is none, and its type goes with it.
      {"event: x\n\ndata: a\n\n", {"message|a|"}},
      // Names are exact; others are ignored.
      {"Data: a\ndata : b\n data: c\nfoo: d\ndata: e:f\n\n", {"message|e:f|"}},
      // What was not finished does not count.
      {"data: a\n\ndata: b\n", {"message|a|"}},
      {"data: b", {}},
  }));
  CAPTURE(c.stream);
  Collected whole;
  CHECK(whole.parser.feed(c.stream) == Fed::more);
  CHECK(whole.events == c.events);
  Collected bytes;
  for (const char byte : c.stream) {
    bytes.parser.feed({&byte, 1});
  }
  CHECK(bytes.events == c.events);
  for (std::size_t cut = 0; cut <= c.stream.size(); ++cut) {
    CAPTURE(cut);
    Collected halves;
    halves.parser.feed(std::string_view(c.stream).substr(0, cut));
    halves.parser.feed(std::string_view(c.stream).substr(cut));
    CHECK(halves.events == c.events);
  }
}

TEST_CASE("the waiting time is taken from digits only", "[sse]") {
  Collected stream;
  CHECK_FALSE(stream.parser.retry().has_value());
  stream.parser.feed("retry: 2000\n");
  CHECK(stream.parser.retry() == Milliseconds(2000));
  stream.parser.feed("retry: 1s\nretry: -5\nretry:\nretry: 99999999999999999999\n");
  CHECK(stream.parser.retry() == Milliseconds(2000));
}

TEST_CASE("after a break the id of an unfinished event is not asked from", "[sse]") {
  Collected stream;
  stream.parser.feed("id: 1\ndata: a\n\nid: 2\nevent: x\ndata: b\n");
  CHECK(stream.parser.last_id() == "1");
  stream.parser.restart();
  stream.parser.feed("\ndata: c\n\n");
  CHECK(stream.events == std::vector<std::string>{"message|a|1", "message|c|1"});
  CHECK(stream.parser.last_id() == "1");
}

TEST_CASE("an event may fill the limit and not pass it", "[sse]") {
  for (const bool over : {false, true}) {
    CAPTURE(over);
    std::size_t events = 0;
    SseParser parser(
        [&events](const SseEvent&) {
          ++events;
          return true;
        },
        100);
    const std::string text(over ? 96 : 95, 'x');
    CHECK(parser.feed("data:" + text + "\n\n") == (over ? Fed::too_large : Fed::more));
    CHECK(parser.feed("data:b\n\n") == (over ? Fed::too_large : Fed::more));
    CHECK(events == (over ? 0 : 2));
  }
  SseParser lines([](const SseEvent&) { return true; }, 100);
  Fed fed = Fed::more;
  for (int i = 0; i < 200; ++i) {
    fed = lines.feed("data:\n");
  }
  CHECK(fed == Fed::too_large);
}

TEST_CASE("a reader that has seen enough gets no more events", "[sse]") {
  int events = 0;
  SseParser parser([&events](const SseEvent&) { return ++events < 2; });
  CHECK(parser.feed("data: 1\n\ndata: 2\n\ndata: 3\n\n") == Fed::stopped);
  CHECK(parser.feed("data: 4\n\n") == Fed::stopped);
  CHECK(events == 2);
}

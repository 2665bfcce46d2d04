// SPDX-License-Identifier: Apache-2.0
#include "daemon/api/docs_page.h"

#include "core/error.h"
#include "daemon/api/contract.h"
#include "tests/support/catch.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <regex>
#include <set>
#include <string>
#include <vector>

using namespace batchllm;

namespace {

const std::string& page() {
  static const std::string html = daemon::docs_page(daemon::openapi_document());
  return html;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::set<std::string> matches(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  std::set<std::string> found;
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at) {
    found.insert((*at)[1]);
  }
  return found;
}

// A document of one operation whose texts are all `text`, a JSON string.
std::string document_with(std::string_view text) {
  return fmt::format(
      R"({{"info": {{"title": {0}, "version": {0}, "summary": {0}, "description": {0}}},
      "servers": [{{"url": {0}, "description": {0}}}], "tags": [{{"name": {0}, "description": {0}}}],
      "paths": {{{0}: {{"get": {{"operationId": {0}, "tags": [{0}], "summary": {0}, "description": {0},
      "parameters": [{{"name": {0}, "in": "query", "description": {0}, "schema": {{"type": "string", "default": {0}}}}}],
      "responses": {{"200": {{"description": {0}, "content": {{"application/json": {{"schema": {{"const": {0}}}}}}}}}}}}}}}}},
      "components": {{"schemas": {{{0}: {{"type": "object", "description": {0}, "properties": {{{0}: {{"type": "string", "enum": [{0}]}}}}}}}}}}}})",
      text);
}

}  // namespace

TEST_CASE("the page shows every operation and every schema of the contract", "[docs]") {
  simdjson::dom::parser parser;
  const simdjson::dom::element document =
      parser.parse(simdjson::padded_string(daemon::openapi_document()));
  for (const auto& [path, item] : document["paths"].get_object()) {
    for (const auto& [method, operation] : simdjson::dom::object(item)) {
      const std::string_view id = operation["operationId"];
      CAPTURE(id);
      CHECK(contains(page(), fmt::format("<section class=\"operation\" id=\"{}\">", id)));
      CHECK(contains(page(), fmt::format("href=\"#{}\"", id)));
    }
  }
  for (const auto& [name, schema] : document["components"]["schemas"].get_object()) {
    CAPTURE(name);
    CHECK(contains(page(), fmt::format("id=\"schema-{}\"", name)));
  }
}

TEST_CASE("every link of the page leads to a place on it", "[docs]") {
  const auto places = matches(page(), " id=\"([^\"]*)\"");
  for (const std::string& link : matches(page(), "href=\"([^\"]*)\"")) {
    CAPTURE(link);
    REQUIRE(link.front() == '#');
    CHECK(places.count(link.substr(1)) == 1);
  }
}

TEST_CASE("the page loads nothing and runs nothing", "[docs]") {
  for (const auto* forbidden :
       {"<script", "<link", "<img", "<iframe", "@import", "url(", " src=", " onclick="}) {
    CAPTURE(forbidden);
    CHECK(!contains(page(), forbidden));
  }
}

TEST_CASE("each element of the page that is opened is closed", "[docs]") {
  const std::set<std::string> alone = {"meta", "br"};
  const std::regex tag("<(/?)([a-z0-9]+)[^>]*>");
  std::vector<std::string> open;
  const auto start = page().find("<body>");
  for (std::sregex_iterator
           at(page().begin() + static_cast<std::ptrdiff_t>(start), page().end(), tag),
       end;
       at != end;
       ++at) {
    const std::string name = (*at)[2];
    if ((*at)[1].length() == 0) {
      if (alone.count(name) == 0) {
        open.push_back(name);
      }
    } else if (name != "html") {
      REQUIRE(!open.empty());
      REQUIRE(open.back() == name);
      open.pop_back();
    }
  }
  CHECK(open.empty());
}

TEST_CASE("a request has its example as a curl command for the socket", "[docs]") {
  CHECK(contains(page(),
                 "curl --unix-socket &quot;$SOCKET&quot; -X POST \\\n"
                 "  -H &#39;Content-Type: application/json&#39; \\\n"
                 "  http://localhost/api/v1/jobs \\\n"
                 "  -d &#39;{"));
  CHECK(contains(page(),
                 "curl --unix-socket &quot;$SOCKET&quot; \\\n"
                 "  http://localhost/api/v1/jobs/job_20261121_074800_k3fz</code>"));
}

TEST_CASE("markup in the document's texts is shown, not obeyed", "[docs]") {
  const std::string html = daemon::docs_page(document_with(R"("<b title='x' id=\"y\">&amp;</b>")"));
  CHECK(!contains(html, "<b title"));
  CHECK(!contains(html, "&amp;</b>\""));
  CHECK(!contains(html, "='x'"));
  CHECK(contains(html, "&lt;b title=&#39;x&#39; id=&quot;y&quot;&gt;&amp;amp;&lt;/b&gt;"));
}

TEST_CASE("code, tables and paragraphs of descriptions become those of HTML", "[docs]") {
  const std::string html = daemon::docs_page(document_with(
      R"("One `a<b` **two**\n\n    code `as` is\n\n| x | y |\n| --- | --- |\n| 1 | `2` |")"));
  CHECK(contains(html, "<p>One <code>a&lt;b</code> <strong>two</strong></p>"));
  CHECK(contains(html, "<pre><code>code `as` is</code></pre>"));
  CHECK(
      contains(html, "<tr><th>x</th><th>y</th></tr>\n<tr><td>1</td><td><code>2</code></td></tr>"));
}

TEST_CASE("what is no document is refused", "[docs]") {
  const auto* text = GENERATE("", "{", "[]", "{\"info\":{}}");
  CAPTURE(text);
  CHECK_THROWS_AS(daemon::docs_page(text), Error);
}

TEST_CASE("a member without a description shows what its schema begins with", "[docs]") {
  const auto place = page().find("<section class=\"schema\" id=\"schema-JobCreate\">");
  REQUIRE(place != std::string::npos);
  CHECK(contains(std::string_view(page()).substr(place),
                 "<dd><p>Words of your own to find jobs by.</p>\n</dd>"));
}

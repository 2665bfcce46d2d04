// SPDX-License-Identifier: Apache-2.0
#include "daemon/api/docs_page.h"

#include "core/error.h"
#include "daemon/api/docs_operation.h"
#include "daemon/api/docs_schema.h"
#include "daemon/api/docs_style.h"
#include "daemon/api/docs_text.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <vector>

namespace batchllm::daemon {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

std::string anchor_of_tag(std::string_view tag) {
  std::string anchor = "tag-";
  for (const char c : tag) {
    anchor += c == ' ' ? '-' : c;
  }
  return escape_html(anchor);
}

std::vector<Operation> operations_of(element document) {
  std::vector<Operation> operations;
  for (const auto& [path, item] : object(document["paths"])) {
    for (const auto& [method, operation] : object(item)) {
      operations.push_back({.method = method, .path = path, .json = operation});
    }
  }
  return operations;
}

bool has_tag(const Operation& operation, std::string_view tag) {
  return std::string_view(operation.json["tags"].at(0)) == tag;
}

std::string contents_html(element document, const std::vector<Operation>& operations) {
  std::string html =
      "<nav aria-label=\"Contents\">\n<ul>\n<li><a href=\"#top\">Overview</a></li>\n";
  for (const element tag : simdjson::dom::array(document["tags"])) {
    const auto name = text_of(tag, "name");
    html +=
        fmt::format("<li><a href=\"#{}\">{}</a>\n<ul>\n", anchor_of_tag(name), escape_html(name));
    for (const Operation& operation : operations) {
      if (has_tag(operation, name)) {
        html += fmt::format("<li><a href=\"#{}\"><span class=\"method {}\">{}</span>{}</a></li>\n",
                            escape_html(text_of(operation.json, "operationId")),
                            escape_html(operation.method),
                            method_label(operation.method),
                            escape_html(text_of(operation.json, "summary")));
      }
    }
    html += "</ul></li>\n";
  }
  html += "<li><a href=\"#schemas\">Schemas</a>\n<ul class=\"names\">\n";
  for (const auto& [name, schema] : object(document["components"]["schemas"])) {
    html += fmt::format("<li><a href=\"#schema-{0}\">{0}</a></li>\n", escape_html(name));
  }
  return html + "</ul></li>\n</ul>\n</nav>\n";
}

std::string overview_html(element document) {
  const element info = document["info"];
  std::string html = fmt::format(
      "<header id=\"top\">\n<h1>{} <span class=\"version\">{}</span></h1>\n<p "
      "class=\"lead\">{}</p>\n{}",
      escape_html(text_of(info, "title")),
      escape_html(text_of(info, "version")),
      markdown_line_html(text_of(info, "summary")),
      markdown_html(text_of(info, "description")));
  html += "<h3>Addresses</h3>\n<dl>\n";
  for (const element server : simdjson::dom::array(document["servers"])) {
    html += fmt::format("<dt><code>{}</code></dt>\n<dd>{}</dd>\n",
                        escape_html(text_of(server, "url")),
                        markdown_html(text_of(server, "description")));
  }
  return html + "</dl>\n</header>\n";
}

std::string body_html(element document, const std::vector<Operation>& operations) {
  std::string html = overview_html(document);
  for (const element tag : simdjson::dom::array(document["tags"])) {
    const auto name = text_of(tag, "name");
    html +=
        fmt::format("<section class=\"tag\" id=\"{}\">\n<h2>{}</h2>\n<p class=\"lead\">{}</p>\n",
                    anchor_of_tag(name),
                    escape_html(name),
                    markdown_line_html(text_of(tag, "description")));
    for (const Operation& operation : operations) {
      if (has_tag(operation, name)) {
        html += operation_html(operation, document);
      }
    }
    html += "</section>\n";
  }
  html += "<section class=\"tag\" id=\"schemas\">\n<h2>Schemas</h2>\n";
  const element schemas = document["components"]["schemas"];
  for (const auto& [name, schema] : object(schemas)) {
    html += schema_html(name, schema, schemas);
  }
  return html + "</section>\n";
}

}  // namespace

std::string docs_page(std::string_view openapi_json) {
  try {
    simdjson::dom::parser parser;
    const element document = parser.parse(simdjson::padded_string(openapi_json));
    const auto operations = operations_of(document);
    return fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n"
        "<style>\n{}</style>\n</head>\n<body>\n{}<main>\n{}</main>\n</body>\n</html>\n",
        escape_html(text_of(document["info"], "title")),
        docs_style(),
        contents_html(document, operations),
        body_html(document, operations));
  } catch (const simdjson::simdjson_error& error) {
    throw Error(ErrorCode::internal, fmt::format("the API's document: {}", error.what()));
  }
}

}  // namespace batchllm::daemon

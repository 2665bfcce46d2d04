// SPDX-License-Identifier: Apache-2.0
#include "daemon/api/docs_operation.h"

#include "daemon/api/docs_example.h"
#include "daemon/api/docs_schema.h"
#include "daemon/api/docs_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace batchllm::daemon {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::string_view k_json = "application/json";

template <typename Value>
bool read(element from, std::string_view name, Value& value) {
  return from[name].get(value) == simdjson::SUCCESS;
}

// What a reference to `components` leads to; the value itself when it is none.
element resolved(element value, element document, std::string_view kind) {
  const auto name = referred_name(value);
  return name.empty() ? value : element(document["components"][kind][name]);
}

// What the page says of one operation.
class OperationPage {
 public:
  OperationPage(const Operation& operation, element document)
      : operation_(operation),
        json_(operation.json),
        document_(document),
        schemas_(document["components"]["schemas"]) {
    simdjson::dom::array list;
    if (read(json_, "parameters", list)) {
      for (const element one : list) {
        parameters_.push_back(resolved(one, document_, "parameters"));
      }
    }
    static_cast<void>(read(json_, "requestBody", body_));
  }

  std::string html() const {
    const std::string id = escape_html(text_of(json_, "operationId"));
    return fmt::format(
        "<section class=\"operation\" id=\"{0}\">\n<div class=\"what\">\n<h3><a "
        "href=\"#{0}\">{1}</a></h3>\n"
        "<p class=\"route\"><span class=\"method {2}\">{3}</span> "
        "<code>{4}</code></p>\n{5}{6}{7}{8}</div>\n"
        "<div class=\"examples\">\n{9}{10}</div>\n</section>\n",
        id,
        escape_html(text_of(json_, "summary")),
        escape_html(operation_.method),
        method_label(operation_.method),
        path_html(),
        markdown_html(text_of(json_, "description")),
        parameters_html(),
        request_body_html(),
        responses_html(),
        request_example_html(),
        answer_example_html());
  }

 private:
  // The path with its parameters marked.
  std::string path_html() const {
    std::string html;
    for (const char c : escape_html(operation_.path)) {
      html += c == '{' ? "<i>{" : std::string(1, c);
      html += c == '}' ? "</i>" : "";
    }
    return html;
  }

  std::string parameters_html() const {
    if (parameters_.empty()) {
      return {};
    }
    std::string html = "<h4>Parameters</h4>\n<dl>\n";
    for (const element parameter : parameters_) {
      bool required = false;
      static_cast<void>(read(parameter, "required", required));
      const element schema = parameter["schema"];
      html += fmt::format(
          "<dt><code>{}</code><span class=\"type\">{}, {}</span>{}</dt>\n<dd>{}{}</dd>\n",
          escape_html(text_of(parameter, "name")),
          escape_html(text_of(parameter, "in")),
          type_html(schema),
          required ? "<span class=\"must\">required</span>" : "",
          markdown_html(text_of(parameter, "description")),
          limits_html(schema));
    }
    return html + "</dl>\n";
  }

  std::string request_body_html() const {
    object content;
    if (!has_body() || !read(body_, "content", content)) {
      return {};
    }
    std::string types;
    for (const auto& [type, media] : content) {
      element schema;
      types += fmt::format("{}<code>{}</code>", types.empty() ? "" : ", ", escape_html(type));
      if (read(media, "schema", schema)) {
        types += " " + type_html(schema);
      }
    }
    std::string html = "<h4>Body</h4>\n" + markdown_html(text_of(body_, "description"));
    html += "<p>" + types + "</p>\n";
    element schema;
    if (body_["content"][k_json]["schema"].get(schema) == simdjson::SUCCESS) {
      html += members_html(resolved(schema, document_, "schemas"), schemas_);
    }
    return html;
  }

  std::string responses_html() const {
    std::string html = "<h4>Answers</h4>\n<ul class=\"answers\">\n";
    for (const auto& [status, one] : object(json_["responses"])) {
      const element response = resolved(one, document_, "responses");
      html += fmt::format("<li class=\"status{}\"><b>{}</b> <span>{}{}{}</span></li>\n",
                          escape_html(status.substr(0, 1)),
                          escape_html(status),
                          markdown_line_html(text_of(response, "description")),
                          answer_types_html(response),
                          headers_html(response));
    }
    return html + "</ul>\n";
  }

  static std::string answer_types_html(element response) {
    object content;
    std::string html;
    if (read(response, "content", content)) {
      for (const auto& [type, media] : content) {
        element schema;
        if (type == "application/problem+json") {
          continue;  // said once, in the overview
        }
        html += fmt::format(" <small><code>{}</code>{}{}</small>",
                            escape_html(type),
                            read(media, "schema", schema) ? " " : "",
                            read(media, "schema", schema) ? type_html(schema) : "");
      }
    }
    return html;
  }

  std::string headers_html(element response) const {
    object headers;
    std::string html;
    if (read(response, "headers", headers)) {
      for (const auto& [name, one] : headers) {
        const element header = resolved(one, document_, "headers");
        html += fmt::format("<br><small><code>{}</code> {}</small>",
                            escape_html(name),
                            markdown_line_html(text_of(header, "description")));
      }
    }
    return html;
  }

  bool has_body() const { return json_["requestBody"].error() == simdjson::SUCCESS; }

  // The path with examples for its parameters.
  std::string example_path() const {
    std::string path(operation_.path);
    for (const element parameter : parameters_) {
      const std::string place = fmt::format("{{{}}}", text_of(parameter, "name"));
      const auto at = path.find(place);
      if (text_of(parameter, "in") == "path" && at != std::string::npos) {
        std::string value = example_of(parameter["schema"], schemas_);
        value.erase(std::remove(value.begin(), value.end(), '"'), value.end());
        path.replace(at, place.size(), value);
      }
    }
    return path;
  }

  std::string request_example_html() const {
    std::string command = "curl --unix-socket \"$SOCKET\"";
    if (operation_.method != "get") {
      command += " -X " + method_label(operation_.method);
    }
    std::string url = "http://localhost" + example_path();
    std::string body;
    element schema;
    if (has_body()) {
      if (body_["content"][k_json]["schema"].get(schema) == simdjson::SUCCESS) {
        command += " \\\n  -H 'Content-Type: application/json'";
        body = " \\\n  -d " + shell_word(pretty_json(example_of(schema, schemas_)));
      } else {
        command += " \\\n  -H 'Content-Type: text/csv'";
        body = " \\\n  -T tickets.csv";
        url += "?name=tickets.csv";
      }
    }
    command += " \\\n  " + url + body;
    return "<h4>Request</h4>\n<pre><code>" + escape_html(command) + "</code></pre>\n";
  }

  // An answer of the first status below 300.
  std::string answer_example_html() const {
    for (const auto& [status, one] : object(json_["responses"])) {
      element media;
      element schema;
      const element response = resolved(one, document_, "responses");
      if (!status.starts_with('2') || response["content"][k_json].get(media) != simdjson::SUCCESS ||
          !read(media, "schema", schema)) {
        continue;
      }
      return fmt::format("<h4>Answer {}</h4>\n<pre><code>{}</code></pre>\n{}",
                         escape_html(status),
                         pretty_json_html(example_of(schema, schemas_)),
                         stream_example_html(response));
    }
    return {};
  }

  static std::string stream_example_html(element response) {
    std::string_view example;
    if (response["content"]["text/event-stream"]["example"].get(example) != simdjson::SUCCESS) {
      return {};
    }
    return "<h4>Answer as a stream</h4>\n<pre><code>" + escape_html(example) + "</code></pre>\n";
  }

  const Operation& operation_;
  element json_;
  element document_;
  element schemas_;
  std::vector<element> parameters_;
  element body_;
};

}  // namespace

std::string method_label(std::string_view method) {
  std::string label;
  for (const char c : method) {
    label += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return escape_html(label);
}

std::string operation_html(const Operation& operation, element document) {
  return OperationPage(operation, document).html();
}

}  // namespace batchllm::daemon

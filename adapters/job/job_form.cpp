// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/job_form.h"

#include "core/answer_fields.h"
#include "core/atomic_file.h"
#include "core/error.h"
#include "core/json_document.h"
#include "core/text.h"

#include <fmt/format.h>

#include <utility>

namespace batchllm {
namespace {

constexpr std::size_t k_largest_schema = std::size_t{1} << 20;

std::string schema_text(const AnswerSettings& settings) {
  if (settings.fields.empty()) {
    return settings.schema;
  }
  try {
    return schema_of_fields(settings.fields);
  } catch (const Error& error) {
    throw Error(ErrorCode::usage, "--fields: " + error.message(), error.hint());
  }
}

}  // namespace

std::shared_ptr<const AnswerForm> make_form(const AnswerSettings& settings) {
  const bool asks_for_form = !settings.schema.empty() || !settings.fields.empty() ||
                             !settings.extract.empty() || settings.strip ||
                             !settings.choices.empty();
  if (!asks_for_form) {
    if (!settings.columns_of_fields.empty()) {
      throw Error(ErrorCode::usage,
                  "--map names columns for fields, and there are none",
                  "say which by --schema or --fields");
    }
    return nullptr;
  }
  AnswerFormSettings form;
  form.schema = schema_text(settings);
  form.extract = settings.extract;
  form.strip = settings.strip;
  form.choices = settings.choices;
  form.renamed_fields = settings.columns_of_fields;
  return std::make_shared<const AnswerForm>(AnswerForm::compile(form));
}

std::optional<std::string> schema_of(const AnswerSettings& settings) {
  const std::string text = schema_text(settings);
  if (text.empty()) {
    return std::nullopt;
  }
  JsonLimits limits;
  limits.bytes = k_largest_schema;
  const auto document = parse_json_document(text, limits);
  return document ? document->to_json() : text;
}

void take_schema(AnswerSettings& settings) {
  const std::string_view given = trim(settings.schema);
  if (given.empty() || given.front() == '{') {
    return;
  }
  try {
    settings.schema = read_file(settings.schema, k_largest_schema);
  } catch (const Error& error) {
    throw Error(ErrorCode::usage,
                fmt::format("--schema: {}", error.message()),
                "give the path of a JSON Schema, or the schema itself: --schema '{…}'");
  }
  if (trim(settings.schema).empty()) {
    throw Error(ErrorCode::usage, "--schema: the file is empty");
  }
}

CheckedAnswer FormCheck::check(std::string_view answer) {
  auto formed = form_->apply(answer);
  if (!formed) {
    return {false, {}, std::move(formed.error().reason), std::move(formed.error().advice)};
  }
  formed_ = std::move(formed->text);
  return {true, formed_, {}, {}};
}

}  // namespace batchllm

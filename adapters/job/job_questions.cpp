// SPDX-License-Identifier: Apache-2.0
// From --prompt, --system and --template to the steps of a job.
#include "adapters/config/template_file.h"
#include "adapters/job/job_encoder.h"
#include "adapters/job/job_form.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace batchllm {
namespace {

constexpr std::size_t k_most_steps = 64;
constexpr std::size_t k_most_compared = 16;

std::vector<MessageText> messages_of(const std::vector<ChatTemplateText::Message>& given) {
  std::vector<MessageText> messages;
  messages.reserve(given.size());
  for (const auto& message : given) {
    messages.push_back({message.role, message.text, message.origin.name});
  }
  return messages;
}

// Those that the model has not yet.
void add_parameters(const std::vector<std::pair<std::string, std::string>>& parameters,
                    ModelSettings& model) {
  for (const auto& [name, json] : parameters) {
    const bool given = std::any_of(model.parameters.begin(),
                                   model.parameters.end(),
                                   [&n = name](const auto& other) { return other.first == n; });
    if (!given) {
      model.parameters.emplace_back(name, json);
    }
  }
}

bool says_form(const AnswerSettings& answer) {
  return !answer.schema.empty() || !answer.fields.empty() || !answer.extract.empty() ||
         answer.strip || !answer.choices.empty();
}

// The job's model with what the step says of it.
ModelSettings model_of(const ChatTemplateText::Step& step, const ModelSettings& job) {
  ModelSettings model = job;
  model.parameters = step.model.parameters;
  add_parameters(job.parameters, model);
  model.model = step.model.model.empty() ? job.model : step.model.model;
  model.effort = step.model.effort.empty() ? job.effort : step.model.effort;
  model.temperature = step.model.temperature ? step.model.temperature : job.temperature;
  model.max_tokens = step.model.max_tokens ? step.model.max_tokens : job.max_tokens;
  return model;
}

std::vector<ChatTemplateText::Step> steps_of_prompts(const PromptSettings& prompt) {
  std::vector<std::string> texts = prompt.later_prompts;
  texts.insert(texts.begin(), prompt.prompt);
  std::vector<ChatTemplateText::Step> steps;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    ChatTemplateText::Step step;
    step.messages.push_back(
        {"user", texts[i], TemplateOrigin{fmt::format("--prompt (step {})", i + 1)}});
    steps.push_back(std::move(step));
  }
  return steps;
}

void name_steps(std::vector<ChatTemplateText::Step>& steps) {
  if (steps.size() > k_most_steps) {
    throw Error(ErrorCode::usage,
                fmt::format("a row has {} steps: {} are the most", steps.size(), k_most_steps));
  }
  std::set<std::string> names;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    std::string& name = steps[i].name;
    if (name.empty()) {
      name = std::to_string(i + 1);
    } else if (!is_step_name(name)) {
      throw Error(ErrorCode::template_invalid,
                  fmt::format("\"{}\" cannot be the name of a step", one_line(name, 60)),
                  "names are made of letters, digits, _ and -, and do not begin with a digit");
    }
    if (!names.insert(name).second) {
      throw Error(ErrorCode::template_invalid,
                  fmt::format("two steps are called {}", one_line(name, 60)),
                  "give one of them another name");
    }
  }
}

[[noreturn]] void refuse_compared_steps() {
  throw Error(
      ErrorCode::usage,
      "--compare asks each model one question, not several steps",
      "compare models with a single --prompt, or run the steps once for each model and see: "
      "batchllm results diff JOB JOB");
}

}  // namespace

std::vector<MessageText> take_template(const ChatTemplateText& text, JobSettings& settings) {
  if (settings.model.model.empty()) {
    settings.model.model = text.model;
  }
  add_parameters(text.parameters, settings.model);
  return messages_of(text.messages);
}

void make_steps(std::vector<ChatTemplateText::Step> steps, JobRecord& record) {
  if (!record.settings.model.compared.empty()) {
    refuse_compared_steps();
  }
  name_steps(steps);
  JobSettings& settings = record.settings;
  const ModelSettings job = settings.model;
  // The options speak of what the row gets in the end.
  const AnswerSettings of_result = settings.answer;
  AnswerSettings& last = steps.back().answer;
  if (says_form(of_result)) {
    last = of_result;
  }
  last.columns_of_fields = of_result.columns_of_fields;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    ChatTemplateText::Step& step = steps[i];
    step.answer.reasks = of_result.reasks;
    try {
      take_schema(step.answer);
    } catch (Error& error) {
      throw std::move(error).with_context(fmt::format("step {}", step.name));
    }
    auto messages = messages_of(step.messages);
    if (!settings.prompt.system.empty()) {
      messages.insert(messages.begin(), {"system", settings.prompt.system, "--system"});
    }
    if (i == 0) {
      record.first_step = step.name;
      record.messages = std::move(messages);
      settings.model = model_of(step, job);
      settings.answer = step.answer;
      settings.answer.gold = of_result.gold;  // a matter of the job, not of a form
    } else {
      record.later_steps.push_back(
          {step.name, step.when, std::move(messages), model_of(step, job), step.answer});
    }
  }
}

void ask_compared_models(JobRecord& record) {
  JobSettings& settings = record.settings;
  const std::vector<std::string>& models = settings.model.compared;
  if (models.empty()) {
    return;
  }
  if (models.size() < 2 || models.size() > k_most_compared) {
    throw Error(
        ErrorCode::usage,
        models.size() < 2
            ? fmt::format("--compare {}: there is nothing to compare it with",
                          printable(models.front()))
            : fmt::format("--compare: {} models, {} are the most", models.size(), k_most_compared),
        "name the models one by one: --compare openai/gpt-4o-mini --compare openai/gpt-4o");
  }
  for (std::size_t i = 0; i < models.size(); ++i) {
    const std::string& model = models[i];
    if (model.empty() || std::count(models.begin(), models.end(), model) > 1) {
      throw Error(ErrorCode::usage,
                  model.empty() ? std::string("--compare: a model without a name")
                                : fmt::format("--compare {}: it is there twice", printable(model)),
                  "name each model once: its answers are in the column of that name");
    }
    if (i == 0) {
      record.first_step = model;
      continue;
    }
    JobStep& step = record.later_steps.emplace_back();
    step.name = model;
    step.messages = record.messages;
    step.model = settings.model;
    step.model.model = model;
    step.answer = settings.answer;
  }
  settings.model.model = models.front();
  record.compares = true;
}

void make_questions(JobRecord& record) {
  JobSettings& settings = record.settings;
  const PromptSettings& prompt = settings.prompt;
  if (!prompt.later_prompts.empty()) {
    if (settings.embedding.is_wanted) {
      throw Error(ErrorCode::usage,
                  "--prompt is there several times: a vector is made of one text",
                  "put several columns into one: --prompt '{title} {text}'");
    }
    make_steps(steps_of_prompts(prompt), record);
    return;
  }
  std::vector<MessageText> messages;
  if (!prompt.template_file.empty()) {
    ChatTemplateText text = read_template_file(prompt.template_file);
    messages = take_template(text, settings);
    if (!text.steps.empty()) {
      make_steps(std::move(text.steps), record);
      return;
    }
  } else if (!prompt.text_column.empty()) {
    messages.push_back({"user", "{" + prompt.text_column + "}", "--column"});
  } else if (!prompt.prompt.empty()) {
    messages.push_back(
        {"user", prompt.prompt, prompt.prompt_file.empty() ? "--prompt" : prompt.prompt_file});
  }
  if (!prompt.system.empty()) {
    messages.insert(messages.begin(), {"system", prompt.system, "--system"});
  }
  record.messages = std::move(messages);
  ask_compared_models(record);
}

}  // namespace batchllm

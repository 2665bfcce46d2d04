// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/job_steps.h"

#include "tests/support/catch.h"
#include "tests/support/memory_row_source.h"
#include "tests/support/thrown_error.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace batchllm;

namespace {

using Models = std::vector<std::string>;

// What a job of these models, one a step, asks. The first one's is reached by options.
class Opened {
 public:
  explicit Opened(const Models& models) {
    record_.settings.model.model = models.front();
    record_.settings.model.base_url = "https://proxy.example/v1";
    record_.settings.model.key_env = "MY_KEY";
    record_.settings.model.http2 = true;
    record_.messages.push_back({"user", "{text}", "--prompt"});
    for (std::size_t i = 1; i < models.size(); ++i) {
      JobStep& step = record_.later_steps.emplace_back();
      step.name = std::to_string(i + 1);
      step.when = i == 1 ? "" : "text == \"x\"";
      step.model.model = models[i];
      step.messages = record_.messages;
    }
    first_ = make_model(record_.settings, surroundings_, true);
    steps_ = JobSteps::open(record_, source_, first_, surroundings_, true);
  }

  const std::vector<JobSteps::Address>& addresses() const { return steps_->addresses(); }

  std::vector<std::size_t> lanes() {
    const StepChain& chain = steps_->start(nullptr, {"text"});
    std::vector<std::size_t> lanes;
    for (std::size_t i = 0; i <= record_.later_steps.size(); ++i) {
      lanes.push_back(chain.at(static_cast<std::uint32_t>(i)).lane);
    }
    return lanes;
  }

  StepChain& chain() { return steps_->start(nullptr, {"text"}); }

 private:
  static std::optional<std::string> variable(const std::string& name) {
    return name == "MY_KEY"              ? std::optional<std::string>("mine")
           : name == "ANTHROPIC_API_KEY" ? std::optional<std::string>("of-anthropic")
           : name == "GEMINI_API_KEY"    ? std::optional<std::string>("of-gemini")
                                         : std::nullopt;
  }

  JobSurroundings surroundings_{ModelCatalog::built_in(), &variable};
  MemoryRowSource source_{{}};
  JobRecord record_;
  JobModel first_;
  std::unique_ptr<JobSteps> steps_;
};

bool has_header_with(const HttpEndpoint& endpoint, std::string_view text) {
  return std::any_of(endpoint.headers.begin(), endpoint.headers.end(), [text](const auto& header) {
    return header.second.find(text) != std::string::npos;
  });
}

}  // namespace

TEST_CASE("steps at one address with one key share a lane", "[job_steps]") {
  Opened job({"openai/gpt-4o-mini", "openai/gpt-4o", "openai/gpt-4o-mini"});
  CHECK(job.addresses().size() == 1);
  CHECK(job.lanes() == std::vector<std::size_t>{0, 0, 0});
}

TEST_CASE("a step at another provider has its own address, key and way to connect", "[job_steps]") {
  Opened job({"openai/gpt-4o-mini",
              "anthropic/claude-sonnet-5",
              "openai/gpt-4o",
              "gemini/gemini-2.5-flash",
              "gemini/gemini-2.5-pro",
              "anthropic/claude-3-5-haiku"});
  CHECK(job.lanes() == std::vector<std::size_t>{0, 1, 0, 2, 3, 1});
  const auto& addresses = job.addresses();
  REQUIRE(addresses.size() == 4);
  CHECK(addresses[0].endpoint.url.starts_with("https://proxy.example/v1"));
  CHECK(has_header_with(addresses[0].endpoint, "mine"));
  CHECK(addresses[0].endpoint.http2);
  CHECK(addresses[0].is_first_provider);
  for (std::size_t i = 1; i < addresses.size(); ++i) {
    CAPTURE(i);
    const HttpEndpoint& endpoint = addresses[i].endpoint;
    CHECK_FALSE(addresses[i].is_first_provider);
    CHECK(endpoint.url.find("proxy.example") == std::string::npos);
    CHECK(has_header_with(endpoint, i == 1 ? "of-anthropic" : "of-gemini"));
    CHECK_FALSE(has_header_with(endpoint, "mine"));
    CHECK_FALSE(endpoint.http2);
  }
  CHECK(job.chain().at(1).endpoint == "https://api.anthropic.com");
  CHECK(job.chain().at(1).provider_name == "Anthropic");
}

TEST_CASE("an address of the first step's provider is reached as that one is", "[job_steps]") {
  Opened job({"gemini/gemini-2.5-flash", "gemini/gemini-2.5-pro"});
  REQUIRE(job.addresses().size() == 2);
  CHECK(job.addresses()[1].is_first_provider);
  CHECK(job.addresses()[1].endpoint.url.starts_with("https://proxy.example/v1"));
  CHECK(has_header_with(job.addresses()[1].endpoint, "mine"));
}

TEST_CASE("rows can do without the addresses of steps that have a condition", "[job_steps]") {
  Opened job({"openai/gpt-4o-mini", "openai/gpt-4o", "anthropic/claude-sonnet-5"});
  CHECK_FALSE(job.chain().can_do_without(0));
  CHECK(job.chain().can_do_without(1));
}

TEST_CASE("the key that a step lacks is told with its name", "[job_steps]") {
  const auto error = thrown_error([] {
    Opened({"openai/gpt-4o-mini", "openai/gpt-4o", "cohere/command-a"});
  });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::key_missing);
  CHECK_THAT(error->message(), Catch::Matchers::StartsWith("step 3: no API key for Cohere"));
}

// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/latency.h"

#include "adapters/simulator/random_draw.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <string>

namespace batchllm::simulator {
namespace {

constexpr double k_longest_ms = 600'000;

[[noreturn]] void refuse(std::string_view text, std::string_view reason) {
  throw Error(ErrorCode::usage,
              fmt::format("--latency {}: {}", one_line(text, 60), reason),
              "write 300ms, uniform:200ms,1500ms, exponential:400ms or lognormal:400ms,0.5");
}

double duration(std::string_view whole, std::string_view text) {
  const std::optional<std::int64_t> ms = parse_duration_ms(trim(text));
  if (!ms) {
    refuse(whole, fmt::format("\"{}\" is not a duration", one_line(text, 30)));
  }
  return std::min(static_cast<double>(*ms), k_longest_ms);
}

}  // namespace

Latency Latency::parse(std::string_view text) {
  Latency latency;
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    latency.kind_ = Kind::fixed;
    latency.first_ms_ = duration(text, text);
    return latency;
  }
  const std::string_view name = text.substr(0, colon);
  const std::vector<std::string> values = split(text.substr(colon + 1), ',');
  const bool takes_two = name == "uniform" || name == "lognormal";
  if (!takes_two && name != "fixed" && name != "exponential") {
    refuse(text, fmt::format("\"{}\" is not a distribution", one_line(name, 30)));
  }
  if (values.size() != (takes_two ? 2U : 1U)) {
    refuse(text, fmt::format("{} takes {}", name, takes_two ? "two values" : "one value"));
  }
  latency.first_ms_ = duration(text, values[0]);
  latency.kind_ = name == "fixed" ? Kind::fixed : Kind::exponential;
  if (name == "uniform") {
    latency.kind_ = Kind::uniform;
    latency.second_ = duration(text, values[1]);
    if (latency.second_ < latency.first_ms_) {
      refuse(text, "the second duration is shorter than the first");
    }
  } else if (name == "lognormal") {
    latency.kind_ = Kind::lognormal;
    const std::optional<double> sigma = parse_number(trim(values[1]));
    if (!sigma || *sigma < 0 || *sigma > 10) {
      refuse(text, "sigma must be a number from 0 to 10");
    }
    latency.second_ = *sigma;
  }
  return latency;
}

std::int64_t Latency::draw_us(std::uint64_t bits) const noexcept {
  const double u = unit_draw(mix(bits, 1));
  double ms = first_ms_;
  switch (kind_) {
    case Kind::none:
      return 0;
    case Kind::fixed:
      break;
    case Kind::uniform:
      ms += (second_ - first_ms_) * u;
      break;
    case Kind::exponential:
      ms *= -std::log(1.0 - u);
      break;
    case Kind::lognormal: {
      const double angle = 2.0 * std::numbers::pi * unit_draw(mix(bits, 2));
      ms *= std::exp(second_ * std::sqrt(-2.0 * std::log(1.0 - u)) * std::cos(angle));
      break;
    }
  }
  return std::llround(std::min(ms, k_longest_ms) * 1000.0);
}

}  // namespace batchllm::simulator

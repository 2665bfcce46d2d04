// SPDX-License-Identifier: Apache-2.0
#include "adapters/providers/gemini_wire.h"

#include "core/text.h"

#include <cctype>
#include <cmath>

namespace batchllm::gemini {
namespace {

namespace ondemand = wire::ondemand;

// A duration as protobuf writes it: "46s", "17.5s".
std::optional<std::int64_t> duration_ms(std::string_view text) {
  constexpr double k_longest_s = 1e9;
  if (!text.ends_with('s')) {
    return std::nullopt;
  }
  const auto seconds = parse_number(text.substr(0, text.size() - 1));
  if (!seconds || *seconds < 0 || *seconds > k_longest_s) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(std::llround(*seconds * 1000));
}

// One of the error's details: RetryInfo, QuotaFailure or ErrorInfo.
void read_detail(ondemand::value value, ErrorReply& reply) {
  (void)wire::for_each_member(value, [&](std::string_view key, ondemand::value member) {
    if (key == "retryDelay") {
      reply.retry_after_ms = duration_ms(wire::string_or_empty(member));
    } else if (key == "reason") {
      reply.error.code = wire::text_of(member);
    } else if (key == "violations") {
      (void)wire::for_each_element(member, [&](ondemand::value violation) {
        (void)wire::for_each_member(violation, [&](std::string_view name, ondemand::value id) {
          if (name == "quotaId" &&
              wire::string_or_empty(id).find("PerDay") != std::string_view::npos) {
            reply.error.code = "PerDay";
          }
        });
      });
    }
  });
}

// "limit: 0" and not "limit: 05" or "limit: 0.5": a quota that this project does not have at all.
bool has_no_quota(std::string_view message) {
  constexpr std::string_view k_words = "limit: 0";
  const auto at = message.find(k_words);
  if (at == std::string_view::npos) {
    return false;
  }
  const std::string_view rest = message.substr(at + k_words.size());
  const bool goes_on =
      !rest.empty() && (std::isdigit(static_cast<unsigned char>(rest.front())) != 0 ||
                        (rest.front() == '.' && rest.size() > 1 &&
                         std::isdigit(static_cast<unsigned char>(rest[1])) != 0));
  return !goes_on;
}

}  // namespace

std::string path_of(std::string_view model) {
  const auto slash = model.find('/');
  return slash == std::string_view::npos ? "models/" + percent_encoded(model)
                                         : percent_encoded(model.substr(0, slash)) + "/" +
                                               percent_encoded(model.substr(slash + 1));
}

void read_error(wire::ondemand::value value, ErrorReply& reply) {
  (void)wire::for_each_member(value, [&](std::string_view key, ondemand::value member) {
    if (key == "message") {
      reply.error.message = wire::text_of(member);
    } else if (key == "status") {
      reply.error.type = wire::text_of(member);
    } else if (key == "details") {
      (void)wire::for_each_element(
          member, [&reply](ondemand::value detail) { read_detail(detail, reply); });
    }
  });
}

std::optional<RowFailure> failure_of(int status, const wire::ErrorBody& error) {
  if (status == 400 && (error.code == "API_KEY_INVALID" || error.type == "FAILED_PRECONDITION")) {
    return RowFailure::auth_refused;
  }
  if (status == 429 && (error.code == "PerDay" || has_no_quota(error.message))) {
    return RowFailure::quota_exhausted;
  }
  return std::nullopt;
}

}  // namespace batchllm::gemini

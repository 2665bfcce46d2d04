// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/simulator.h"

#include "adapters/http/listening_socket.h"
#include "adapters/simulator/http_server.h"
#include "adapters/simulator/simulator_service.h"
#include "adapters/simulator/tls_context.h"
#include "core/error.h"

#include <sys/resource.h>

#include <string>
#include <utility>

namespace batchllm {
namespace {

// Each connection takes a descriptor; the usual soft limit of 1,024 is too low for a load test.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
  }
}

void check(const SimulatorSettings& settings) {
  if (settings.tls_certificate_path.empty() != settings.tls_key_path.empty()) {
    throw Error(ErrorCode::usage,
                "--tls-cert and --tls-key belong together",
                "give both, or none for plain HTTP");
  }
  const auto refuse_zero = [](const std::optional<std::int64_t>& limit, const char* flag) {
    if (limit && *limit < 1) {
      throw Error(
          ErrorCode::usage, std::string(flag) + ": must be 1 or more", "leave it out for no limit");
    }
  };
  refuse_zero(settings.requests_per_minute, "--rpm");
  refuse_zero(settings.tokens_per_minute, "--tpm");
  double share = 0;
  for (const simulator::FaultRule& rule : settings.faults) {
    share += rule.first == UINT32_MAX ? rule.probability : 0;
  }
  if (share > 1.0 + 1e-9) {
    throw Error(ErrorCode::usage,
                "the probabilities of --fault add up to more than 100%",
                "each request meets one fault at most; lower some of them");
  }
}

simulator::TlsContext tls_of(const SimulatorSettings& settings) {
  return settings.tls_certificate_path.empty()
             ? nullptr
             : simulator::make_tls_context(settings.tls_certificate_path, settings.tls_key_path);
}

ListeningSocket listen(const SimulatorSettings& settings) {
  return settings.socket_path.empty() ? ListeningSocket::on_loopback(settings.host, settings.port)
                                      : ListeningSocket::at_path(settings.socket_path);
}

}  // namespace

class Simulator::Server {
 public:
  explicit Server(const SimulatorSettings& settings)
      : service_(settings),
        tls_(tls_of(settings)),
        socket_(listen(settings)),
        http_(socket_.descriptor(), tls_.get(), service_) {
    base_url_ = settings.socket_path.empty()
                    ? (tls_ ? "https://" : "http://") + socket_.name() + "/v1"
                    : "unix:" + socket_.name();
  }

  const std::string& base_url() const noexcept { return base_url_; }

  simulator::HttpServer& http() noexcept { return http_; }

  std::uint64_t request_count() const noexcept { return service_.request_count(); }

 private:
  simulator::SimulatorService service_;
  simulator::TlsContext tls_;
  ListeningSocket socket_;
  simulator::HttpServer http_;
  std::string base_url_;
};

Simulator::Simulator(const SimulatorSettings& settings) {
  check(settings);
  raise_descriptor_limit();
  server_ = std::make_unique<Server>(settings);
}

Simulator::~Simulator() = default;

const std::string& Simulator::base_url() const noexcept {
  return server_->base_url();
}

void Simulator::run() {
  server_->http().run();
}

void Simulator::stop() noexcept {
  server_->http().stop();
}

std::uint64_t Simulator::request_count() const noexcept {
  return server_->request_count();
}

}  // namespace batchllm

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace batchllm::daemon {

// What the API can ask of the service as a whole. Thread-safe.
class ServiceControl {
 public:
  virtual ~ServiceControl() = default;

  // Begins to stop, as SIGTERM does. `patience`: for rows in flight, instead of what is configured.
  virtual void drain(std::optional<std::chrono::milliseconds> patience) = 0;

  // Reads the configuration again, as SIGHUP does; the files that were read. Throws
  // Error(config_invalid): then everything stays as it was.
  virtual std::vector<std::string> reload() = 0;

  // A copy of the database as it is now.
  virtual std::filesystem::path back_up() = 0;

  virtual bool is_draining() const = 0;
  virtual std::size_t connection_count() const = 0;
  virtual std::int64_t started_ms() const = 0;  // wall clock
};

}  // namespace batchllm::daemon

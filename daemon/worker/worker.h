// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace batchllm::daemon {

// The body of a worker process: takes orders from the daemon over the socket `descriptor` and runs
// one job after another (or a transfer) with the engine that `batchllm run` has, until the daemon
// closes the socket. Then a job that runs stops: what is in flight is waited for and kept. Its life
// is told to the daemon by a thread of its own, however busy the engine is. Returns the exit code.
int run_worker(int descriptor, const std::filesystem::path& state_dir);

}  // namespace batchllm::daemon

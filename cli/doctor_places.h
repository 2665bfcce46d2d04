// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/doctor_finding.h"
#include "core/directories.h"

#include <filesystem>
#include <string>

namespace batchllm {

// Folders: whether they can be used, who else can, how much room is there, and whether they lie on
// a file system that locks and syncs as a local one does. `state` is where jobs are.
void examine_folders(const Directories& directories, const std::string& state, Findings& findings);

// Job folders that cannot be read, and how many are in use.
void examine_jobs(const std::string& state, Findings& findings);

// A file that holds a secret is its owner's alone.
void examine_secret_file(const std::string& subject,
                         const std::filesystem::path& file,
                         Findings& findings);

}  // namespace batchllm

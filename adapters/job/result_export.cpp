// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/result_export.h"

#include "adapters/job/job_report.h"

#include <utility>

namespace batchllm {

JobRecord exported_record(JobRecord record, const ExportSettings& settings) {
  record.settings.output.path = settings.path;
  record.output_path.clear();
  record.result_in_folder = false;
  record.settings.output.conflict = OutputConflict::overwrite;
  if (settings.format != OutputFormat::automatic || settings.path != "-") {
    record.settings.output.format = settings.format;
  }
  return record;
}

ResultExport::ResultExport(JobRecord record,
                           std::filesystem::path job_folder,
                           const ExportSettings& settings)
    : record_(exported_record(std::move(record), settings)),
      job_folder_(std::move(job_folder)),
      rows_(settings.rows),
      inputs_(record_, job_folder_.string()),
      plan_(plan_output(record_, *inputs_.open_again({}))) {}

std::uint64_t ResultExport::write() {
  const std::uint64_t rows = write(make_result_settings(record_, plan_, inputs_, {}));
  if (!plan_.part_path.empty()) {
    std::filesystem::rename(plan_.part_path, plan_.path);
  }
  return rows;
}

std::uint64_t ResultExport::write_to(std::unique_ptr<ByteSink> bytes) {
  ResultWriterSettings settings = make_result_settings(record_, plan_, inputs_, {});
  settings.may_restart = false;
  settings.open_sink = [&] {
    return make_row_sink(std::move(bytes), row_sink_options(record_, plan_));
  };
  return write(std::move(settings));
}

std::uint64_t ResultExport::write(ResultWriterSettings settings) const {
  settings.rows = rows_;
  ResultWriter writer(std::move(settings), nullptr, job_folder_, {});
  writer.write_recorded(rows_ != ResultRows::ok && has_failed_rows(job_folder_));
  return writer.rows_written();
}

}  // namespace batchllm

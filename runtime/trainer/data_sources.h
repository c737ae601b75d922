// The data of a job as every rank opens it, and what rank 0 tells of the records that are left out.
#ifndef RM_RUNTIME_TRAINER_DATA_SOURCES_H_
#define RM_RUNTIME_TRAINER_DATA_SOURCES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/file_system.h"
#include "proto/job.pb.h"
#include "proto/scheduler.pb.h"
#include "runtime/data/dataset.h"
#include "runtime/graph/graph.h"

namespace rm::trainer {

struct DataSources {
  data::SampleLayout layout;                  // what the model takes; both sources fit it
  std::unique_ptr<data::Dataset> training;
  std::unique_ptr<data::Dataset> validation;  // null: the job has none
};

// Opens both sources for `model`, which is from model::BuildGraph; a csv validation file is read with the categories and means of
// the training file. InvalidArgument or NotFound for what preflight would have refused: the files may have changed since. Bad records are an error with the code BadRecords where data.on_bad_record is fail, or no other record is left.
[[nodiscard]] absl::StatusOr<DataSources> OpenDataSources(const ringmaster::v1::JobSpec& spec,
                                                          const graph::Graph& model,
                                                          const base::FileSystem& files);

// What people should know of the bad records of each source: a notice BadRecords with their number and the first place;
// none where there are none. With data.on_bad_record: quarantine they are first written to
// <checkpoint_folder>/quarantine/train.jsonl and validation.jsonl, which the notice names; when they cannot be written, the
// notice says so and the training goes on. For rank 0 alone.
[[nodiscard]] std::vector<ringmaster::v1::Reason> ReportBadRecords(
    const DataSources& sources, const ringmaster::v1::DataSpec& spec,
    const std::string& checkpoint_folder, base::FileSystem& files);

// The notice of a step whose batch had no good record at all.
[[nodiscard]] ringmaster::v1::Reason EmptyBatchNotice(int64_t step, int64_t global_batch_size);

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_DATA_SOURCES_H_

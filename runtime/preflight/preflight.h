// Can this job run here? Its data, model, shapes, memory and folders against its spec, before a slot is taken.
//
// A worker runs the checks for the coordinator, because only a worker sees what its ranks will see.
#ifndef RM_RUNTIME_PREFLIGHT_PREFLIGHT_H_
#define RM_RUNTIME_PREFLIGHT_PREFLIGHT_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "base/file_system.h"
#include "proto/job.pb.h"

namespace rm::preflight {

// Every reason why the job cannot run, one sentence each; empty when it can. Where `positions` knows the field, an error
// begins with its place in the job file ("12:5: …"), else with the field's path ("data.train.path: …").
// What is missing on this machine is told with its name `host`, where one is given ("on host h: …"). With
// data.on_bad_record: fail, the first ten bad records of a source are an error each, and their number one more.
// Checked: data readable and whole, records as the schema says, samples and labels fit the model, at least one step, every operator has a kernel, memory within
// resources.memory_per_rank, `checkpoint_folder` (absolute, of this job) can be made and written.
// Leaves nothing behind but the checkpoint folder. Thread-safe.
[[nodiscard]] std::vector<std::string> Check(
    const ringmaster::v1::JobSpec& spec,
    absl::Span<const ringmaster::v1::SourcePosition> positions,
    const std::string& checkpoint_folder, base::FileSystem& files, const std::string& host = "");

}  // namespace rm::preflight

#endif  // RM_RUNTIME_PREFLIGHT_PREFLIGHT_H_

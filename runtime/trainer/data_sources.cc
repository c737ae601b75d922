// Preflight has done the same on a worker before the job took a slot. It is done again because days may
// lie between the two, and because every rank needs the data anyway.
#include "runtime/trainer/data_sources.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "runtime/data/bad_records.h"
#include "runtime/model/layout.h"

namespace rm::trainer {
namespace pb = ::ringmaster::v1;
namespace {

// One source, and the job's own rule for records that cannot be used: the first complaint and the total make one line.
absl::StatusOr<std::unique_ptr<data::Dataset>> OpenOne(const pb::DataSource& source,
                                                       const base::FileSystem& files,
                                                       const data::DatasetOptions& options,
                                                       data::BadRecordRule rule) {
  RM_ASSIGN_OR_RETURN(auto dataset, data::Dataset::Open(source, files, options));
  RM_RETURN_IF_ERROR(
      base::Annotate(data::CheckLayout(options.model, dataset->layout()), source.path()));
  const std::vector<std::string> complaints =
      data::Complaints(dataset->bad_records(), dataset->size(), rule);
  if (complaints.empty()) return dataset;
  return absl::InvalidArgumentError(
      absl::StrCat("BadRecords: ", complaints.front(), "; ", complaints.back()));
}

}  // namespace

absl::StatusOr<DataSources> OpenDataSources(const pb::JobSpec& spec, const graph::Graph& model,
                                            const base::FileSystem& files) {
  RM_ASSIGN_OR_RETURN(const auto rule, data::ParseBadRecordRule(spec.data().on_bad_record()));
  DataSources sources;
  data::DatasetOptions options;
  auto layout = model::LayoutOf(model, spec.model());
  if (!layout.ok()) return base::Annotate(layout.status(), "model");
  sources.layout = *std::move(layout);
  options.model = sources.layout;
  options.schema = spec.data().schema();
  for (const auto& [input, list] : spec.data().inputs()) {
    options.inputs[input].assign(list.columns().begin(), list.columns().end());
  }
  RM_ASSIGN_OR_RETURN(sources.training, OpenOne(spec.data().train(), files, options, rule));
  if (spec.data().validation().path().empty()) return sources;
  options.training = sources.training.get();
  RM_ASSIGN_OR_RETURN(sources.validation, OpenOne(spec.data().validation(), files, options, rule));
  return sources;
}

// The list is written before the notice that names it. A disk that is full costs the list and not the training: the
// records have no weight either way.
std::vector<pb::Reason> ReportBadRecords(const DataSources& sources, const pb::DataSpec& spec,
                                         const std::string& checkpoint_folder,
                                         base::FileSystem& files) {
  std::vector<pb::Reason> notices;
  const std::pair<const data::Dataset*, const char*> both[] = {
      {sources.training.get(), "train.jsonl"}, {sources.validation.get(), "validation.jsonl"}};
  for (const auto& [dataset, name] : both) {
    if (dataset == nullptr || dataset->bad_records().count() == 0) continue;
    pb::Reason& notice = notices.emplace_back();
    notice.set_code("BadRecords");
    notice.set_sentence(data::Summary(dataset->bad_records(), dataset->size()));
    if (spec.on_bad_record() != "quarantine") continue;
    const std::string path =
        base::JoinPath(base::JoinPath(checkpoint_folder, "quarantine"), name);
    const absl::Status written = data::WriteQuarantine(files, path, dataset->bad_records());
    absl::StrAppend(notice.mutable_sentence(),
                    written.ok() ? absl::StrCat("; all are listed in ", path)
                                 : absl::StrCat("; the list could not be written to ", path, ": ",
                                                written.message()));
  }
  return notices;
}

// Small batches over data with many bad records meet this often; who reads it knows what to change.
pb::Reason EmptyBatchNotice(int64_t step, int64_t global_batch_size) {
  pb::Reason notice;
  notice.set_code("EmptyBatch");
  notice.set_sentence(absl::StrCat("all ", global_batch_size, " records of the batch of step ", step,
                                   " are bad: the weights stay as they are, and so it will be for "
                                   "every batch like it"));
  return notice;
}

}  // namespace rm::trainer

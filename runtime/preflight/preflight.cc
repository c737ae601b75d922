// All checks run, whatever the ones before them found: people want every error at once.

#include "runtime/preflight/preflight.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status.h"
#include "base/units.h"
#include "kernels/kernels.h"
#include "runtime/data/bad_records.h"
#include "runtime/data/batch_reader.h"
#include "runtime/data/dataset.h"
#include "runtime/graph/program.h"
#include "runtime/model/layout.h"
#include "runtime/model/model.h"
#include "runtime/model/weights.h"

namespace rm::preflight {
namespace pb = ::ringmaster::v1;
namespace {

// Collects errors, each with its place in the job file.
class Findings {
 public:
  Findings(absl::Span<const pb::SourcePosition> positions, const std::string& host)
      : positions_(positions), at_host_(host.empty() ? "" : absl::StrCat("on host ", host, ": ")) {}

  void Add(absl::string_view field, absl::string_view message) {
    for (const pb::SourcePosition& position : positions_) {
      if (position.field_path() != field) continue;
      errors_.push_back(absl::StrCat(position.line(), ":", position.column(), ": ", message));
      return;
    }
    errors_.push_back(absl::StrCat(field, ": ", message));
  }
  void Add(absl::string_view field, const absl::Status& status) {
    if (!status.ok()) Add(field, status.message());
  }
  // What this machine lacks may be there on another one, so the machine is named; what is wrong with a file is wrong
  // everywhere.
  void AddOfHost(absl::string_view field, const absl::Status& status) {
    const bool is_ours = absl::IsNotFound(status) || absl::IsPermissionDenied(status) ||
                         absl::IsUnavailable(status) || absl::IsResourceExhausted(status) ||
                         absl::IsFailedPrecondition(status);
    if (!status.ok()) Add(field, absl::StrCat(is_ours ? at_host_ : "", status.message()));
  }
  std::vector<std::string> Take() { return std::move(errors_); }

 private:
  absl::Span<const pb::SourcePosition> positions_;
  const std::string at_host_;
  std::vector<std::string> errors_;
};

// A sentence about a column says which key of the schema it is about: there the job file is wrong, not at the path.
absl::string_view FieldOf(const absl::Status& status, absl::string_view path_field) {
  for (const absl::string_view key : {"data.schema.label", "data.schema.features",
                                      "data.schema.types", "data.schema.missing", "data.inputs"}) {
    if (absl::StrContains(status.message(), key)) return key;
  }
  return path_field;
}

// The two sources of a job. Opening reads and checks the whole of each, so a damaged file is found here and not in the middle
// of the night.
class Sources {
 public:
  // `layout`: of the model; nullptr when there is none that can be read. Then a source whose numbers mean what the model makes
  // of them is left alone: it would be judged by a model that nobody has.
  Sources(const pb::JobSpec& job, const data::SampleLayout* layout,
          const base::FileSystem& files, Findings& findings)
      : files_(files), findings_(findings) {
    const pb::DataSpec& spec = job.data();
    has_model_ = layout != nullptr;
    // Class labels, and columns that are all of one input, are the same for every model.
    is_plain_table_ = model::HasClasses(job.model()) && spec.inputs().empty();
    options_.schema = spec.schema();
    if (has_model_) options_.model = *layout;
    for (const auto& [input, list] : spec.inputs()) {
      options_.inputs[input].assign(list.columns().begin(), list.columns().end());
    }
    const auto rule = data::ParseBadRecordRule(spec.on_bad_record());
    findings.Add("data.on_bad_record", rule.status());
    if (rule.ok()) rule_ = *rule;
    training = Open(spec.train(), "data.train.path");
    if (spec.validation().path().empty()) return;
    // Null when the training set could not be opened: then the validation set is at least read by itself.
    options_.training = training.get();
    validation = Open(spec.validation(), "data.validation.path");
  }

  // Null where the source cannot be used, which the findings then say.
  std::unique_ptr<data::Dataset> training;
  std::unique_ptr<data::Dataset> validation;

 private:
  // Images and tokens say themselves what they are, arrays never, tables by what is asked of them.
  [[nodiscard]] bool CanJudge(const pb::DataSource& source) const {
    return has_model_ || (source.format() != "npy" && (source.format() != "csv" || is_plain_table_));
  }

  std::unique_ptr<data::Dataset> Open(const pb::DataSource& source, absl::string_view field) {
    if (!CanJudge(source)) return nullptr;
    auto dataset = data::Dataset::Open(source, files_, options_);
    if (!dataset.ok()) {
      findings_.AddOfHost(FieldOf(dataset.status(), field), dataset.status());
      return nullptr;
    }
    for (const std::string& line :
         data::Complaints((*dataset)->bad_records(), (*dataset)->size(), rule_)) {
      findings_.Add(field, line);
    }
    return *std::move(dataset);
  }

  const base::FileSystem& files_;
  Findings& findings_;
  data::DatasetOptions options_;
  bool has_model_ = false;
  bool is_plain_table_ = false;
  data::BadRecordRule rule_ = data::BadRecordRule::kFail;
};

// Bad records count here as in training, where they keep their places. A job whose data does not fill one batch would succeed without having done anything.
void CheckSteps(const pb::TrainSpec& train, const data::Dataset& dataset, Findings& findings) {
  if (train.steps() > 0) return;
  if (data::TotalSteps(train.epochs(), dataset.size(), train.global_batch_size()) > 0) return;
  findings.Add("train.global_batch_size",
               absl::StrCat(train.epochs(), " epochs of ", dataset.size(),
                            " samples do not fill one batch of ", train.global_batch_size()));
}

// Sums of gradients that a rank keeps beside the gradients. In exact mode one may wait at each level of the tree over its shards
// (comm/collective/shard_tree.h), and a share that is no power of two makes several trees of them.
int64_t GradientSums(const pb::JobSpec& spec) {
  const int64_t shards = spec.train().virtual_shards();
  if (shards == 0) return spec.train().gradient_accumulation() > 1 ? 1 : 0;
  const int64_t ranks = std::max<int64_t>(1, spec.resources().ranks_min());
  const int64_t share = std::max<int64_t>(1, (shards + ranks - 1) / ranks);
  int64_t levels = 0;
  while ((int64_t{2} << levels) <= share) ++levels;
  const bool one_tree = (ranks & (ranks - 1)) == 0;
  return one_tree ? levels : 2 * levels;
}

// Memory of one rank: the arena; weights, gradients and the optimizer's state of each parameter, sums of gradients where they are
// accumulated, and a snapshot of weights and state for saving; buffers and their snapshot.
int64_t MemoryOf(const graph::Program& program, const pb::JobSpec& spec) {
  int64_t parameters = 0;
  for (const graph::ParameterInfo& info : program.parameters()) parameters += info.elements;
  int64_t buffers = 0;
  for (const graph::BufferInfo& info : program.buffers()) buffers += info.elements;
  const int64_t states = spec.train().optimizer().type() == "SGD" ? 1 : 2;
  const int64_t copies = 2 + states + GradientSums(spec) + (1 + states);
  return program.arena_bytes() +
         (copies * parameters + 2 * buffers) * static_cast<int64_t>(sizeof(float));
}

// Rows of the largest micro-batch of any rank.
int64_t RowsOf(const pb::JobSpec& spec) {
  const auto divide_up = [](int64_t a, int64_t b) { return (a + b - 1) / b; };
  // In exact mode a rank computes a virtual shard at a time, however many there are of either.
  const int64_t shards = spec.train().virtual_shards();
  if (shards > 0) return std::max<int64_t>(1, divide_up(spec.train().global_batch_size(), shards));
  const int64_t ranks = std::max<int64_t>(1, spec.resources().ranks_max());
  const int64_t parts = std::max<int64_t>(1, spec.train().gradient_accumulation());
  return std::max<int64_t>(1, divide_up(divide_up(spec.train().global_batch_size(), ranks), parts));
}

// Compiles for one rank's share: a missing kernel and a shape that does not fit show here.
void CheckProgram(const pb::JobSpec& spec, const graph::Graph& model, absl::string_view field,
                  Findings& findings) {
  graph::CompileOptions options;
  options.batch = RowsOf(spec);
  options.kernels = kernels::CpuKernels();
  if (spec.train().precision() == graph::PrecisionName(graph::Precision::kBfloat16)) {
    options.precision = graph::Precision::kBfloat16;
    findings.AddOfHost("train.precision", kernels::CheckBfloat16());
  }
  const auto graph =
      model::ForBatch(model, spec.model(), options.batch, model::Purpose::kTraining);
  if (!graph.ok()) {
    findings.Add(field, graph.status());
    return;
  }
  const auto program = graph::Program::Compile(*graph, options);
  if (!program.ok()) {
    findings.Add(field, program.status());
    return;
  }
  const int64_t limit = spec.resources().memory_per_rank();
  const int64_t needed = MemoryOf(**program, spec);
  if (limit > 0 && needed > limit) {
    findings.Add("resources.memory_per_rank",
                 absl::StrCat("a rank needs about ", base::FormatBytes(needed), ", the limit is ",
                              base::FormatBytes(limit)));
  }
}

// Made, written and cleaned up; the folder itself stays, since the job will need it. Several machines
// may ask at the same moment in one shared folder, so each has a name of its own.
void CheckFolder(const std::string& folder, base::FileSystem& files, Findings& findings) {
  std::random_device random;
  const std::string probe = base::JoinPath(
      folder, absl::StrCat(".preflight-", absl::Hex(random()), "-", absl::Hex(random())));
  absl::Status status = files.MakeFolders(folder);
  if (status.ok()) {
    auto file = files.Create(probe);
    status = file.status();
    if (file.ok()) {
      status.Update((*file)->Close());
      status.Update(files.RemoveFile(probe));
    }
  }
  findings.AddOfHost("checkpoint.path", base::Annotate(status, absl::StrCat(
                                            "checkpoints cannot be written to ", folder)));
}

}  // namespace

std::vector<std::string> Check(const pb::JobSpec& spec,
                               absl::Span<const pb::SourcePosition> positions,
                               const std::string& checkpoint_folder, base::FileSystem& files,
                               const std::string& host) {
  Findings findings(positions, host);
  const absl::string_view model_field = spec.model().onnx().empty() ? "model" : "model.onnx";
  const auto graph = model::BuildGraph(spec.model());
  absl::StatusOr<data::SampleLayout> layout = data::SampleLayout();
  if (graph.ok()) layout = model::LayoutOf(*graph, spec.model());
  // Without a model no label is out of range, and nothing is said of what cannot be known: neither of
  // labels nor of sources that only a model gives a meaning.
  const bool has_model = graph.ok() && layout.ok();
  const Sources sources(spec, has_model ? &*layout : nullptr, files, findings);
  if (sources.training != nullptr) CheckSteps(spec.train(), *sources.training, findings);
  findings.Add(model_field, graph.status());
  findings.Add(model_field, layout.status());
  // Data and model are compared only where both are there: one mistake gives one error.
  if (has_model) {
    const std::pair<const data::Dataset*, const char*> both[] = {
        {sources.training.get(), "data.train.path"},
        {sources.validation.get(), "data.validation.path"}};
    for (const auto& [dataset, field] : both) {
      if (dataset == nullptr) continue;
      findings.Add(field, data::CheckLayout(*layout, dataset->layout()));
    }
    CheckProgram(spec, *graph, model_field, findings);
  }
  if (const std::string& weights = spec.model().weights(); graph.ok() && !weights.empty()) {
    findings.Add("model.weights", model::CheckWeights(*graph, files, weights));
  }
  CheckFolder(checkpoint_folder, files, findings);
  return findings.Take();
}

}  // namespace rm::preflight

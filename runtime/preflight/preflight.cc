// All checks run, whatever the ones before them found: people want every error at once.

#include "runtime/preflight/preflight.h"

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status.h"
#include "base/units.h"
#include "kernels/kernels.h"
#include "runtime/data/batch_reader.h"
#include "runtime/data/dataset.h"
#include "runtime/graph/program.h"
#include "runtime/model/model.h"

namespace rm::preflight {
namespace pb = ::ringmaster::v1;
namespace {

// Collects errors, each with its place in the job file.
class Findings {
 public:
  explicit Findings(absl::Span<const pb::SourcePosition> positions) : positions_(positions) {}

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
  std::vector<std::string> Take() { return std::move(errors_); }

 private:
  absl::Span<const pb::SourcePosition> positions_;
  std::vector<std::string> errors_;
};

// Opening reads and checks the whole source, so a damaged file is found here and not in the middle of the night.
std::unique_ptr<data::Dataset> OpenData(const pb::DataSource& source, absl::string_view field,
                                        const base::FileSystem& files, Findings& findings) {
  auto dataset = data::Dataset::Open(source, files);
  if (dataset.ok()) return *std::move(dataset);
  findings.Add(field, dataset.status());
  return nullptr;
}

// A job whose data does not fill one batch would succeed without having done anything.
void CheckSteps(const pb::TrainSpec& train, const data::Dataset& dataset, Findings& findings) {
  if (train.steps() > 0) return;
  if (data::TotalSteps(train.epochs(), dataset.size(), train.global_batch_size()) > 0) return;
  findings.Add("train.global_batch_size",
               absl::StrCat(train.epochs(), " epochs of ", dataset.size(),
                            " samples do not fill one batch of ", train.global_batch_size()));
}

// Memory of one rank: weights, gradients and one state tensor for each parameter, the arena, and a snapshot for saving.
int64_t MemoryOf(const graph::Program& program) {
  int64_t parameters = 0;
  for (const graph::ParameterInfo& info : program.parameters()) parameters += info.elements;
  constexpr int64_t kCopies = 5;
  return program.arena_bytes() + kCopies * parameters * static_cast<int64_t>(sizeof(float));
}

// Compiles for one rank's share: a missing kernel and a shape that does not fit show here.
void CheckProgram(const pb::JobSpec& spec, const graph::Graph& graph, Findings& findings) {
  const int64_t ranks = spec.resources().ranks_max() > 0 ? spec.resources().ranks_max() : 1;
  graph::CompileOptions options;
  options.batch = (spec.train().global_batch_size() + ranks - 1) / ranks;
  options.kernels = kernels::CpuKernels();
  const auto program = graph::Program::Compile(graph, options);
  if (!program.ok()) {
    findings.Add("model", program.status());
    return;
  }
  const int64_t limit = spec.resources().memory_per_rank();
  const int64_t needed = MemoryOf(**program);
  if (limit > 0 && needed > limit) {
    findings.Add("resources.memory_per_rank",
                 absl::StrCat("a rank needs about ", base::FormatBytes(needed), ", the limit is ",
                              base::FormatBytes(limit)));
  }
}

// Made, written and cleaned up; the folder itself stays, since the job will need it.
void CheckFolder(const std::string& folder, base::FileSystem& files, Findings& findings) {
  const std::string probe = base::JoinPath(folder, ".preflight");
  absl::Status status = files.MakeFolders(folder);
  if (status.ok()) {
    auto file = files.Create(probe);
    status = file.status();
    if (file.ok()) {
      status.Update((*file)->Close());
      status.Update(files.RemoveFile(probe));
    }
  }
  if (!status.ok()) {
    findings.Add("checkpoint.path", absl::StrCat("checkpoints cannot be written to ", folder, ": ",
                                                 status.message()));
  }
}

}  // namespace

std::vector<std::string> Check(const pb::JobSpec& spec,
                               absl::Span<const pb::SourcePosition> positions,
                               const std::string& checkpoint_folder, base::FileSystem& files) {
  Findings findings(positions);
  const auto training = OpenData(spec.data().train(), "data.train.path", files, findings);
  std::unique_ptr<data::Dataset> validation;
  if (!spec.data().validation().path().empty()) {
    validation = OpenData(spec.data().validation(), "data.validation.path", files, findings);
  }
  if (training != nullptr) CheckSteps(spec.train(), *training, findings);
  const auto graph = model::BuildGraph(spec.model(), /*training=*/true);
  findings.Add("model", graph.status());
  // Data and model are compared only where both are there: one mistake gives one error.
  if (graph.ok()) {
    const std::pair<const data::Dataset*, const char*> sources[] = {
        {training.get(), "data.train.path"}, {validation.get(), "data.validation.path"}};
    for (const auto& [dataset, field] : sources) {
      if (dataset == nullptr) continue;
      findings.Add(field, model::CheckData(*graph, dataset->sample_shape(), dataset->classes()));
    }
    CheckProgram(spec, *graph, findings);
  }
  CheckFolder(checkpoint_folder, files, findings);
  return findings.Take();
}

}  // namespace rm::preflight

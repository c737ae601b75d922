// Reading a checkpoint: tensors by name, whichever rank wrote them.
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "runtime/checkpoint/checked_file.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/names.h"
#include "runtime/checkpoint/open.h"

namespace rm::checkpoint {
namespace {

using tensorfile::DescribeTensor;
using tensorfile::SafetensorsFile;

// The tensors of one kind over all ranks' files.
struct Part {
  std::vector<std::unique_ptr<SafetensorsFile>> files;
  std::map<std::string, TensorInfo> tensors;
  std::map<std::string, const SafetensorsFile*, std::less<>> holders;  // by tensor

  // Adds one rank's file. Its header is read through the checksums, too.
  absl::Status Add(const base::FileSystem& file_system, const std::string& path,
                   const ShardReport& report) {
    RM_ASSIGN_OR_RETURN(auto checked, CheckedFile::Open(file_system, path, report));
    auto file = SafetensorsFile::Open(std::move(checked), report.file);
    if (!file.ok()) return file.status();
    for (const TensorInfo& tensor : (*file)->tensors()) {
      if (!tensors.emplace(tensor.name, tensor).second) {
        return DamagedAt(report.file, 0,
                         absl::StrCat("tensor '", tensor.name, "' is in another file, too"));
      }
      holders.emplace(tensor.name, file->get());
    }
    files.push_back(*std::move(file));
    return absl::OkStatus();
  }

  // The bytes of one tensor. The caller says how many it has room for, so that a model of another
  // shape is an error with both sizes and not a memory fault.
  absl::Status Read(absl::string_view name, void* destination, uint64_t bytes) const {
    const auto holder = holders.find(name);
    if (holder == holders.end()) {
      return absl::NotFoundError(absl::StrCat("the checkpoint has no tensor '", name, "'"));
    }
    const TensorInfo& tensor = *holder->second->Find(name);
    if (tensor.bytes != bytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("tensor '", name, "' is ", DescribeTensor(tensor.dtype, tensor.shape),
                       " in the checkpoint: ", tensor.bytes, " bytes, wanted are ", bytes));
    }
    return holder->second->Read(tensor, destination);
  }
};

// Small, so it is read at once and kept.
absl::StatusOr<base::Json> ReadTrainerState(const base::FileSystem& files, const std::string& path,
                                            const ShardReport& report) {
  RM_ASSIGN_OR_RETURN(const auto file, CheckedFile::Open(files, path, report));
  std::string text(static_cast<size_t>(file->size()), '\0');
  RM_RETURN_IF_ERROR(file->Read(0, file->size(), text.data()));
  auto state = base::Json::Parse(text);
  if (!state.ok()) return DamagedAt(report.file, 0, state.status().message());
  if (!state->is_object()) return DamagedAt(report.file, 0, "it is no JSON object");
  return state;
}

}  // namespace

struct Checkpoint::Contents {
  Info info;
  base::Json trainer_state;
  Part weights;
  Part optimizer;
};

Checkpoint::Checkpoint(std::unique_ptr<Contents> contents) : contents_(std::move(contents)) {}
Checkpoint::~Checkpoint() = default;

// Reads the manifest, the trainer's state and the headers. Tensors are read when they are asked
// for, straight into their place in the model.
absl::StatusOr<std::unique_ptr<Checkpoint>> Checkpoint::Load(const base::FileSystem& files,
                                                             const std::string& path) {
  RM_ASSIGN_OR_RETURN(const OpenedManifest opened, OpenManifest(files, path));
  auto contents = std::make_unique<Contents>();
  contents->info = InfoOf(opened, path);
  contents->info.counts = true;
  for (const ShardReport& report : opened.manifest.files) {
    if (report.file == kTrainerFile) {
      RM_ASSIGN_OR_RETURN(contents->trainer_state, ReadTrainerState(files, path, report));
      continue;
    }
    const bool is_weights = absl::StartsWith(report.file, "weights-");
    Part& part = is_weights ? contents->weights : contents->optimizer;
    RM_RETURN_IF_ERROR(part.Add(files, path, report));
  }
  return absl::WrapUnique(new Checkpoint(std::move(contents)));
}

const Info& Checkpoint::info() const { return contents_->info; }
const base::Json& Checkpoint::trainer_state() const { return contents_->trainer_state; }

const std::map<std::string, TensorInfo>& Checkpoint::weights() const {
  return contents_->weights.tensors;
}
const std::map<std::string, TensorInfo>& Checkpoint::optimizer() const {
  return contents_->optimizer.tensors;
}

absl::Status Checkpoint::ReadWeights(absl::string_view name, void* destination,
                                     uint64_t bytes) const {
  return contents_->weights.Read(name, destination, bytes);
}

absl::Status Checkpoint::ReadOptimizer(absl::string_view name, void* destination,
                                       uint64_t bytes) const {
  return contents_->optimizer.Read(name, destination, bytes);
}

}  // namespace rm::checkpoint

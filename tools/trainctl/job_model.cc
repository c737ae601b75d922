// The whole import runs here, though the cluster will run it again: what is wrong with a file is said
// in a second, and not when a worker has a moment; and warnings are for the person who exported it.
#include "tools/trainctl/job_model.h"

#include <filesystem>
#include <random>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/file_system.h"
#include "base/status.h"
#include "runtime/onnx/import.h"
#include "runtime/onnx/model_file.h"
#include "runtime/onnx/self_contained.h"

namespace rm::trainctl {
namespace {

// A path that nobody else has, in the user's folder for such files.
std::string TemporaryPath() {
  std::error_code error;
  std::string folder = std::filesystem::temp_directory_path(error).string();
  if (error) folder = "/tmp";
  std::random_device random;
  return base::JoinPath(folder, absl::StrFormat("ringmaster-model-%08x%08x.onnx", random(), random()));
}

}  // namespace

absl::StatusOr<JobModel> JobModel::Read(const std::string& path) {
  base::FileSystem& files = base::PosixFileSystem();
  RM_ASSIGN_OR_RETURN(auto proto, onnx::ReadModel(files, path));
  const onnx::ExternalFiles external(&files, base::ParentPath(path));
  JobModel model;
  model.path_ = path;
  if (onnx::HasExternalData(proto)) {
    RM_RETURN_IF_ERROR(base::Annotate(onnx::TakeInExternalData(external, &proto), path));
    model.path_ = TemporaryPath();
    model.is_copy_ = true;
    RM_RETURN_IF_ERROR(onnx::WriteModel(proto, model.path_, files));
  }
  auto imported = onnx::ImportModel(std::move(proto), onnx::ExternalFiles());
  if (!imported.ok()) return base::Annotate(imported.status(), path);
  model.warnings_ = std::move(imported->warnings);
  return model;
}

// Whoever is moved from owns nothing any more.
JobModel::JobModel(JobModel&& other) noexcept
    : path_(std::move(other.path_)),
      is_copy_(std::exchange(other.is_copy_, false)),
      warnings_(std::move(other.warnings_)) {}

// A copy that cannot be removed is left to whoever cleans that folder.
JobModel::~JobModel() {
  if (!is_copy_) return;
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

}  // namespace rm::trainctl

// The ONNX file that a job brings along, as it is looked at before anybody is dialled.
#ifndef RM_TOOLS_TRAINCTL_JOB_MODEL_H_
#define RM_TOOLS_TRAINCTL_JOB_MODEL_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace rm::trainctl {

// A model that was read once, whole. Thread-compatible. Owns a temporary file where one was needed.
class JobModel {
 public:
  // Reads the file at `path` as a rank will. InvalidArgument, naming node, initializer or input,
  // when it is damaged or asks for what is not known; NotFound.
  [[nodiscard]] static absl::StatusOr<JobModel> Read(const std::string& path);
  ~JobModel();
  JobModel(JobModel&& other) noexcept;
  JobModel& operator=(JobModel&&) = delete;

  // What is to be uploaded: the file itself, or, where tensors of it lie in other files, a copy that
  // has them inside. Valid as long as this object.
  [[nodiscard]] const std::string& path() const { return path_; }
  // What people should know, a sentence each: an export that lost names, several outputs.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  JobModel() = default;

  std::string path_;
  bool is_copy_ = false;  // path_ is ours, and goes with us
  std::vector<std::string> warnings_;
};

}  // namespace rm::trainctl

#endif  // RM_TOOLS_TRAINCTL_JOB_MODEL_H_

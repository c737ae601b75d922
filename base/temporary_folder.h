// A folder that lives as long as a test.
#ifndef RM_BASE_TEMPORARY_FOLDER_H_
#define RM_BASE_TEMPORARY_FOLDER_H_

#include <string>

#include "absl/strings/string_view.h"

namespace rm::base {

// A fresh, empty folder under $TEST_TMPDIR (else $TMPDIR, else /tmp); removed, with all it holds,
// at the end. CHECKs that it can be made: a test without a disk has nothing to say.
// Thread-compatible.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  // Absolute, without a '/' at its end.
  [[nodiscard]] const std::string& path() const { return path_; }
  // path() + "/" + name.
  [[nodiscard]] std::string File(absl::string_view name) const;

 private:
  std::string path_;
};

}  // namespace rm::base

#endif  // RM_BASE_TEMPORARY_FOLDER_H_

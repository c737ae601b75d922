// What is wrong with a job file, and where: the one form in which job-file errors travel and are
// shown.
#ifndef RM_RUNTIME_JOBSPEC_DIAGNOSTIC_H_
#define RM_RUNTIME_JOBSPEC_DIAGNOSTIC_H_

#include <string>

#include "absl/strings/string_view.h"

namespace rm::jobspec {

// One error. A value type.
struct Diagnostic {
  // From 1; 0: no place in a file (--set, or a spec from the API).
  int line = 0;
  // From 1, in characters (code points).
  int column = 0;
  // Which field it is about, "train.optimizer.params.lr"; empty when the text is no YAML at all.
  std::string field_path;
  // One sentence: what is wrong, and what to write instead.
  std::string message;
};

// The error as people read it, without a newline at the end:
//
//   job.yaml:12:3: unknown key 'epoch' – did you mean 'epochs'?
//     12 |   epoch: 3
//        |   ^
//
// `yaml_text` is the text that was parsed; long lines are cut around the column, and characters
// that would disturb a terminal are shown as '?'. Without a place only "job.yaml: message" is
// given.
[[nodiscard]] std::string Render(const Diagnostic& diagnostic, absl::string_view file_name,
                                 absl::string_view yaml_text);

}  // namespace rm::jobspec

#endif  // RM_RUNTIME_JOBSPEC_DIAGNOSTIC_H_

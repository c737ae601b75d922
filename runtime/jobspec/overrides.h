// trainctl's --set: "train.steps=10" put into the tree of a job file before anything reads it.
#ifndef RM_RUNTIME_JOBSPEC_OVERRIDES_H_
#define RM_RUNTIME_JOBSPEC_OVERRIDES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "runtime/jobspec/diagnostic.h"
#include "runtime/jobspec/yaml_tree.h"

namespace rm::jobspec {

struct Override {
  // The field it gives, "train.steps".
  std::string path;
  // How messages about it begin, "--set train.steps=10".
  std::string text;
};

// Applies the overrides in order to `root` (a mapping, or nothing yet) and returns them taken
// apart. A value replaces what is there, an empty one removes it; rivals of the key (train.epochs)
// are removed. Nodes made here have line 0. What cannot be applied is added to `errors`.
[[nodiscard]] std::vector<Override> ApplyOverrides(absl::Span<const std::string> overrides,
                                                   YamlNode& root,
                                                   std::vector<Diagnostic>& errors);

// The last override that gives `field_path` or a section it is in; nullptr when there is none.
[[nodiscard]] const Override* FindOverride(const std::vector<Override>& overrides,
                                           absl::string_view field_path);
// The last override that gives something in the section `field_path`; nullptr when there is none.
[[nodiscard]] const Override* FindOverrideBelow(const std::vector<Override>& overrides,
                                                absl::string_view field_path);

}  // namespace rm::jobspec

#endif  // RM_RUNTIME_JOBSPEC_OVERRIDES_H_

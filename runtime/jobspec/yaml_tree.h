// YAML as a plain tree with places: the one header over yaml-cpp.
//
// Only what a job file needs: one document of mappings, lists and text; anchors, aliases and merge
// keys (<<) are resolved, tags are refused. What a text means ("3", "true") is left to whoever
// knows which type is wanted.
#ifndef RM_RUNTIME_JOBSPEC_YAML_TREE_H_
#define RM_RUNTIME_JOBSPEC_YAML_TREE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "runtime/jobspec/diagnostic.h"

namespace rm::jobspec {

// Bounds on the tree with all aliases resolved: the largest sensible job file has some hundred
// values, in five levels.
inline constexpr int kYamlNodesMax = 20'000;
inline constexpr int kYamlDepthMax = 32;

struct YamlMember;

// A value type. Line and column count from 1, columns in bytes; 0 when it is from no file.
struct YamlNode {
  enum class Kind { kNull, kText, kList, kMapping };
  Kind kind = Kind::kNull;
  int line = 0;
  int column = 0;
  // Of kText, as it reads without quotes and escapes.
  std::string text;
  // Of kText: "3" is text wherever 3 would be a number.
  bool quoted = false;
  // Of kList.
  std::vector<YamlNode> elements;
  // Of kMapping: in the order of the file, those of merge keys last; names are unique.
  std::vector<YamlMember> members;

  // The member of that name, or nullptr.
  [[nodiscard]] const YamlNode* Find(absl::string_view name) const;
};

struct YamlMember {
  std::string name;
  // Where the name stands; the value knows its own place.
  int line = 0;
  int column = 0;
  YamlNode value;
};

struct YamlTree {
  // To be used only when complete.
  YamlNode root;
  // The text was read to its end, though it may have errors.
  bool complete = true;
  // With columns in bytes.
  std::vector<Diagnostic> errors;
};

// Never crashes, hangs, or uses more memory than a small multiple of the text and the bounds above.
[[nodiscard]] YamlTree ParseYaml(absl::string_view text);

}  // namespace rm::jobspec

#endif  // RM_RUNTIME_JOBSPEC_YAML_TREE_H_

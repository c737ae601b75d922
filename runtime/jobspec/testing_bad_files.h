// Job files that are wrong, and every word that is said about them, for the tests of all who read
// the table of keys.
#ifndef RM_RUNTIME_JOBSPEC_TESTING_BAD_FILES_H_
#define RM_RUNTIME_JOBSPEC_TESTING_BAD_FILES_H_

#include <string>
#include <utility>
#include <vector>

namespace rm::jobspec {

struct BadFile {
  // Of SmallJob(): each `first` gives way to its `second`.
  std::vector<std::pair<std::string, std::string>> edits;
  // "line:column: message", in order.
  std::vector<std::string> errors;
  // Names, types and single values are right: only a relation, a length or the bound of a duration
  // is not, which no JSON Schema states.
  bool only_parser = false;
};

// Family after family; the diff of the table behind it is the review of every message.
[[nodiscard]] std::vector<BadFile> BadFiles();

// A file made to do harm, whole, with the first thing said about it.
struct HostileFile {
  std::string what;
  std::string text;
  std::string error;
};
[[nodiscard]] std::vector<HostileFile> HostileFiles();

}  // namespace rm::jobspec

#endif  // RM_RUNTIME_JOBSPEC_TESTING_BAD_FILES_H_
